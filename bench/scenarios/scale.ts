// Measures what many users cost: the same requests at 10⁶ users with 5·10⁶ sessions and at 10³
// users with 5·10³ sessions, and several servers on one PostgreSQL.
import { totalmem } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { howToGetPostgres, startPostgres } from '../../packages/server/test-support/postgres.ts'
import { withTemporaryFolder } from '../folder.ts'
import { openLoad, type Chain } from '../load.ts'
import {
  asksOfUsers,
  bytesOfRows,
  cheapLogins,
  createDatabase,
  fillStage,
  measureHousekeeping,
  realLogins,
  refreshes,
  type Stage,
} from '../many-users.ts'
import { connections, measureInTurns, withServers } from '../measure.ts'
import type { Effort, Lane, Measured } from '../measure.ts'
import {
  cpuMicrosecondsWithChildren,
  nodeProgram,
  parentOf,
  residentMebibytes,
  type Program,
  type ServerProcess,
} from '../process.ts'
import type { Findings, Row } from '../result.ts'
import { bytesOfRevocation } from '../revocations-in-memory.ts'
import { summarize, summarizePairs, type Summary } from '../statistics.ts'

const fewUsers = 1_000
const manyUsers = 1_000_000
/** More users than a server keeps in memory, so that each request reads the database. */
const usersInTurn = 12_000
/** The longest turn, so that the run ends within a quarter of an hour. */
const longestTurnSeconds = 1.2
/** The sessions that housekeeping deletes, each with two refresh tokens. */
const expiredSessions = 10_000
/** How much more a request may cost in the large database. */
const maxRatio = 1.1

/** So few that no login must wait for another one for long: it would be refused after 2 s. */
const loginConnections = 4

const tables = ['user', 'session', 'refresh_token', 'audit', 'event', 'rate'] as const
const login = 'login'
const cheapLogin = 'login without the hash'
const refresh = 'refresh'
const me = 'GET /users/me'
const works = [login, cheapLogin, refresh, me] as const
type Work = (typeof works)[number]

/** A stage whose server runs. */
interface Running extends Stage {
  readonly server: ServerProcess
  readonly requests: Readonly<Record<Exclude<Work, typeof refresh>, readonly Buffer[]>>
  readonly chain: Chain
}

export async function scale(effort: Effort): Promise<Findings> {
  const users = effort.users ?? (effort.quick ? 5_000 : manyUsers)
  const revocation = bytesOfRevocation(effort.quick ? 10_000 : 200_000)
  const short = { ...effort, users, seconds: Math.min(effort.seconds, longestTurnSeconds) }
  // One kind after the other, so that each can use the whole memory of the machine.
  const results = [
    await withTemporaryFolder((folder) =>
      measureKind('SQLite', (name) => join(folder, `${name}.db`), short),
    ),
  ]
  const settings = [
    `shared_buffers=${sharedMebibytes()}MB`,
    'max_wal_size=16GB',
    'checkpoint_timeout=1h',
  ]
  const postgres = await startPostgres({ durable: true, settings })
  try {
    if (postgres)
      results.push(
        await measureKind('PostgreSQL', (name) => createDatabase(postgres.url, name), short),
      )
    return {
      ...findingsOf(
        results.flatMap(({ stages }) => stages),
        {
          measured: new Map(results.flatMap(({ measured }) => [...measured])),
          several: new Map(results.flatMap(({ several }) => [...several])),
          bytes: new Map(results.flatMap(({ bytes }) => [...bytes])),
          deleted: new Map(results.flatMap(({ deleted }) => [...deleted])),
          revocation,
        },
      ),
      versions: await versionsOf(postgres?.url),
      skipped: postgres ? [] : [`PostgreSQL: ${howToGetPostgres}`],
    }
  } finally {
    await postgres?.stop()
  }
}

type KindResults = Omit<AllResults, 'revocation'> & { readonly stages: readonly Stage[] }

/** Fills a small and a large database of one kind, and measures them. */
async function measureKind(
  kind: Stage['kind'],
  create: (name: string) => string | Promise<string>,
  effort: Effort & { readonly users: number },
): Promise<KindResults> {
  const fill = async (users: number): Promise<Stage> =>
    fillStage(kind, users, await create(`users${users}`))
  const stages = [await fill(fewUsers), await fill(effort.users)] as const
  const [, large] = stages
  const bytes = new Map([[large, await bytesOfRows(large, tables)]])
  const [measured, several] = await measureStages(stages, effort)
  const rate = await measureHousekeeping(large, effort.quick ? 200 : expiredSessions)
  return { stages, measured, several, bytes, deleted: new Map([[large, rate]]) }
}

