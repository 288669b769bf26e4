// keystile finish-restore: what an operator runs after another program has restored the database.
import assert from 'node:assert/strict'
import { afterEach, it } from 'node:test'
import { callCommand, type Finished } from '../../packages/server/test-support/command.ts'
import {
  describeOnBoth,
  issuer,
  key,
  password,
} from '../../packages/server/test-support/keystile.ts'
import { openBrowser } from '../../packages/server/test-support/page-browser.ts'
import {
  openReader,
  serveOnSocket,
  type ServerEvent,
} from '../../packages/server/test-support/revocation-reader.ts'

describeOnBoth('keystile finish-restore', (stage) => {
  const closing: (() => unknown)[] = []
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close()
  })

  const finishRestore = (flags: readonly string[] = [], sealingKey = key): Promise<Finished> =>
    callCommand(['finish-restore', '--issuer', issuer, ...flags], {
      cwd: import.meta.dirname,
      env: { KEYSTILE_DATABASE: stage.database, KEYSTILE_KEY: sealingKey },
    })

  it('`keystile finish-restore` revokes old tokens, and /revocations sends events', async () => {
    const { keystile, addClient, send, tokens, refresh, accessToken } = await stage.start()
    const { accessToken: before, refreshToken, sessionId } = await tokens()
    const [old] = await stage.sql('select id from signing_key')
    const served = await serveOnSocket(keystile)
    closing.push(served.close)
    const credentials = await addClient({ id: 'orders', grants: [], may: ['revocations'] })
    const reader = await openReader(`http://127.0.0.1:${served.port}/auth/revocations`, credentials)
    closing.push(reader.close)
    await reader.untilCurrent()

    const { code, stdout, stderr } = await finishRestore(['--json'])
    assert.deepEqual([code, stderr], [0, ''])
    const told = JSON.parse(stdout) as Record<string, unknown>
    assert.deepEqual([told['sessions_ended'], told['revoked_key_ids']], [1, [old!['id']]])

    const events: ServerEvent[] = []
    while (events.length < 2) events.push(await reader.nextChange())
    assert.deepEqual(Object.fromEntries(events.map(({ data }) => [data['kind'], data['value']])), {
      key: old!['id'],
      session: sessionId,
    })
    assert.equal((await send('GET', '/users/me', { bearer: before })).status, 401)
    assert.equal((await refresh(refreshToken)).status, 400)
    const bearer = await accessToken()
    assert.equal((await send('GET', '/users/me', { bearer })).status, 200)
  })

  it('finish-restore --keep-sessions ends no session, and a wrong key is refused', async () => {
    const running = await stage.start({ loginPages: 'on' })
    const { send, tokens } = running
    const { accessToken: bearer } = await tokens()
    const browser = openBrowser(running)
    await browser.open('/login')
    await browser.submit({ username: 'ada', password })
    const wrong = await finishRestore([], 'another sealing key for tests: 9876 zyxw')
    assert.match(wrong.stderr, /were encrypted with a different key/)
    const { code, stdout } = await finishRestore(['--keep-sessions'])
    assert.equal(code, 0)
    assert.match(
      stdout,
      /^kept all sessions: .*\nno mails waited, .*\nNow start the servers, .*\n$/,
    )
    assert.equal((await send('GET', '/users/me', { bearer })).status, 200)
    await browser.open('/account')
    assert.equal(browser.at(), '/account')
    const entries = await stage.sql("select detail from audit where event = 'database_restored'")
    assert.equal(entries.length, 1)
  })
})
