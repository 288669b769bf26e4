// Tests verifiers that read the revocation feed of a real server. Whatever is down, they accept a
// revoked token only as long as docs/explanations/revocation.md says.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createVerifier, type Verifier } from 'keystile'
import { decodeJwtUnsafe } from 'keystile/jwt'
import { callCommand } from '../../packages/server/test-support/command.ts'
import {
  describeOnBoth,
  key,
  startKeystile,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { serveOnSocket } from '../../packages/server/test-support/revocation-reader.ts'
import { until } from '../../tools/until.ts'
import { judge, startServerProcess, startVerifierProcess, type Verdict } from './feed-process.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

const isLong = Boolean(process.env['KEYSTILE_LONG'])
type WhenStale = 'accept' | 'refuse'
type Options = Parameters<typeof startVerifierProcess>[0]

interface FixedTokens {
  readonly 1: readonly [string]
  readonly 2: readonly [string, string]
  readonly 3: readonly [string, string, string]
  readonly 4: readonly [string, string, string, string]
}

interface Stage {
  readonly proxy: TcpProxy
  readonly issuer: string
  readonly server: TestKeystile
  /** Returns the options of a verifier with a feed. */
  options(whenStale: WhenStale): Options
  /** Makes a verifier in this process, which has loaded the revocations. */
  verifier(whenStale: WhenStale): Promise<Verifier>
  /** Returns tokens of new sessions. */
  tokens<Count extends 1 | 2 | 3 | 4>(count: Count): Promise<FixedTokens[Count]>
  /** Ends the session of a token, at the server of this process. */
  revoke(token: string): Promise<void>
}

/** Puts a server behind a proxy. Its clients reach it by the port of the proxy. */
async function open(
  t: TestContext,
  start: (options: { readonly issuer: string }) => Promise<TestKeystile>,
): Promise<Stage> {
  const proxy = await startTcpProxy()
  const issuer = `http://127.0.0.1:${proxy.port}/auth`
  const server = await start({ issuer })
  const served = await serveOnSocket(server.keystile)
  t.after(() => served.close())
  proxy.target = served.port

  const id = { id: 'orders', grants: [], may: ['revocations'] } as const
  const { client_id: clientId = '', client_secret: clientSecret = '' } = await server.addClient(id)
  const options = (whenStale: WhenStale): Options => ({
    issuer,
    audience: issuer,
    revocations: { clientId, clientSecret, whenStale },
  })
  const sessions = new Map<string, string>()
  return {
    proxy,
    issuer,
    server,
    options,
    async verifier(whenStale) {
      const verifier = createVerifier(options(whenStale))
      t.after(() => verifier.close())
      await verifier.ready()
      return verifier
    },
    async tokens<Count extends 1 | 2 | 3 | 4>(count: Count) {
      const tokens: string[] = []
      while (tokens.length < count) {
        // A user has a limited number of sessions.
        const { accessToken, sessionId } = await server.tokens(`user${sessions.size >> 4}`)
        sessions.set(accessToken, sessionId)
        tokens.push(accessToken)
      }
      return tokens as unknown as FixedTokens[Count]
    },
    async revoke(token) {
      await server.keystile.sessions.revoke(sessions.get(token) ?? assert.fail())
    },
  }
}

/** Opens a stage on a new SQLite file. */
async function openOnSqlite(
  t: TestContext,
  more: Partial<Parameters<typeof startKeystile>[0]> = {},
): Promise<Stage & { readonly database: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'keystile-feed-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const database = join(folder, 'keystile.db')
  const stage = await open(t, async (options) => {
    const server = await startKeystile({ database, ...options, ...more })
    t.after(() => server.keystile.close())
    return server
  })
  return { ...stage, database }
}

/** The verdicts about a token, each with the time at which it was asked for. */
type Verdicts = readonly Verdict[]

/** Asks a verifier about a token again and again until `stop` is called, or the test ends. */
function watch(verifier: Verifier, token: string): { stop(): Promise<Verdicts> } {
  const verdicts: Verdict[] = []
  const stopping = new AbortController()
  after(() => stopping.abort()) // after the test
  const running = (async () => {
    while (!stopping.signal.aborted) {
      const at = Date.now()
      verdicts.push({ at, verdict: await judge(verifier, token) })
      await delay(10)
    }
  })()
  return {
    async stop() {
      stopping.abort()
      await running
      return verdicts
    },
  }
}

const kindsOf = (verdicts: Verdicts): ReadonlySet<string> =>
  new Set(verdicts.map(({ verdict }) => verdict))

/** Returns the time of the last verdict `accepted`. */
const lastAccepted = (verdicts: Verdicts): number =>
  Math.max(0, ...verdicts.filter(({ verdict }) => verdict === 'accepted').map(({ at }) => at))

/** The contract: a verifier knows within this time that its feed is lost. */
const staleWithinMilliseconds = 5_000

describeOnBoth('verifiers in other processes', (databases) => {
  const count = isLong ? 1_000 : 4
  const inTime = isLong ? ' within a second, on a quiet machine' : ''
  it(`three verifiers in other processes refuse a revoked token${inTime}`, async (t) => {
    const stage = await open(t, (options) => databases.start(options))
    const processes = await Promise.all(
      Array.from({ length: 3 }, () => startVerifierProcess(stage.options('refuse'))),
    )
    t.after(() => Promise.all(processes.map((process) => process.kill())))
    const tokens: string[] = []
    for (let n = 0; n < count; n++) tokens.push(...(await stage.tokens(1)))
    const { sentBytes } = stage.proxy
    const delays: number[] = []
    for (const token of tokens) {
      for (const { verdict } of await Promise.all(
        processes.map((process) => process.ask({ token, now: true })),
      ))
        assert.equal(verdict, 'accepted')
      const refused = processes.map((process) => process.ask({ token }))
      const begin = Date.now()
      await stage.revoke(token)
      for (const { verdict, at } of await Promise.all(refused)) {
        assert.equal(verdict, 'revoked')
        delays.push(at - begin)
      }
    }
    assert.equal(stage.proxy.sentBytes, sentBytes, 'a check must not send anything to the server')

    delays.sort((a, b) => a - b)
    const [p50, p99] = [0.5, 0.99].map((part) => delays[Math.floor(part * delays.length)])
    const most = delays.at(-1) ?? 0
    t.diagnostic(`${databases.kind}: p50 ${p50} ms, p99 ${p99} ms, at most ${most} ms`)
    if (isLong) assert.ok(most <= 1_000, 'a revocation must arrive within a second')
  })

  it('after a database restore, a verifier still refuses all revoked tokens', async (t) => {
    const stage = await open(t, (options) => databases.start(options))
    const [kept, lost, later, valid] = await stage.tokens(4)
    const verifier = await stage.verifier('refuse')
    await stage.revoke(kept)
    await stage.revoke(lost)
    for (const token of [kept, lost])
      await until(async () => (await judge(verifier, token)) === 'revoked')

    // As a restored copy would, the database forgets the second event.
    await databases.sql('delete from event where seq > 1')
    await databases.sql('update feed set seq = 1')
    stage.proxy.cut()
    stage.proxy.restore()
    await stage.revoke(later)
    await until(async () => (await judge(verifier, later)) === 'revoked')
    for (const token of [kept, lost]) assert.equal(await judge(verifier, token), 'revoked')
    assert.equal(await judge(verifier, valid), 'accepted')
  })
})

describe('verifiers with a feed', { concurrency: 4, timeout: 600_000 }, () => {
  for (const seconds of isLong ? [6, 60] : [6]) {
    it(`after ${seconds} s offline, verifiers connect again and get all revocations`, async (t) => {
      const stage = await openOnSqlite(t)
      const [known, valid, missed] = await stage.tokens(3)
      const verifiers = [await stage.verifier('refuse'), await stage.verifier('accept')] as const
      await stage.revoke(known)
      for (const verifier of verifiers)
        await until(async () => (await judge(verifier, known)) === 'revoked')

      const watches = verifiers.map((verifier) => ({
        known: watch(verifier, known),
        valid: watch(verifier, valid),
        missed: watch(verifier, missed),
      }))
      stage.proxy.cut()
      const cutAt = Date.now()
      await stage.revoke(missed)
      await delay(seconds * 1000)
      for (const verifier of verifiers) assert.equal(verifier.state, 'stale')
      stage.proxy.restore()
      for (const verifier of verifiers) await until(() => verifier.state === 'current')
      const backAt = Date.now()
      for (const verifier of verifiers) {
        assert.equal(await judge(verifier, missed), 'revoked')
        assert.equal(await judge(verifier, valid), 'accepted')
      }

      const [refusing = assert.fail(), accepting = assert.fail()] = watches
      const unknown = 'revocations_unavailable'
      assert.deepEqual(kindsOf(await refusing.known.stop()), new Set(['revoked', unknown]))
      assert.deepEqual(kindsOf(await refusing.valid.stop()), new Set(['accepted', unknown]))
      const staleAt = cutAt + staleWithinMilliseconds
      assert.ok(lastAccepted(await refusing.missed.stop()) <= staleAt)
      assert.deepEqual(kindsOf(await accepting.known.stop()), new Set(['revoked']))
      assert.deepEqual(kindsOf(await accepting.valid.stop()), new Set(['accepted']))
      assert.ok(lastAccepted(await accepting.missed.stop()) <= backAt)
    })
  }

  it('a verifier refuses tokens that were revoked while the network was cut', async (t) => {
    const stage = await openOnSqlite(t)
    const [valid, missed] = await stage.tokens(2)
    const verifier = await stage.verifier('refuse')
    stage.proxy.cut()
    const cutAt = Date.now()
    const watches = [valid, missed].map((token) => watch(verifier, token))
    await stage.revoke(missed)
    await delay(3_000)
    stage.proxy.restore()
    await until(async () => (await judge(verifier, missed)) === 'revoked')
    await until(async () => (await judge(verifier, valid)) === 'accepted')
    const [ofValid, ofMissed] = await Promise.all(watches.map((each) => each.stop()))
    assert.ok(ofValid && ofMissed)
    assert.ok(!kindsOf(ofValid).has('revoked'))
    assert.ok(lastAccepted(ofMissed) <= cutAt + staleWithinMilliseconds)
  })

  it('a verifier notices a half-open connection, and connects again', async (t) => {
    const stage = await openOnSqlite(t)
    const [valid, missed] = await stage.tokens(2)
    const verifiers = [await stage.verifier('refuse'), await stage.verifier('accept')] as const
    stage.proxy.freeze()
    const frozenAt = Date.now()
    const watches = verifiers.map((verifier) => watch(verifier, missed))
    await stage.revoke(missed)
    for (const verifier of verifiers) {
      await until(async () => (await judge(verifier, missed)) === 'revoked')
      assert.equal(await judge(verifier, valid), 'accepted')
    }
    const [refusing] = await Promise.all(watches.map((each) => each.stop()))
    assert.ok(refusing)
    assert.ok(lastAccepted(refusing) <= frozenAt + staleWithinMilliseconds)
  })

  it('a verifier refuses a revoked token even if the delay of events keeps growing', async (t) => {
    const stage = await openOnSqlite(t)
    const [missed] = await stage.tokens(1)
    const verifier = await stage.verifier('refuse')
    assert.equal(await judge(verifier, missed), 'accepted')
    stage.proxy.drip()
    // Meanwhile a piece arrives each two seconds, but the issuer sends one each second.
    await delay(12_000)
    await stage.revoke(missed)
    const revokedAt = Date.now()
    const verdicts = watch(verifier, missed)
    await delay(2 * staleWithinMilliseconds)
    assert.ok(lastAccepted(await verdicts.stop()) <= revokedAt + staleWithinMilliseconds)
  })

  it('after a server is killed, a verifier gets revocations from the next server', async (t) => {
    const stage = await openOnSqlite(t)
    const [first, second, valid] = await stage.tokens(3)
    const settings = { database: stage.database, issuer: stage.issuer }
    const killed = await startServerProcess(settings)
    t.after(() => killed.kill())
    stage.proxy.cut()
    stage.proxy.target = killed.port
    stage.proxy.restore()
    const verifier = await stage.verifier('refuse')
    await stage.revoke(first)
    await until(async () => (await judge(verifier, first)) === 'revoked')

    await killed.kill()
    await stage.revoke(second)
    const next = await startServerProcess(settings)
    t.after(() => next.kill())
    stage.proxy.target = next.port
    await until(async () => (await judge(verifier, second)) === 'revoked')
    assert.equal(await judge(verifier, first), 'revoked')
    await until(async () => (await judge(verifier, valid)) === 'accepted')
  })

  it('a verifier that replaces a killed one refuses all revoked tokens', async (t) => {
    const stage = await openOnSqlite(t)
    const [revoked, missed, valid] = await stage.tokens(3)
    const killed = await startVerifierProcess(stage.options('refuse'))
    t.after(() => killed.kill())
    await stage.revoke(revoked)
    assert.equal((await killed.ask({ token: revoked })).verdict, 'revoked')
    await killed.kill()
    await stage.revoke(missed)
    const next = await startVerifierProcess(stage.options('refuse'))
    t.after(() => next.kill())
    for (const [token, verdict] of [
      [revoked, 'revoked'],
      [missed, 'revoked'],
      [valid, 'accepted'],
    ] as const)
      assert.equal((await next.ask({ token, now: true })).verdict, verdict)
  })

  it('a verifier that was paused does not trust old heartbeats in its socket buffer', async (t) => {
    const stage = await openOnSqlite(t)
    const [missed, valid] = await stage.tokens(2)
    const paused = await startVerifierProcess(stage.options('refuse'))
    t.after(() => paused.kill())
    assert.equal((await paused.ask({ token: missed, now: true })).verdict, 'accepted')
    const { accepted } = stage.proxy
    paused.freeze()
    await delay(3_000)
    await stage.revoke(missed)
    await delay(2_500)
    paused.thaw()
    assert.notEqual((await paused.ask({ token: missed, now: true })).verdict, 'accepted')
    await until(async () => (await paused.ask({ token: valid, now: true })).verdict === 'accepted')
    assert.equal((await paused.ask({ token: missed, now: true })).verdict, 'revoked')
    assert.ok(stage.proxy.accepted > accepted) // on a busy machine, more than one
  })

  it('a verifier that starts offline gets the revocations as soon as it can connect', async (t) => {
    const stage = await openOnSqlite(t)
    const [revoked, valid] = await stage.tokens(2)
    await stage.revoke(revoked)
    const keys = (await stage.server.send('GET', '/.well-known/jwks.json')).json as never
    stage.proxy.cut()
    const starting = (whenStale: WhenStale): Verifier => {
      const verifier = createVerifier({ ...stage.options(whenStale), keys })
      t.after(() => verifier.close())
      return verifier
    }
    const [refusing, accepting] = [starting('refuse'), starting('accept')]
    for (const verifier of [refusing, accepting]) {
      await assert.rejects(verifier.ready(), /cannot be reached/)
      assert.equal(verifier.state, 'starting')
      assert.equal(await judge(verifier, valid), 'revocations_unavailable')
    }
    await until(() => refusing.state === 'stale' && accepting.state === 'stale')
    assert.equal(await judge(refusing, revoked), 'revocations_unavailable')
    assert.equal(await judge(accepting, revoked), 'accepted')
    stage.proxy.restore()
    for (const verifier of [refusing, accepting]) {
      await until(() => verifier.state === 'current')
      assert.equal(await judge(verifier, revoked), 'revoked')
      assert.equal(await judge(verifier, valid), 'accepted')
    }
  })

  it('once an operator revokes a signing key, a verifier refuses the key’s tokens', async (t) => {
    const stage = await openOnSqlite(t)
    const [token] = await stage.tokens(1)
    const verifier = await stage.verifier('refuse')
    assert.equal(await judge(verifier, token), 'accepted')
    const env = {
      KEYSTILE_DATABASE: stage.database,
      KEYSTILE_ISSUER: stage.issuer,
      KEYSTILE_KEY: key,
    }
    const kid = String(decodeJwtUnsafe(token).header['kid'])
    const { code, stderr } = await callCommand(['key', 'revoke', kid], { cwd: tmpdir(), env })
    assert.equal(code, 0, stderr)
    // The verifier has not fetched the keys again: it learns it by the feed.
    await until(async () => (await judge(verifier, token)) === 'revoked')
  })

  it('revocations reach a verifier even if the issuer’s clock jumps by 30 seconds', async (t) => {
    let offset = 0
    const stage = await openOnSqlite(t, { clock: { now: () => Date.now() + offset } })
    const tokens = await stage.tokens(3)
    const verifier = await stage.verifier('refuse')
    for (const [index, token] of tokens.entries()) {
      offset = [0, 30_000, -30_000][index] ?? 0
      assert.equal(verifier.state, 'current')
      assert.equal(await judge(verifier, token), 'accepted')
      await stage.revoke(token)
      await until(async () => (await judge(verifier, token)) === 'revoked')
    }
    for (const token of tokens) assert.equal(await judge(verifier, token), 'revoked')
  })
})
