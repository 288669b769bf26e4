// Measures revocations per second on PostgreSQL with slow commits, and what 1,000 readers of
// GET /revocations at another process cost.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { howToGetPostgres, startPostgres } from '../../packages/server/test-support/postgres.ts'
import { withTemporaryFolder } from '../folder.ts'
import { stringMember } from '../json.ts'
import { openLoad, requestBytes } from '../load.ts'
import { versionsOf } from '../machine.ts'
import { withServers, type Effort } from '../measure.ts'
import { nodeProgram, residentMebibytes, type ServerProcess } from '../process.ts'
import type { Findings, Row } from '../result.ts'
import { prepareSessions } from '../sessions-at-rest.ts'
import { buildSlowSync, syncMilliseconds } from '../slow-sync.ts'
import { runCommand, standAlone } from '../stand-alone.ts'
import { summarize } from '../statistics.ts'

/** A client may have 100 readers. */
const clientIds = Array.from({ length: 10 }, (_, n) => `verifiers-${n}`)
/** How many clients revoke at the same time. */
const clients = 64
/** More revocations than the server makes. Each needs a session of its own. */
const maxRevocationsPerSecond = 2_500
const formType = { 'content-type': 'application/x-www-form-urlencoded' }
const memory = '/dev/shm'

interface Stage {
  /** The process that revokes, and the process that has the readers. */
  readonly revoker: ServerProcess
  readonly sender: ServerProcess
  /** The header `Authorization` of each client that reads revocations. */
  readonly authorizations: readonly string[]
  /** Returns the refresh token of another session each time. */
  nextToken(): string
}

/** The measurements with one number of readers. */
interface Seen {
  readonly readers: number
  readonly idleMebibytes: number
  /** The share of one core that the heartbeats use. */
  readonly idlePercent: number
  readonly revocationsPerSecond: number
  readonly busyPercent: number
  readonly busyMebibytes: number
  readonly milliseconds: readonly number[]
}

export async function feed(effort: Effort): Promise<Findings> {
  return withTemporaryFolder(async (folder) => {
    chmodSync(folder, 0o755) // PostgreSQL runs as another user, and loads the library from here
    const slow = buildSlowSync(folder)
    if ('reason' in slow) return findingsOf([], 0, {}, [slow.reason])
    const postgres = await startPostgres({
      durable: true,
      preload: slow.library,
      // In memory, so that a commit takes the simulated time and no more.
      ...(existsSync(memory) && { parent: memory }),
    })
    if (!postgres) return findingsOf([], 0, {}, [`PostgreSQL: ${howToGetPostgres}`])
    try {
      const { seen, floor } = await measureOn(postgres.url, folder, effort)
      return findingsOf(seen, floor, versionsOf(['pg']), [])
    } finally {
      await postgres.stop()
    }
  })
}

async function measureOn(
  server: string,
  folder: string,
  effort: Effort,
): Promise<{ readonly seen: readonly Seen[]; readonly floor: number }> {
  const [database, bareDatabase] = await createDatabases(server, ['keystile', 'bare'])
  if (database === undefined || bareDatabase === undefined) throw new Error('there must be two')
  const env = { KEYSTILE_DATABASE: database, KEYSTILE_KEY: randomBytes(32).toString('base64url') }
  const cwd = join(folder, 'server')
  mkdirSync(cwd)
  const authorizations = clientIds.map((id) => {
    const create = ['client', 'create', id, '--may', 'revocations', '--json']
    const secret = stringMember(JSON.parse(runCommand(create, cwd, env)), 'client_secret')
    return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
  })

  const unwaiting = new URL(database)
  unwaiting.searchParams.set('options', '-c synchronous_commit=off')
  const place = { database: unwaiting.href, key: env.KEYSTILE_KEY, bytes: async () => 0 }
  const seconds = effort.quick ? 0.2 : 6
  const needed = Math.ceil(maxRevocationsPerSecond * seconds * 2.5) // two turns with warm-ups
  const { refreshTokens } = await prepareSessions(place, effort.quick ? 1_000 : needed, true)
  let used = 0
  const nextToken = (): string => {
    const token = refreshTokens[used++]
    if (token === undefined) throw new RangeError('there must be more sessions than revocations')
    return token
  }

  const programs = { revoker: standAlone(cwd, env), sender: standAlone(cwd, env) }
  return withServers(
    programs,
    async ({ revoker, sender }) => {
      if (!revoker || !sender) throw new Error('both servers must run')
      const stage = { revoker, sender, authorizations, nextToken }
      const seen: Seen[] = []
      for (const readers of effort.quick ? [0, 20] : [0, 1_000])
        seen.push(await measure(stage, readers, seconds))
      return { seen, floor: await measureFloor(bareDatabase, seconds) }
    },
    '/healthz',
  )
}

