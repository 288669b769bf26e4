// Measures what a guard costs an app whose users are in a database: 4,000 users take turns, each
// with one token. The open route is asked without a credential.
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { howToGetPostgres, startPostgres } from '../../packages/server/test-support/postgres.ts'
import { withTemporaryFolder } from '../folder.ts'
import { bearer, checkGuard, headerOf } from '../guard-check.ts'
import { requestBytes } from '../load.ts'
import { versionsOf } from '../machine.ts'
import { measureInTurns, withServers, type Effort, type Lane, type Measured } from '../measure.ts'
import { nodeProgram, type Program } from '../process.ts'
import type { Findings } from '../result.ts'
import { summarize, summarizePairs } from '../statistics.ts'

const frameworks = ['Fastify', 'Express', 'Hono', 'node:http'] as const
type Framework = (typeof frameworks)[number]
const manyUsers = 4_000
/** How long a server may take to add the users. */
const seedSeconds = 300
/** The share of the open route's speed that a guarded route must reach. */
const minRatio = 0.8

/** One app on one database. */
interface App {
  readonly name: string
  readonly framework: Framework
  readonly kind: 'SQLite' | 'PostgreSQL'
  readonly database: string
  readonly tokensFile: string
}

const forms = ['bytes', 'empty middleware', 'guard'] as const

/** The apps of node:http have no middleware. */
function formsOf({ framework }: App): readonly (typeof forms)[number][] {
  return framework === 'node:http' ? ['bytes', 'guard'] : forms
}

/**
 * How often each app is started. V8 compiles the same code differently in each process, which
 * changes the time of a request by up to a fifth.
 */
const maxStarts = 4

export async function users(effort: Effort): Promise<Findings> {
  const starts = Math.min(maxStarts, effort.rounds)
  const runs: Run[] = []
  for (let n = 0; n < starts; n++)
    runs.push(await measureStart({ ...effort, rounds: Math.ceil(effort.rounds / starts) }))
  return findingsOf(runs)
}

/** The apps of one start, and what was measured, by the names of the app and the form. */
interface Run {
  readonly apps: readonly App[]
  readonly measured: ReadonlyMap<string, Measured>
}

async function measureStart(effort: Effort): Promise<Run> {
  return withTemporaryFolder(async (folder) => {
    const postgres = await startPostgres()
    try {
      const apps = appsOn('SQLite', folder, (n) => join(folder, `${n}.db`))
      if (postgres) {
        const urls = await createDatabases(postgres.url, frameworks.length)
        apps.push(...appsOn('PostgreSQL', folder, (n) => urls[n]!))
      }
      return { apps, measured: await measureApps(apps, effort) }
    } finally {
      await postgres?.stop()
    }
  })
}

function appsOn(kind: App['kind'], folder: string, databaseOf: (n: number) => string): App[] {
  return frameworks.map((framework, n) => ({
    name: `${framework}, ${kind}`,
    framework,
    kind,
    database: databaseOf(n),
    tokensFile: join(folder, `${kind}-${n}.json`),
  }))
}

async function createDatabases(server: string, count: number): Promise<readonly string[]> {
  const client = new pg.Client(server)
  await client.connect()
  const urls: string[] = []
  for (let n = 0; n < count; n++) {
    await client.query(`create database users${n}`)
    const url = new URL(server)
    url.pathname = `/users${n}`
    urls.push(url.href)
  }
  await client.end()
  return urls
}

