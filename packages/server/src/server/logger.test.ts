import assert from 'node:assert/strict'
import { after, describe, it, mock } from 'node:test'
import { createGuard } from 'keystile/web'
import { createKeystile } from './create-keystile.ts'
import type { Keystile } from './keystile.ts'

const issuer = 'http://localhost:3000'
const opened: Pick<Keystile, 'close'>[] = []
after(() => Promise.all(opened.map((keystile) => keystile.close())))

const login = new Request(`${issuer}/token`, {
  method: 'POST',
  body: new URLSearchParams({
    grant_type: 'password',
    username: 'ada',
    password: 'the typed password',
  }),
})

/** A directory whose database is unavailable. It throws an error like those of database drivers. */
const brokenUsers = {
  findByLogin: () =>
    Promise.reject(
      Object.assign(new Error('select failed\nforged line'), {
        code: 'XX000',
        parameters: ['a secret of the query'],
      }),
    ),
  findBySubject: () => undefined,
  active: () => true,
  scopes: () => [],
  passwordHash: () => undefined,
}

describe('an embedded Keystile without a logger', () => {
  it('Keystile without a logger prints warnings and errors, but no secrets', async (t) => {
    const { mock: warned } = t.mock.method(console, 'warn', () => {})
    const { mock: failed } = t.mock.method(console, 'error', () => {})
    const keystile = await createKeystile({
      issuer,
      database: ':memory:',
      users: brokenUsers,
      accessTokenSeconds: 86_400, // a safety rule warns about this value
    })
    opened.push(keystile)
    assert.equal(warned.callCount(), 1)
    assert.match(String(warned.calls[0]?.arguments[0]), /^keystile: accessTokenSeconds .*"fix":/)

    assert.equal((await keystile.fetch(login.clone())).status, 500)
    const [line] = failed.calls.map(({ arguments: [text] }) => String(text))
    assert.match(line ?? '', /^keystile: failed \{"err":\{"type":"Error","message":"select failed/)
    assert.match(line ?? '', /"code":"XX000".*"incident":/)
    assert.doesNotMatch(line ?? '', /\n|secret of the query|typed password/)
  })
})

describe('the option logger', () => {
  it('the app’s logger gets warnings; logger.debug gets the reasons for refusals', async (t) => {
    const { mock: written } = t.mock.method(process.stderr, 'write', () => true)
    const logger = { debug: mock.fn(), info: mock.fn(), warn: mock.fn(), error: mock.fn() }
    const keystile = await createKeystile({
      issuer,
      database: ':memory:',
      users: brokenUsers,
      accessTokenSeconds: 86_400,
      logger,
    })
    opened.push(keystile)
    assert.equal(logger.warn.mock.callCount(), 1)

    const handler = createGuard(keystile)()(() => new Response())
    const refused = new Request(issuer, { headers: { authorization: 'Bearer abc' } })
    assert.equal((await handler(refused)).status, 401)
    assert.deepEqual(
      logger.debug.mock.calls.map(({ arguments: [{ code, reason, method }, message] }) => [
        code,
        reason,
        method,
        message,
      ]),
      [['invalid_token', 'malformed_token', 'GET', 'refused']],
    )
    assert.equal(written.callCount(), 0)
  })
})