/** Creates databases, and returns their URLs. */
async function createDatabases(
  server: string,
  names: readonly string[],
): Promise<readonly string[]> {
  const client = new pg.Client(server)
  await client.connect()
  for (const name of names) await client.query(`create database ${name}`)
  await client.end()
  return names.map((name) => new URL(`/${name}`, server).href)
}

/** Returns how often a second a handler commits that does nothing else. */
async function measureFloor(database: string, seconds: number): Promise<number> {
  const script = join(import.meta.dirname, '../servers/bare-commit.ts')
  const env = { DATABASE: database, TOKEN_BYTES: '100', INTROSPECTION_BYTES: '100' }
  const bare = { ...nodeProgram(script), env }
  const next = (): Buffer => requestBytes('POST /token', formType, 'refresh_token=x')
  return withServers(
    { bare },
    async (servers) => {
      const load = await openLoad({ port: servers['bare']?.port ?? 0, connections: clients })
      try {
        await load.run({ next, seconds: seconds / 5, expect: 200 })
        const run = await load.run({ next, seconds, expect: 200 })
        return run.answered / run.seconds
      } finally {
        load.close()
      }
    },
    '/',
  )
}

async function measure(stage: Stage, count: number, seconds: number): Promise<Seen> {
  const { revoker, sender, nextToken } = stage
  const next = (): Buffer => requestBytes('POST /revoke', formType, `token=${nextToken()}`)
  const readers = await openReaders(stage, count)
  const load = await openLoad({ port: revoker.port, connections: clients })
  try {
    await load.run({ next, seconds: seconds / 5, expect: 200 }) // warm-up
    await sleep(1_000)
    const percentOf = async (work: () => Promise<unknown>): Promise<number> => {
      const [before, since] = [sender.cpuMicroseconds(), performance.now()]
      await work()
      return (sender.cpuMicroseconds() - before) / ((performance.now() - since) * 10)
    }

    const idlePercent = await percentOf(() => sleep(seconds * 1_000))
    const idleMebibytes = residentMebibytes(sender.pid)
    const milliseconds = count === 0 ? [] : await timeArrivals(readers, stage, seconds)
    let revocationsPerSecond = 0
    const busyPercent = await percentOf(async () => {
      const { answered, seconds: taken } = await load.run({ next, seconds, expect: 200 })
      revocationsPerSecond = answered / taken
    })
    const busyMebibytes = residentMebibytes(sender.pid)
    return {
      readers: count,
      idleMebibytes,
      idlePercent,
      revocationsPerSecond,
      busyPercent,
      busyMebibytes,
      milliseconds,
    }
  } finally {
    load.close()
    for (const socket of readers) socket.destroy()
  }
}

/** Opens connections that read the revocations, those of one client at a time. */
async function openReaders(
  { sender, authorizations }: Stage,
  count: number,
): Promise<readonly Socket[]> {
  const sockets: Socket[] = []
  const openOne = async (request: Buffer): Promise<Socket> => {
    const socket = connect({ host: '127.0.0.1', port: sender.port }, () => socket.write(request))
    const [answer] = (await once(socket, 'data')) as [Buffer]
    if (!answer.toString('latin1').startsWith('HTTP/1.1 200 '))
      throw new Error(`a reader must get 200; it got ${answer.toString('latin1').slice(0, 200)}`)
    return socket.on('error', () => {}).resume()
  }
  for (const authorization of authorizations) {
    const request = requestBytes('GET /revocations', { authorization })
    const group = Math.min(100, count - sockets.length)
    sockets.push(...(await Promise.all(Array.from({ length: group }, () => openOne(request)))))
  }
  return sockets
}