/** Returns a quarter of the memory of this machine, as the documentation of PostgreSQL advises. */
function sharedMebibytes(): number {
  return Math.floor(totalmem() / 4 / 2 ** 20)
}

async function versionsOf(url: string | undefined): Promise<Record<string, string>> {
  const versions = { SQLite: process.versions['sqlite'] ?? 'unknown' }
  if (url === undefined) return versions
  const { rows } = await ask(url, 'show server_version')
  return { ...versions, PostgreSQL: String(rows[0]?.['server_version']) }
}

async function ask(url: string, text: string): Promise<pg.QueryResult<Record<string, unknown>>> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return await client.query(text)
  } finally {
    await client.end()
  }
}

/** The names of the lanes of a stage. */
const laneOf = ({ kind, users }: Stage, work: string, howMany: number): string =>
  `${work}, ${kind}, ${users} users, ${howMany} connections`
const inTurnLane = ({ kind }: Stage): string => `other users, ${kind}`
const memoryOf = ({ kind, users }: Stage): string => `memory, ${kind}, ${users}`
const severalLane = (work: Work, servers: number): string =>
  `${work}, ${servers} server${servers === 1 ? '' : 's'}`

type AllMeasured = ReadonlyMap<string, Measured>

/** Measures these stages in turns. On PostgreSQL, then also one, two and three servers. */
async function measureStages(
  stages: readonly Stage[],
  effort: Effort,
): Promise<readonly [AllMeasured, ReadonlyMap<string, readonly number[]>]> {
  const large = stages.findLast(({ kind }) => kind === 'PostgreSQL')
  const programs = Object.fromEntries(
    stages.map((stage) => [`${stage.kind} ${stage.users}`, programOn(stage)]),
  )
  return withServers(
    programs,
    async (servers) => {
      const running: Running[] = []
      for (const stage of stages) {
        const own = servers[`${stage.kind} ${stage.users}`]!
        const server = stage.kind === 'PostgreSQL' ? await withPostgres(own, stage.database) : own
        running.push(await prepare(stage, server))
      }
      const measured = await measureInTurns(running.flatMap(lanesOf), effort)
      const inTurn = await measureUsersInTurn(running, effort)
      const first = running.find(({ database }) => database === large?.database)
      const several = first ? await measureServers(first, effort) : new Map()
      const memory = running.map((stage): [string, Measured] => [
        memoryOf(stage),
        { cpu: [], rate: [residentMebibytes(stage.server.pid)] },
      ])
      return [new Map([...measured, ...inTurn, ...memory]), several]
    },
    '/healthz',
  )
}

function programOn({ database, key }: Stage): Program {
  const program = nodeProgram(join(import.meta.dirname, '../servers/many-users.ts'))
  return { ...program, env: { DATABASE: database, KEY: key } }
}

/** Counts the processor time of PostgreSQL, too. */
async function withPostgres(server: ServerProcess, url: string): Promise<ServerProcess> {
  const postmaster = await findPostmaster(url)
  return {
    ...server,
    cpuMicroseconds: () => server.cpuMicroseconds() + cpuMicrosecondsWithChildren(postmaster),
  }
}

/** Returns the process id of the parent of all processes of PostgreSQL. */
async function findPostmaster(url: string): Promise<number> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    const { rows } = await client.query<{ readonly pid: number }>('select pg_backend_pid() as pid')
    return parentOf(rows[0]!.pid)
  } finally {
    await client.end()
  }
}

async function prepare(stage: Stage, server: ServerProcess): Promise<Running> {
  const asks = await asksOfUsers(`http://127.0.0.1:${server.port}`, stage)
  const requests = { [login]: realLogins(stage), [cheapLogin]: cheapLogins(stage), [me]: asks }
  return { ...stage, server, requests, chain: refreshes(stage) }
}

function lanesOf(stage: Running): readonly Lane[] {
  return works.flatMap((work) => [laneFor(stage, work, connections), laneFor(stage, work, 1)])
}

function laneFor(stage: Running, work: Work, howMany: number): Lane {
  const { server, requests, chain } = stage
  const most = work === login ? loginConnections : connections
  const common = {
    name: laneOf(stage, work, howMany),
    server,
    connections: Math.min(howMany, most),
  }
  return work === refresh
    ? { ...common, requests: [], chain }
    : { ...common, requests: requests[work] }
}