async function measureApps(
  apps: readonly App[],
  effort: Effort,
): Promise<ReadonlyMap<string, Measured>> {
  const count = effort.quick ? 10 : manyUsers
  return withServers(programsOf(apps, count), async (servers) => {
    const lanes: Lane[] = []
    for (const app of apps) {
      const server = servers[app.name]!
      const tokens = await readTokens(app.tokensFile)
      await checkGuard(`http://127.0.0.1:${server.port}/guarded`, bearer(tokens[0]!))
      const asked = (route: string): readonly Buffer[] =>
        tokens.map((token) => requestBytes(`GET /${route}`, headerOf(bearer(token))))
      lanes.push({ name: `${app.name}, open`, server, requests: [requestBytes('GET /open')] })
      const routes = { bytes: 'open', 'empty middleware': 'empty', guard: 'guarded' } as const
      for (const form of formsOf(app))
        lanes.push({ name: `${app.name}, ${form}`, server, requests: asked(routes[form]) })
    }
    return measureInTurns(lanes, effort)
  })
}

/** Reads the tokens of all users, when the server has written them. */
async function readTokens(file: string): Promise<readonly string[]> {
  const end = Date.now() + seedSeconds * 1000
  while (!existsSync(file)) {
    if (Date.now() > end) throw new Error(`no users were added within ${seedSeconds} s`)
    await delay(100)
  }
  return JSON.parse(readFileSync(file, 'utf8')) as readonly string[]
}

function programsOf(apps: readonly App[], count: number): Readonly<Record<string, Program>> {
  const key = randomBytes(32).toString('base64url')
  const programs = apps.map(({ name, framework, database, tokensFile }): [string, Program] => {
    const file = `../servers/keystile-${framework.replace(':http', '').toLowerCase()}.ts`
    const program = nodeProgram(resolve(import.meta.dirname, file))
    const env = { DATABASE: database, KEY: key, USERS: String(count), TOKENS: tokensFile }
    return [name, { ...program, env }]
  })
  return Object.fromEntries(programs)
}

function findingsOf(runs: readonly Run[]): Findings {
  const apps = runs[0]?.apps ?? []
  const hasPostgres = apps.some(({ kind }) => kind === 'PostgreSQL')
  const timesOf = (lane: string): readonly number[] =>
    runs.flatMap(({ measured }) => measured.get(lane)!.cpu)
  const rows = apps.flatMap((app) => {
    const open = timesOf(`${app.name}, open`)
    return formsOf(app).map((form) => {
      const guarded = timesOf(`${app.name}, ${form}`)
      const added = summarizePairs(guarded, open, (a, b) => a - b)
      const ratio = summarizePairs(open, guarded, (a, b) => a / b)
      return { app, form, open: summarize(open), added, ratio }
    })
  })
  return {
    title: 'Guards that load the user, beside an open route without a credential',
    method:
      'Processor time of the server for one request, in µs. The app contains Keystile, and its ' +
      'guard gives the handler the user from the database. All requests but those to the open ' +
      'route have one of 4,000 tokens in turn (ES256, verified before), each of another user. ' +
      '"bytes" is the open route with these tokens: the cost for Node to receive a longer ' +
      'request. "empty middleware" does nothing, so no guard can cost less. "ratio" is the ' +
      'processor time of the open route divided by that of the row. Each app was started ' +
      `${runs.length} times, because the processes of one app differ more than its turns.`,
    versions: versionsOf(['fastify', 'express', 'hono', '@hono/node-server', 'pg']),
    table: {
      columns: ['what', 'open route, µs', 'adds, µs', 'ratio'],
      rows: rows.map(({ app, form, open, added, ratio }) => ({
        name: `${app.name}, ${form}`,
        cells: [open, added, ratio],
      })),
    },
    bars: rows.flatMap(({ app, form, ratio }) =>
      form === 'guard'
        ? [{ promise: `${app.name}: open ÷ guarded`, measured: ratio.median, atLeast: minRatio }]
        : [],
    ),
    skipped: hasPostgres ? [] : [`PostgreSQL: ${howToGetPostgres}`],
    plot: {
      title: 'What a request with a user costs more than one to an open route',
      unit: 'µs of processor time, median and spread; less is better',
      groups: apps.map((app) => ({
        name: app.name,
        items: rows
          .filter((row) => row.app === app)
          .map(({ form, added }) => ({ name: form, value: added, isOurs: form === 'guard' })),
      })),
    },
  }
}