/** Returns the milliseconds from sending a revocation until the last reader has it. */
async function timeArrivals(
  readers: readonly Socket[],
  { revoker, nextToken }: Stage,
  seconds: number,
): Promise<readonly number[]> {
  const milliseconds: number[] = []
  for (const end = performance.now() + seconds * 1_000; performance.now() < end;) {
    const arrived = untilRevocation(readers.at(-1))
    const since = performance.now()
    const body = new URLSearchParams({ token: nextToken() })
    const answer = await fetch(`http://127.0.0.1:${revoker.port}/revoke`, { method: 'POST', body })
    if (!answer.ok) throw new Error(`POST /revoke must succeed: ${answer.status}`)
    milliseconds.push((await arrived) - since)
    await sleep(50)
  }
  return milliseconds
}

/** Returns the time at which a reader gets a revocation. */
function untilRevocation(reader: Socket | undefined): Promise<number> {
  return new Promise((resolve) => {
    const listen = (chunk: Buffer): void => {
      if (!chunk.includes('event: revocation')) return
      reader?.off('data', listen)
      resolve(performance.now())
    }
    reader?.on('data', listen)
  })
}

function findingsOf(
  seen: readonly Seen[],
  floor: number,
  versions: Readonly<Record<string, string>>,
  skipped: readonly string[],
): Findings {
  const [alone] = seen
  const rows: Row[] = seen.map((each) => ({
    name: `${each.readers} readers`,
    cells: [
      summarize([each.revocationsPerSecond]),
      ...[50, 99].map((percent) =>
        each.milliseconds.length === 0 ? null : summarize([percentile(each.milliseconds, percent)]),
      ),
      summarize([each.idleMebibytes]),
      summarize([each.idlePercent]),
      summarize([each.busyMebibytes]),
      summarize([each.busyPercent]),
    ],
  }))
  if (alone)
    rows.push({
      name: 'bare commit',
      cells: [summarize([floor]), ...Array.from({ length: 6 }, () => null)],
    })
  return {
    title: 'The feed of revocations',
    method:
      `Two built servers on one PostgreSQL, whose disk takes ${syncMilliseconds} ms for each sync. ` +
      `${clients} clients of the first server end sessions with POST /revoke, each a session of its own. ` +
      'The readers are connected to the second server, and get each revocation. One revocation ' +
      'alone takes the given milliseconds from the request until the last reader has it. Memory ' +
      'and processor time, as a share of one core, are those of the second server: while only ' +
      'heartbeats are sent, and during the revocations. The readers run on the same ' +
      'machine, so there are fewer revocations with them. ' +
      'The bare commit is a node:http handler that updates a row, inserts another and commits, ' +
      'with as many connections to the database.',
    versions,
    table: {
      columns: [
        'readers',
        'revocations a second',
        'one revocation, ms, median',
        'p99',
        'memory when idle, MiB',
        'core when idle, %',
        'memory under load, MiB',
        'core under load, %',
      ],
      rows,
    },
    bars: alone
      ? [
          {
            promise: `revocations a second with ${alone.readers} readers`,
            measured: alone.revocationsPerSecond,
            atLeast: 1_000,
          },
        ]
      : [],
    skipped,
    plot: {
      title: 'Revocations a second',
      unit: `at ${syncMilliseconds} ms a commit`,
      groups: [
        {
          name: 'More is better',
          items: seen.map(({ readers, revocationsPerSecond }) => ({
            name: `${readers} readers`,
            value: summarize([revocationsPerSecond]),
            isOurs: true,
          })),
        },
      ],
    },
  }
}

function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.ceil((sorted.length * percent) / 100) - 1] ?? Number.NaN
}