/** Measures more users in turn than a server keeps in memory. */
async function measureUsersInTurn(
  running: readonly Running[],
  effort: Effort,
): Promise<AllMeasured> {
  const lanes: Lane[] = []
  for (const stage of running.filter(({ users }) => users > fewUsers)) {
    const base = `http://127.0.0.1:${stage.server.port}`
    const requests = await asksOfUsers(base, stage, effort.quick ? 50 : usersInTurn)
    lanes.push({ name: inTurnLane(stage), server: stage.server, requests })
  }
  return measureInTurns(lanes, effort)
}

/**
 * Measures one, two and three servers on one database, in turns. The same number of connections is
 * divided among them.
 *
 * @returns the answers per second of all servers together
 */
async function measureServers(
  first: Running,
  effort: Effort,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const more = { second: programOn(first), third: programOn(first) }
  return withServers(
    more,
    async ({ second, third }) => {
      const all = [first.server, second!, third!]
      const rates = new Map<string, number[]>()
      for (let round = -1; round < effort.rounds; round++)
        for (const work of [cheapLogin, refresh, me] as const)
          for (let count = 1; count <= all.length; count++) {
            const rate = await rateOf(first, work, all.slice(0, count), effort.seconds)
            const name = severalLane(work, count)
            // The first round warms the servers up.
            if (round >= 0) rates.set(name, [...(rates.get(name) ?? []), rate])
          }
      return rates
    },
    '/healthz',
  )
}

async function rateOf(
  stage: Running,
  work: Work,
  servers: readonly ServerProcess[],
  seconds: number,
): Promise<number> {
  const { requests, chain } = laneFor(stage, work, 1)
  let sent = 0
  const next = chain?.next ?? (() => requests[sent++ % requests.length]!)
  const perServer = Math.ceil((3 * connections) / 2 / servers.length)
  const loads = await Promise.all(
    servers.map(({ port }) => openLoad({ port, connections: perServer })),
  )
  try {
    const run = { next, seconds, expect: 200, onBody: chain?.onBody }
    const answers = await Promise.all(loads.map((load) => load.run(run)))
    return answers.reduce((sum, { answered, seconds }) => sum + answered / seconds, 0)
  } finally {
    for (const load of loads) load.close()
  }
}

const columns = [
  'what',
  'µs, few users',
  'µs, many users',
  'ratio',
  'ms, few users',
  'ms, many users',
  'ratio',
  'a second',
  'bytes',
  'MiB',
]

interface AllResults {
  readonly measured: AllMeasured
  /** The answers per second of several servers. */
  readonly several: ReadonlyMap<string, readonly number[]>
  /** The bytes of a row, by its table. */
  readonly bytes: ReadonlyMap<Stage, ReadonlyMap<string, number>>
  /** The rows that housekeeping deletes per second. */
  readonly deleted: ReadonlyMap<Stage, number>
  /** The bytes of a revocation in memory. */
  readonly revocation: number
}

function findingsOf(
  stages: readonly Stage[],
  results: AllResults,
): Omit<Findings, 'versions' | 'skipped'> {
  const { measured } = results
  const compared = stages
    .filter(({ users }) => users === fewUsers)
    .flatMap((few) => {
      const many = stages.find(({ kind, users }) => kind === few.kind && users > fewUsers)!
      return works.map((work) => compare(few, many, work, measured))
    })
  return {
    title: 'Many users',
    method: methodOf(stages),
    table: { columns, rows: rowsOf(stages, compared, results) },
    bars: compared.flatMap(({ name, cells: [, , cpu, , , latency] }) => [
      { promise: `${name}: processor time ÷ few users`, measured: cpu!.median, atMost: maxRatio },
      { promise: `${name}: latency ÷ few users`, measured: latency!.median, atMost: maxRatio },
    ]),
    plot: {
      title: 'Processor time of a request',
      unit: 'µs, median and spread; less is better',
      groups: compared
        .filter(({ work }) => work !== login)
        .map(({ name, cells: [few, many] }) => ({
          name,
          items: [
            { name: 'few users', value: few!, isOurs: false },
            { name: 'many users', value: many!, isOurs: true },
          ],
        })),
    },
  }
}

