// Measures refreshes and introspections per second at the stand-alone server on both databases, and
// the size of a session at rest.
import { randomBytes } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { howToGetPostgres, startPostgres } from '../../packages/server/test-support/postgres.ts'
import { withTemporaryFolder } from '../folder.ts'
import { stringMember } from '../json.ts'
import { requestBytes } from '../load.ts'
import { versionsOf } from '../machine.ts'
import { connections, measureInTurns, secondsOfLane, withServers } from '../measure.ts'
import type { Effort, Lane, Measured } from '../measure.ts'
import { nodeProgram, type ServerProcess } from '../process.ts'
import type { Findings, Row } from '../result.ts'
import { prepareSessions, type Prepared } from '../sessions-at-rest.ts'
import { runCommand, standAlone } from '../stand-alone.ts'
import { summarize, summarizePairs, type Summary } from '../statistics.ts'

/** More refreshes than a server can answer. Each refresh of a run needs its own token. */
const maxRefreshesPerSecond = 4_000
const clientId = 'orders'
const formType = { 'content-type': 'application/x-www-form-urlencoded' }

/** A database with sessions, the settings of the server on it, and the prepared requests. */
interface Stage {
  readonly name: string
  readonly folder: string
  /** Where `keystile serve` finds the database. */
  readonly env: Readonly<Record<string, string>>
  /** An empty database of the same kind, for the server in bare-commit.ts. */
  readonly bareDatabase: string
  readonly clientSecret: string
  readonly prepared: Prepared
}

export async function sessions(effort: Effort): Promise<Findings> {
  const needed = Math.ceil(maxRefreshesPerSecond * secondsOfLane(effort))
  return withTemporaryFolder(async (folder) => {
    const postgres = await startPostgres({ durable: true })
    try {
      const stages = [await stageOnSqlite(join(folder, 'sqlite'), needed, effort.quick)]
      if (postgres)
        stages.push(
          await stageOnPostgres(join(folder, 'postgres'), postgres.url, needed, effort.quick),
        )
      const version = postgres ? { PostgreSQL: await versionOfPostgres(postgres.url) } : {}
      const measured = await measureStages(stages, effort)
      return findingsOf(stages, measured, {
        versions: {
          SQLite: process.versions['sqlite'] ?? 'unknown',
          ...version,
          ...versionsOf(['pg']),
        },
        skipped: postgres ? [] : [`PostgreSQL: ${howToGetPostgres}`],
      })
    } finally {
      await postgres?.stop()
    }
  })
}

/** Fills the database in memory, where commits do not wait, and then copies it to the disk. */
async function stageOnSqlite(folder: string, needed: number, quick: boolean): Promise<Stage> {
  const memory = '/dev/shm'
  const filled = mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), 'keystile-bench-'))
  try {
    const database = join(filled, 'keystile.db')
    const clientSecret = createClient(filled, { KEYSTILE_DATABASE: database })
    const reader = new DatabaseSync(database, { readOnly: true })
    const pages = reader.prepare(
      'select page_count * page_size as bytes from pragma_page_count, pragma_page_size',
    )
    const bytes = async (): Promise<number> => Number(pages.get()!['bytes'])
    const prepared = await prepareSessions({ database, bytes }, needed, quick)
    reader.close()
    mkdirSync(folder)
    cpSync(filled, folder, { recursive: true })
    const env = { KEYSTILE_DATABASE: join(folder, 'keystile.db') }
    return {
      name: 'SQLite',
      folder,
      env,
      bareDatabase: join(folder, 'bare.db'),
      clientSecret,
      prepared,
    }
  } finally {
    rmSync(filled, { recursive: true, force: true })
  }
}

async function stageOnPostgres(
  folder: string,
  server: string,
  needed: number,
  quick: boolean,
): Promise<Stage> {
  const client = new pg.Client(server)
  await client.connect()
  for (const name of ['keystile', 'bare']) await client.query(`create database ${name}`)
  await client.end()
  const database = databaseOf(server, 'keystile')
  const env = {
    KEYSTILE_DATABASE: database.href,
    KEYSTILE_KEY: randomBytes(32).toString('base64url'),
  }
  mkdirSync(folder)
  const clientSecret = createClient(folder, env)
  const withoutWaiting = new URL(database)
  withoutWaiting.searchParams.set('options', '-c synchronous_commit=off')
  const reader = new pg.Client(database.href)
  await reader.connect()
  try {
    const place = {
      database: withoutWaiting.href,
      key: env.KEYSTILE_KEY,
      bytes: () => bytesOnPostgres(reader),
    }
    const prepared = await prepareSessions(place, needed, quick)
    const bareDatabase = databaseOf(server, 'bare').href
    return { name: 'PostgreSQL', folder, env, bareDatabase, clientSecret, prepared }
  } finally {
    await reader.end()
  }
}

