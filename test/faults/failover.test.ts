// Three servers on a PostgreSQL cluster whose primary fails again and again: nothing that was
// acknowledged is lost, and no token of an ended session is accepted.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { openingOf, refreshOf, send, startClients, type Clients } from './cluster/clients.ts'
import { startJudge, type Judge } from './cluster/judge.ts'
import { faults, startPatroni, type PatroniCluster } from './cluster/patroni.ts'
import { openPrograms, waitUntil, whyNoPrograms } from './cluster/programs.ts'
import { startPgBouncer, startPrimaryProxy } from './cluster/proxies.ts'
import { startServers } from './cluster/servers.ts'
import { startYardstick, type Yardstick } from './cluster/yardstick.ts'

const isLong = Boolean(process.env['KEYSTILE_LONG'])
const rounds = Number(process.env['KEYSTILE_ROUNDS'] ?? 20)
const reason = isLong ? whyNot() : undefined
const skip = isLong ? (reason ?? false) : 'KEYSTILE_LONG=1 runs it'
if (reason) console.error(`\n*** No failover of a PostgreSQL cluster is tested: ${reason}. ***\n`)
if (reason && process.env['CI'] === 'true') throw new Error(`${reason}, and CI=true`)

function whyNot(): string | undefined {
  const packages = {
    patroni: 'patroni python3-etcd',
    etcd: 'etcd-server',
    haproxy: 'haproxy',
    pgbouncer: 'pgbouncer',
    '/usr/lib/postgresql/*/bin/initdb': 'postgresql',
  }
  return whyNoPrograms(packages)
}

const clientCount = 8

/** Servers on one way to the database, their clients, and a yardstick on the same way. */
interface Way {
  readonly name: string
  readonly urls: readonly string[]
  readonly clients: Clients
  readonly judge: Judge
  readonly yardstick: Yardstick
}

/** Starts the clients of servers that run. */
async function startWay(
  name: string,
  { urls, database }: { readonly urls: readonly string[]; readonly database: string },
  signal: AbortSignal,
): Promise<Way> {
  const clients = startClients(urls, clientCount, signal)
  const judge = startJudge(urls, clients.ledger.sessions, signal)
  return { name, urls, clients, judge, yardstick: await startYardstick(database, signal) }
}

/** When a failover began, and when everything wrote again, by `performance.now()`. */
interface Outage {
  readonly from: number
  readonly until: number
}

/** The longest times without a write in a round, in seconds. */
interface Gaps {
  readonly bare: number
  /** Of the server that needed the longest time. */
  readonly keystile: number
}

function gapsOf({ clients, yardstick }: Way, from: number): Gaps {
  return {
    bare: yardstick.pulse.longestGap(from) / 1_000,
    keystile: Math.max(...clients.pulses.map((pulse) => pulse.longestGap(from))) / 1_000,
  }
}

/** Breaks the primary, waits until everything writes again, and repairs the cluster. */
async function failOver(
  cluster: PatroniCluster,
  ways: readonly Way[],
  round: number,
): Promise<Outage & { readonly gaps: readonly Gaps[] }> {
  const fault = faults[round % faults.length] ?? 'kill'
  const from = performance.now()
  const broken = await cluster.break(fault)
  await waitUntil(`no other node became the primary after ${fault}`, async () => {
    const primary = await cluster.findPrimary()
    return primary !== undefined && primary !== broken
  })
  const promotedAt = performance.now()
  const pulses = ways.flatMap(({ clients, yardstick }) => [...clients.pulses, yardstick.pulse])
  await waitUntil(`not everything writes again after ${fault}`, async () =>
    pulses.every(({ last }) => last > promotedAt),
  )
  const until = performance.now()
  await delay(1_000)
  const gaps = ways.map((way) => gapsOf(way, from))
  await cluster.repair()
  const told = ways.map(({ name }, n) => {
    const { bare = NaN, keystile = NaN } = gaps[n] ?? {}
    return `${name}: pg ${bare.toFixed(1)} s, Keystile ${keystile.toFixed(1)} s`
  })
  console.log(`${round + 1} ${fault}: longest time without a write ${told.join('; ')}`)
  return { gaps, from, until }
}