/** Returns the cells of a row that has values in only some columns. */
function cellsOf(values: Readonly<Record<number, number | readonly number[]>>): Row['cells'] {
  return columns.slice(1).map((_, index) => {
    const value = values[index]
    return value === undefined ? null : summarize(typeof value === 'number' ? [value] : value)
  })
}

/** The numbers of columns, from 0 for the one after the names. */
const [inManyUsers, inRate, inBytes, inMebibytes] = [1, 6, 7, 8]

function rowsOf(
  stages: readonly Stage[],
  compared: readonly Compared[],
  { measured, several, bytes, deleted, revocation }: AllResults,
): readonly Row[] {
  return [
    ...compared.map(({ name, cells }) => ({ name, cells: [...cells, null, null, null] })),
    ...[...bytes.keys()].map((stage) => ({
      name: `${me}, ${toText(Math.min(usersInTurn, stage.users))} users in turn, ${stage.kind}`,
      cells: cellsOf({ [inManyUsers]: measured.get(inTurnLane(stage))!.cpu }),
    })),
    ...[...several].map(([name, rates]) => ({
      name: `${name} on one PostgreSQL`,
      cells: cellsOf({ [inRate]: rates }),
    })),
    ...[...deleted].map(([{ kind }, rate]) => ({
      name: `rows that housekeeping deletes, ${kind}`,
      cells: cellsOf({ [inRate]: rate }),
    })),
    ...[...bytes].flatMap(([{ kind }, sizes]) =>
      [...sizes].map(([table, size]) => ({
        name: `a row of ${table}, ${kind}`,
        cells: cellsOf({ [inBytes]: size }),
      })),
    ),
    { name: 'a revocation in memory', cells: cellsOf({ [inBytes]: revocation }) },
    ...stages.map((stage) => ({
      name: `memory of a server, ${stage.kind}, ${toText(stage.users)} users`,
      cells: cellsOf({ [inMebibytes]: measured.get(memoryOf(stage))!.rate }),
    })),
  ]
}

/** One kind of request in the small and in the large database. */
interface Compared {
  readonly work: Work
  readonly name: string
  readonly cells: readonly Summary[]
}

function compare(few: Stage, many: Stage, work: Work, measured: AllMeasured): Compared {
  const of = (stage: Stage, howMany: number): Measured =>
    measured.get(laneOf(stage, work, howMany))!
  const ratio = (a: readonly number[], b: readonly number[]): Summary =>
    summarizePairs(a, b, (x, y) => x / y)
  const milliseconds = ({ rate }: Measured): readonly number[] => rate.map((each) => 1000 / each)
  const cpu = [few, many].map((stage) => of(stage, connections).cpu)
  const latency = [few, many].map((stage) => milliseconds(of(stage, 1)))
  return {
    work,
    name: `${work}, ${few.kind}`,
    cells: [
      ...cpu.map(summarize),
      ratio(cpu[1]!, cpu[0]!),
      ...latency.map(summarize),
      ratio(latency[1]!, latency[0]!),
    ],
  }
}

function toText(count: number): string {
  return count.toLocaleString('en-US')
}

function methodOf(stages: readonly Stage[]): string {
  const many = Math.max(...stages.map(({ users }) => users))
  return [
    `The same requests to a server whose database has ${toText(fewUsers)} users (few) and to one`,
    `whose database has ${toText(many)} (many). For each user there are 5 sessions, 10 refresh`,
    'tokens and 2 audit entries. The logins and refreshes are spread over the whole database.',
    'SQLite is measured before PostgreSQL, so that each can use the whole memory of the machine.',
    'µs is the processor time of the server for one request with 16 connections (a login: 4). On',
    'PostgreSQL it includes all processes of PostgreSQL, whose shared_buffers are a quarter of the',
    'memory of the machine. ms is the mean time to an answer with one connection. A login hashes',
    'the password with argon2id (19 MiB, 2 passes). "Without the hash", the hash costs nearly',
    'nothing, so the row shows the database. The requests to GET /users/me',
    'are of 250 users, whom the server has in memory, and in the next rows of so many users that',
    'it reads each from the database. Several servers share one PostgreSQL, the processors of this',
    'machine and 24 connections; the load generator runs there, too. So these rows show what the',
    'servers cost each other, not what more machines would bring. The bytes of a row are those of',
    'its table with all indexes, divided by its rows, right after the fill. On PostgreSQL, rows',
    'that vacuum has not removed yet come on top. The memory is that of the server’s process after',
    'all measurements.',
  ].join(' ')
}
