// PostgreSQL is away for a while: its connections end, and it accepts no new ones.
import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createVerifier } from 'keystile'
import { silentLogger, type Logger } from 'keystile/internal'
import { describeOnBoth, type TestKeystile } from '../../packages/server/test-support/keystile.ts'
import { until } from '../../tools/until.ts'
import { judge } from './feed-process.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

const isLong = Boolean(process.env['KEYSTILE_LONG'])
const outages = isLong ? 20 : 1
/** Longer than the four seconds for which a guard accepts tokens without news. */
const awaySeconds = isLong ? 10 : 5
/** A guard may accept a revoked token for this time. */
const staleWithinMilliseconds = 5_000

/** What the clients of a server were answered. */
interface Told {
  readonly statuses: Map<string, number>
}

/** Sends requests one after the other until `isOver`. */
async function live(
  { login, refresh, send }: TestKeystile,
  name: string,
  { statuses }: Told,
  isOver: () => boolean,
): Promise<void> {
  const count = (what: string, status: number): void =>
    void statuses.set(`${what} ${status}`, (statuses.get(`${what} ${status}`) ?? 0) + 1)
  let tokens: { readonly access: string; readonly refresh: string } | undefined
  while (!isOver()) {
    const answer = tokens ? await refresh(tokens.refresh) : await login({ username: name })
    count(tokens ? 'refresh' : 'login', answer.status)
    const { access_token: access, refresh_token: next } = answer.json
    if (answer.status === 200) tokens = { access, refresh: next }
    if (tokens) {
      const guarded = await send('GET', '/users/me', { bearer: tokens.access })
      count('guard', guarded.status)
    }
    await delay(20)
  }
}

describeOnBoth('a PostgreSQL that is away', (stage) => {
  if (stage.kind === 'SQLite') return // a file is never away

  async function start(t: TestContext): Promise<{
    readonly direct: TestKeystile
    readonly away: TestKeystile
    readonly proxy: TcpProxy
    /** The errors that the server without PostgreSQL has logged as warnings or errors. */
    readonly logged: readonly Error[]
  }> {
    const direct = await stage.start()
    const proxy = await startTcpProxy()
    t.after(() => proxy.close())
    const url = new URL(stage.database)
    proxy.target = Number(url.port)
    url.port = String(proxy.port)
    const logged: Error[] = []
    const log = ({ err }: { readonly err?: Error }): void => void (err && logged.push(err))
    const logger = { ...silentLogger, warn: log, error: log } as Logger
    const away = await stage.start({ database: url.href, graceSeconds: 60, logger })
    t.after(() => away.keystile.close())
    return { direct, proxy, away, logged }
  }

  it('without PostgreSQL, guards admit callers for 4 s, and then answer 503', async (t) => {
    const { direct, away, proxy, logged } = await start(t)
    const names = ['ada', 'bob', 'eve', 'joe'].slice(0, isLong ? 4 : 2)
    for (const name of names) await direct.tokens(name)
    const [valid, keys] = [
      await direct.accessToken('ida'),
      (await direct.send('GET', '/.well-known/jwks.json')).json,
    ]
    const { issuer } = direct.keystile
    const elsewhere = createVerifier({
      issuer,
      audience: issuer,
      keys: keys as never,
      revocations: 'none',
    })
    const told: Told = { statuses: new Map() }
    let isOver = false
    t.after(() => void (isOver = true))
    const clients = names.map((name) => live(away, name, told, () => isOver))
    const back: number[] = []

    for (let outage = 0; outage < outages; outage++) {
      const missed = await direct.tokens('ida')
      assert.equal(await judge(away.keystile.verifier, missed.accessToken), 'accepted')
      proxy.cut()
      const cutAt = performance.now()
      await direct.keystile.sessions.revoke(missed.sessionId)
      const verdicts = new Set<string>()
      let acceptedAt = 0
      while (performance.now() - cutAt < awaySeconds * 1000) {
        const at = performance.now()
        const verdict = await judge(away.keystile.verifier, missed.accessToken)
        verdicts.add(verdict)
        if (verdict === 'accepted') acceptedAt = at
        assert.equal(await judge(elsewhere, valid), 'accepted')
        await delay(20)
      }
      assert.deepEqual(verdicts, new Set(['accepted', 'revocations_unavailable']))
      assert.ok(acceptedAt - cutAt <= staleWithinMilliseconds)
      const refused = await away.login({ username: 'ada' })
      assert.equal(refused.status, 503)
      assert.equal(refused.headers.get('retry-after'), '1')
      assert.deepEqual(await away.findUnreadiness(), ['the database does not answer'])

      proxy.restore()
      const backAt = performance.now()
      await until(async () => (await away.login({ username: 'ada' })).status === 200)
      back.push(Math.round(performance.now() - backAt))
      await until(async () => (await judge(away.keystile.verifier, valid)) === 'accepted')
      assert.equal(await judge(away.keystile.verifier, missed.accessToken), 'revoked')
      assert.deepEqual(await away.findUnreadiness(), [])
    }

    isOver = true
    await Promise.all(clients)
    for (const what of told.statuses.keys()) assert.match(what, /^\w+ (200|503)$/)
    const place = `PostgreSQL at ${new URL(stage.database).hostname}:${proxy.port}/`
    assert.ok(logged.length > 0)
    for (const { message, stack } of logged) {
      assert.ok(message.startsWith(place), message)
      assert.match(message, /\. Fix: /)
      assert.equal(stack, undefined)
    }
    if (isLong)
      console.log(
        `${outages} outages of ${awaySeconds} s: ${JSON.stringify(Object.fromEntries(told.statuses))}; ` +
          `the next login succeeds after ${back.toSorted((a, b) => a - b).join(', ')} ms`,
      )
  })
})