/** Compares what was acknowledged with the database and with what the servers answer. */
async function verify(way: Way, database: string, outages: readonly Outage[]): Promise<void> {
  const { clients, judge, yardstick, urls, name } = way
  const { ledger, ask } = clients
  await clients.stop()
  await judge.stop()
  const bare = await yardstick.finish()
  const ended = ledger.sessions.filter(({ endedAt }) => endedAt !== undefined)
  const living = ledger.sessions.filter(({ endedAt }) => endedAt === undefined)
  console.log(
    `${name}: ${ledger.users.length} users, ${ledger.sessions.length} sessions, ` +
      `${ended.length} of them ended; ${judge.refusals} times refused; ` +
      `bare pg: ${bare.acknowledged} rows; answers:`,
    Object.fromEntries(ledger.answers),
  )

  assert.equal(bare.lost, 0, 'the cluster itself has lost writes')
  assert.deepEqual(ledger.wrong, [])
  assertRefused(judge, outages)
  assert.ok(judge.refusals > 0 && ended.length > 0 && living.length > 0)

  const client = new pg.Client({ connectionString: database, options: '-c search_path=keystile' })
  await client.connect()
  try {
    const count = async (text: string, values: readonly string[]): Promise<number> =>
      Number((await client.query<{ count: string }>(text, [values])).rows[0]?.count)
    const users = 'select count(*) from "user" where username = any($1)'
    assert.equal(await count(users, ledger.users), ledger.users.length)
    const open = 'select count(*) from session where ended_at is null and id = any($1)'
    const idsOf = (of: typeof ended): readonly string[] => of.map(({ tokens }) => tokens.sessionId)
    assert.equal(await count(open, idsOf(ended)), 0)
    assert.equal(await count(open, idsOf(living)), living.length)
  } finally {
    await client.end()
  }
  for (const session of living) {
    const { answer } = await ask(refreshOf(session))
    assert.equal(answer.status, 200, answer.text)
  }
  for (const session of ended.slice(-200)) {
    const { answer } = await ask(refreshOf(session))
    assert.equal(answer.status, 400, answer.text)
    for (const url of urls) assert.equal((await send(url, openingOf(session)))?.status, 401)
  }
}

/**
 * A server that does not reach the database goes on for 4 s before it answers 503. So if a failover
 * begins before a server has read the end of a session, the server accepts its tokens for up to
 * 4 s. At any other time, it must refuse them after a second.
 */
function assertRefused({ lateAccepts }: Judge, outages: readonly Outage[]): void {
  const wrong = lateAccepts.filter(
    ({ seconds, askedAt }) =>
      seconds > 4 || !outages.some(({ from, until }) => from < askedAt && askedAt < until),
  )
  assert.deepEqual(wrong, [])
  const sessions = new Set(lateAccepts.map(({ sessionId }) => sessionId))
  if (sessions.size > 0)
    console.log(
      `a failover began before a server had read the end of ${sessions.size} sessions: their ` +
        `tokens were accepted for up to ` +
        `${Math.max(...lateAccepts.map(({ seconds }) => seconds)).toFixed(1)} s`,
    )
}

const timeout = 600_000 + rounds * 300_000

describe('a PostgreSQL cluster whose primary fails', { skip, timeout }, () => {
  it(`${rounds} failovers lose no acknowledged write and accept no revoked token`, async () => {
    const programs = openPrograms()
    const ending = new AbortController()
    try {
      const cluster = await startPatroni(programs)
      await cluster.createDatabase('direct')
      await cluster.createDatabase('pooled')
      const primary = await startPrimaryProxy(programs, cluster.nodes)
      const { port: pooler } = await startPgBouncer(programs, { port: primary, user: 'pooled' })
      const directUrl = `postgres://direct@127.0.0.1:${primary}/direct`
      const pooledUrl = `postgres://pooled@127.0.0.1:${pooler}/pooled`
      const direct = await startServers(programs, { name: 'direct', database: directUrl })
      const pooled = await startServers(programs, { name: 'pooled', database: pooledUrl })
      const ways = [
        await startWay('direct', direct, ending.signal),
        await startWay('PgBouncer', pooled, ending.signal),
      ] as const
      await delay(3_000)

      const told: (Outage & { readonly gaps: readonly Gaps[] })[] = []
      for (let round = 0; round < rounds; round++) told.push(await failOver(cluster, ways, round))
      for (const [n, { name }] of ways.entries()) {
        const more = told.map(({ gaps }) => (gaps[n]?.keystile ?? NaN) - (gaps[n]?.bare ?? NaN))
        const within = more.filter((seconds) => seconds <= 2).length
        console.log(
          `${name}: Keystile needs at most ${Math.max(...more).toFixed(1)} s more than bare pg; ` +
            `at most 2 s more in ${within} of ${rounds} failovers`,
        )
      }
      await verify(ways[0], directUrl, told)
      await verify(ways[1], pooledUrl.replace(`:${pooler}/`, `:${primary}/`), told)
    } catch (error) {
      console.log(programs.readLogs())
      throw error
    } finally {
      ending.abort()
      await programs.stop()
    }
  })
})
