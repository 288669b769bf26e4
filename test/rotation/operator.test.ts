// The commands `keystile key …` on the database of running servers.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { decodeJwtUnsafe, exportPrivateJwk, generateKey, signJwt } from 'keystile/jwt'
import { callCommand, type Finished } from '../../packages/server/test-support/command.ts'
import {
  createTestClock,
  describeOnBoth,
  issuer,
  key,
  type Stage,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { until } from '../../tools/until.ts'

const hour = 60 * 60
const env = { KEYSTILE_KEY: key, KEYSTILE_ISSUER: issuer }

describeOnBoth('keystile key', (stage) => {
  let cwd: string
  before(() => void (cwd = mkdtempSync(join(tmpdir(), 'keystile-keys-'))))
  after(() => rmSync(cwd, { recursive: true }))

  const run = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    callCommand(['key', ...args, '--database', stage.database], { cwd, env: { ...env, ...more } })

  it('`keystile key rotate` publishes a new key that starts to sign an hour later', async () => {
    const clock = createTestClock(Date.now())
    const first = await stage.start({ clock })
    const second = await stage.start({ clock })
    const before = kidOf(await first.accessToken())

    const calledAt = Date.now()
    const { key_id: next, signs_from } = JSON.parse(textOf(await run(['rotate', '--json'])))
    const publishedAt = Date.parse(signs_from) - hour * 1000
    assert.ok(calledAt <= publishedAt && publishedAt <= Date.now(), signs_from)
    clock.advance((publishedAt - clock.now()) / 1000 + 6)
    assert.deepEqual(await publishedKids(first), [before, next])
    assert.deepEqual(await publishedKids(second), [before, next])
    assert.equal(kidOf(await first.accessToken()), before)

    clock.advance(hour)
    const token = await second.accessToken()
    assert.equal(kidOf(token), next)
    assert.equal((await first.send('GET', '/users/me', { bearer: token })).status, 200)
    assert.deepEqual(await auditedKeys(stage), [['signing_key_published', next]])
  })

  it('two calls of `keystile key rotate` publish only one new key', async () => {
    await stage.start()
    const first = textOf(await run(['rotate']))
    assert.match(first, /^published \S{43}; it signs from 2\d{3}-\S+Z$/)
    const second = textOf(await run(['rotate']))
    assert.equal(second, first.replace(/^published/, 'already published'))
    assert.equal((await stage.sql('select id from signing_key')).length, 2)
  })

  it('after `keystile key revoke`, the next key signs, and servers refuse old tokens', async () => {
    const servers = [await stage.start(), await stage.start()] as const
    const token = await servers[0].accessToken()
    const revoked = kidOf(token)
    for (const { send } of servers)
      assert.equal((await send('GET', '/users/me', { bearer: token })).status, 200)
    const { key_id: next } = JSON.parse(textOf(await run(['rotate', '--json'])))

    const printed = JSON.parse(textOf(await run(['revoke', revoked, '--json'])))
    assert.deepEqual(printed, { revoked_key_id: revoked, signing_key_id: next })
    for (const server of servers) {
      await refused(server, token)
      assert.deepEqual(await publishedKids(server), [next])
      const fresh = await server.accessToken()
      assert.equal(kidOf(fresh), next)
      for (const { send } of servers)
        assert.equal((await send('GET', '/users/me', { bearer: fresh })).status, 200)
    }
    const [event] = await stage.sql(`select value, expires_at from event where kind = 'key'`)
    assert.equal(event?.['value'], revoked)
    assert.ok(Number(event?.['expires_at']) > Date.now() + 600_000)
    assert.deepEqual((await auditedKeys(stage)).at(-1), ['signing_key_revoked', revoked])
  })

  it('`keystile key revoke` replaces the only key, and sessions get new tokens', async () => {
    const server = await stage.start()
    const { accessToken, refreshToken } = await server.tokens()
    const revoked = kidOf(accessToken)
    const text = textOf(await run(['revoke', revoked]))
    assert.match(text, /^revoked \S+; \S+ signs now\. Running servers refuse the tokens of the/)
    await refused(server, accessToken)
    const { status, json } = await server.refresh(refreshToken)
    assert.equal(status, 200)
    const bearer = json['access_token'] as string
    assert.notEqual(kidOf(bearer), revoked)
    assert.equal((await server.send('GET', '/users/me', { bearer })).status, 200)
  })

  it('after `keystile key revoke` of the next key, the current key keeps signing', async () => {
    const clock = createTestClock(Date.now())
    const server = await stage.start({ clock })
    const current = kidOf(await server.accessToken())
    const { key_id: next } = JSON.parse(textOf(await run(['rotate', '--json'])))
    textOf(await run(['revoke', next]))
    clock.advance(2 * hour)
    assert.equal(kidOf(await server.accessToken()), current)
    const listed = textOf(await run(['list', '--json']))
    assert.deepEqual(
      listed.split('\n').map((line) => pick(JSON.parse(line), ['key_id', 'state', 'signs_until'])),
      [{ key_id: current, state: 'current', signs_until: null }],
    )
    const columns = textOf(await run(['list'])).split('\t')
    assert.deepEqual(
      [columns[0], columns[1], columns[3], columns[5]],
      [current, 'ES256', 'current', '-'],
    )
  })

  it('`keystile key list` fails if there is no database, and does not create one', async () => {
    const { code, stderr } = await callCommand(['key', 'list', '--database', 'none.db'], { cwd })
    assert.equal(code, 1)
    assert.match(stderr, /the database must exist; there is no none\.db/)
    assert.ok(!existsSync(join(cwd, 'none.db')))
  })

  it('`keystile key list` names the key of the setting signingKey, which signs', async () => {
    const database = await stage.start()
    const current = kidOf(await database.accessToken())
    const file = join(cwd, 'named.jwk')
    const signingKey = exportPrivateJwk(generateKey('ES256', { keyId: 'ours' }))
    writeFileSync(file, JSON.stringify(signingKey), { mode: 0o600 })

    const { code, stdout, stderr } = await run(['list'], { KEYSTILE_SIGNING_KEY_FILE: file })
    assert.equal(code, 0, stderr)
    assert.match(stderr, /^keystile: the key ours of the setting signingKey signs\. /)
    assert.equal(stdout.split('\t')[0], current)
    assert.equal((await run(['list'])).stderr, '')
  })

  it('`keystile key` refuses an unknown signing key and a wrong encryption key', async () => {
    await stage.start()
    const unknown = await run(['revoke', 'nothing'])
    assert.deepEqual([unknown.code, unknown.stdout], [1, ''])
    assert.match(unknown.stderr, /there is no signing key nothing; "keystile key list" lists/)
    const other = { KEYSTILE_KEY: 'another sealing key: 9876543210 zyxwvu' }
    for (const args of [['rotate'], ['revoke', 'nothing']]) {
      const { code, stderr } = await run(args, other)
      assert.equal(code, 1)
      assert.match(stderr, /were encrypted with a different key/)
    }
    assert.equal((await stage.sql('select id from signing_key')).length, 1)
    assert.equal((await stage.sql(`select id from event where kind = 'key'`)).length, 0)
  })

  it('`keystile key revoke` can also revoke a key from the setting signingKey', async () => {
    const signingKey = exportPrivateJwk(generateKey('ES256', { keyId: 'ours' }))
    await stage.start({ signingKey })
    const file = join(cwd, 'own.jwk')
    writeFileSync(file, JSON.stringify(signingKey), { mode: 0o600 })
    const own = { KEYSTILE_SIGNING_KEY_FILE: file }

    const rotated = await run(['rotate'], own)
    assert.equal(rotated.code, 1)
    assert.match(rotated.stderr, /cannot rotate the key of the setting signingKey\. Fix: make/)
    const text = textOf(await run(['revoke', 'ours'], own))
    assert.match(
      text,
      /^revoked the tokens of ours; .*\nNow remove this key from the setting signingKey/,
    )
    const [event] = await stage.sql(`select value from event where kind = 'key'`)
    assert.equal(event?.['value'], 'ours')
    assert.deepEqual(await auditedKeys(stage), [['signing_key_revoked', 'ours']])
  })

  it('nine years after `keystile key revoke`, a token forged with the key is refused', async () => {
    const stolen = generateKey('ES256', { keyId: 'stolen' })
    const signingKey = exportPrivateJwk(stolen)
    const clock = createTestClock(Date.now())
    const server = await stage.start({ signingKey, clock })
    const file = join(cwd, 'stolen.jwk')
    writeFileSync(file, JSON.stringify(signingKey), { mode: 0o600 })
    const { claims } = decodeJwtUnsafe(await server.accessToken())
    const year = 365 * 24 * hour
    const exp = Math.floor(Date.now() / 1000) + 20 * year
    const forged = signJwt({ ...claims, exp, jti: 'forged' }, stolen, { type: 'at+jwt' })
    const status = async (): Promise<number> =>
      (await server.send('GET', '/users/me', { bearer: forged })).status
    assert.equal(await status(), 200)

    textOf(await run(['revoke', 'stolen'], { KEYSTILE_SIGNING_KEY_FILE: file }))
    await until(async () => (await status()) === 401)
    for (const seconds of [hour, year, 8 * year]) {
      clock.advance(seconds)
      await delay(600) // the server reads events, and forgets the expired ones, each 250 ms
      assert.equal(await status(), 401)
    }
  })
})

function textOf({ code, stdout, stderr }: Finished): string {
  assert.deepEqual([code, stderr], [0, ''])
  return stdout.trim()
}

function kidOf(token: string): string {
  return String(decodeJwtUnsafe(token).header['kid'])
}

async function publishedKids({ send }: TestKeystile): Promise<readonly string[]> {
  const { json } = await send('GET', '/.well-known/jwks.json')
  return json['keys'].map(({ kid }: { readonly kid: string }) => kid)
}

/** Waits until a server refuses a token. */
async function refused({ send }: TestKeystile, bearer: string): Promise<void> {
  await until(async () => (await send('GET', '/users/me', { bearer })).status === 401)
}

async function auditedKeys(stage: Stage): Promise<readonly (readonly [unknown, unknown])[]> {
  const rows = await stage.sql(
    `select event, detail from audit where event like 'signing_key%' order by id`,
  )
  return rows.map(({ event, detail }) => [event, JSON.parse(String(detail)).key_id])
}

function pick(row: Readonly<Record<string, unknown>>, names: readonly string[]): object {
  return Object.fromEntries(names.map((name) => [name, row[name]]))
}