function databaseOf(server: string, name: string): URL {
  const url = new URL(server)
  url.pathname = `/${name}`
  return url
}

async function bytesOnPostgres(client: pg.Client): Promise<number> {
  const sizes = ['session', 'refresh_token'].map(
    (table) => `pg_total_relation_size('keystile.${table}')`,
  )
  const { rows } = await client.query<{ readonly bytes: string }>(
    `select ${sizes.join(' + ')} as bytes`,
  )
  return Number(rows[0]!.bytes)
}

async function versionOfPostgres(url: string): Promise<string> {
  const client = new pg.Client(url)
  await client.connect()
  const { rows } = await client.query<{ readonly server_version: string }>('show server_version')
  await client.end()
  return rows[0]!.server_version
}

/** Creates a client. @returns its secret */
function createClient(folder: string, env: Readonly<Record<string, string>>): string {
  const args = ['client', 'create', clientId, '--may', 'introspect', '--json']
  return stringMember(JSON.parse(runCommand(args, folder, env)), 'client_secret')
}

/** The names of the lanes of a stage. The rows of the table have the same names. */
const namesOf = ({ name }: Stage) =>
  ({
    refresh: `refresh, ${name}`,
    bareCommit: `bare commit, ${name}`,
    introspection: `introspection, ${name}`,
  }) as const
const bareAnswer = 'bare answer'

async function measureStages(
  stages: readonly Stage[],
  effort: Effort,
): Promise<ReadonlyMap<string, Measured>> {
  const ours = Object.fromEntries(
    stages.map(({ name, folder, env }) => [name, standAlone(folder, env)]),
  )
  return withServers(
    ours,
    async (servers) => {
      const introspectionBytes = await Promise.all(
        stages.map((stage) => {
          const { port } = servers[stage.name]!
          return requireCorrectAnswers(`http://127.0.0.1:${port}`, stage)
        }),
      )
      const bare = Object.fromEntries(
        stages.map(({ name, bareDatabase, prepared }, index) => [
          name,
          {
            ...nodeProgram(join(import.meta.dirname, '../servers/bare-commit.ts')),
            env: {
              DATABASE: bareDatabase,
              TOKEN_BYTES: String(prepared.tokenBytes),
              INTROSPECTION_BYTES: String(introspectionBytes[index]),
            },
          },
        ]),
      )
      return withServers(
        bare,
        (bareServers) =>
          measureInTurns(
            stages.flatMap((stage, index) =>
              lanesOf(stage, servers[stage.name]!, bareServers[stage.name]!, index === 0),
            ),
            effort,
          ),
        '/',
      )
    },
    '/healthz',
  )
}

function lanesOf(
  stage: Stage,
  server: ServerProcess,
  bareServer: ServerProcess,
  withBareAnswer: boolean,
): Lane[] {
  const { refreshTokens, accessTokens } = stage.prepared
  const refreshes = refreshTokens.map((token) =>
    requestBytes('POST /token', formType, refreshForm(token).toString()),
  )
  const fields = { ...formType, authorization: basicOf(stage.clientSecret) }
  const introspections = accessTokens.map((token) =>
    requestBytes('POST /introspect', fields, new URLSearchParams({ token }).toString()),
  )
  const { refresh, bareCommit, introspection } = namesOf(stage)
  return [
    { name: refresh, server, requests: refreshes, once: true },
    { name: bareCommit, server: bareServer, requests: refreshes },
    { name: introspection, server, requests: introspections },
    ...(withBareAnswer ? [{ name: bareAnswer, server: bareServer, requests: introspections }] : []),
  ]
}

function refreshForm(token: string): URLSearchParams {
  return new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token })
}

function basicOf(secret: string): string {
  return `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`
}

/**
 * Checks the answers of a server before it is timed.
 *
 * @returns bytes of an answer to an introspection
 * @throws {Error} when it admits a wrong secret, calls a bad token active or a good token inactive,
 *   or refreshes a bad token
 */
async function requireCorrectAnswers(
  base: string,
  { name, clientSecret, prepared }: Stage,
): Promise<number> {
  const [good] = prepared.accessTokens
  const ask = async (
    path: string,
    body: URLSearchParams,
    secret?: string,
  ): Promise<[status: number, text: string]> => {
    const headers = secret === undefined ? {} : { authorization: basicOf(secret) }
    const answer = await fetch(`${base}${path}`, { method: 'POST', headers, body })
    return [answer.status, await answer.text()]
  }
  const introspect = (token: string, secret: string): Promise<[status: number, text: string]> =>
    ask('/introspect', new URLSearchParams({ token }), secret)
  const [, text] = await introspect(good!, clientSecret)
  const isCorrect =
    text.startsWith('{"active":true,') &&
    (await introspect(good!, `${clientSecret}x`))[0] === 401 &&
    (await introspect(`${good!.slice(0, -8)}AAAAAAAA`, clientSecret))[1] === '{"active":false}' &&
    (await ask('/token', refreshForm(`${prepared.refreshTokens[0]!.slice(0, -8)}AAAAAAAA`)))[0] ===
      400
  if (!isCorrect) throw new Error(`Keystile on ${name} must tell good tokens from bad: ${text}`)
  return Buffer.byteLength(text)
}

function findingsOf(
  stages: readonly Stage[],
  measured: ReadonlyMap<string, Measured>,
  { versions, skipped }: Pick<Findings, 'versions' | 'skipped'>,
): Findings {
  const shareOf = (name: string, floor: string): Summary =>
    summarizePairs(measured.get(name)!.rate, measured.get(floor)!.rate, (a, b) => a / b)
  const rowOf = (name: string, floor?: string): Row => {
    const { rate, cpu } = measured.get(name)!
    const share = floor === undefined ? null : shareOf(name, floor)
    return { name, cells: [summarize(rate), summarize(cpu), share, null] }
  }
  const sizeOf = (name: string, bytes: number): Row => ({
    name,
    cells: [null, null, null, summarize([bytes])],
  })
  const rows = [
    ...stages.flatMap((stage) => {
      const { refresh, bareCommit } = namesOf(stage)
      return [rowOf(refresh, bareCommit), rowOf(bareCommit)]
    }),
    ...stages.map((stage) => rowOf(namesOf(stage).introspection, bareAnswer)),
    rowOf(bareAnswer),
    ...stages.flatMap(({ name, prepared }) => [
      sizeOf(`a session at rest, ${name}`, prepared.bytesOfSession),
      sizeOf(`and each refresh of it, ${name}`, prepared.bytesOfRefresh),
    ]),
  ]
  const { sessions, refreshes } = stages[0]!.prepared.measured
  return {
    title: 'Sessions',
    method: methodOf(sessions, refreshes),
    versions,
    table: {
      columns: [
        'what',
        'a second',
        'processor time of the server, µs',
        'share of the bare handler',
        'bytes',
      ],
      rows,
    },
    bars: [],
    skipped,
    plot: {
      title: 'Refreshes a second',
      unit: 'median and spread',
      groups: [
        {
          name: 'More is better',
          items: stages.flatMap((stage) => {
            const { refresh, bareCommit } = namesOf(stage)
            return [refresh, bareCommit].map((name) => ({
              name,
              value: summarize(measured.get(name)!.rate),
              isOurs: name === refresh,
            }))
          }),
        },
      ],
    },
  }
}

function methodOf(sessions: number, refreshes: number): string {
  const number = (value: number): string => value.toLocaleString('en-US')
  return [
    `Answers a second with ${connections} connections. Each refresh presents the unused ` +
      'refresh token of another session. Keystile verifies this token, reads the user, makes ' +
      'and encrypts the new refresh token, and signs an access token (ES256). It writes with ' +
      'five statements in one commit, and waits until the commit is on the disk.',
    'The bare commit is a node:http handler with a database of the same kind on the same ' +
      'disk. It reads the same form, updates one row and inserts another in one transaction, ' +
      'waits for the disk, and answers JSON of the same size. Its database has one table with ' +
      'one index, and it verifies, encrypts and signs nothing. So the difference is the cost ' +
      'of everything that a refresh does besides the commit. On SQLite the bare handler ' +
      'commits in its event loop, while Keystile has a thread for that.',
    'For an introspection, Keystile reads a form, reads the client’s secret from the ' +
      'database, and authenticates the client. Then it verifies one of 1,000 access tokens ' +
      'that it has verified before, and finds the user in memory. ' +
      'The bare answer reads the same form, and answers JSON of the same size without a ' +
      'database.',
    'Processor time is that of the server’s process alone, without PostgreSQL and without ' +
      'the wait for the disk.',
    `The bytes of a session at rest are the mean of ${number(sessions)} sessions, each with ` +
      'its unused refresh token and all indexes. The bytes of a refresh are the mean of ' +
      `${number(refreshes)} refreshes, spread over these sessions. Used tokens are kept as ` +
      'long as their session. On PostgreSQL the bytes include what vacuum has not removed ' +
      'yet.',
  ].join(' ')
}
