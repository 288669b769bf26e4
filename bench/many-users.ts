// Databases with few and with many users, for the scenario `scale`.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { createKeystile } from '@keystile/server'
import { hashSync } from '@node-rs/argon2'
import pg from 'pg'
import {
  fillPostgres,
  isEnded,
  refreshTokenOf,
  sessionsOfUser,
  tokensOfSession,
  usernameOf,
  type ManyRows,
} from '../packages/server/test-support/many-rows.ts'
import { stringMember } from './json.ts'
import { inChain, requestBytes, type Chain } from './load.ts'
import { inBatches, password, post } from './people.ts'
import { issuer } from './stand-alone.ts'

export interface Stage {
  readonly kind: 'SQLite' | 'PostgreSQL'
  readonly users: number
  /** The file or the URL. */
  readonly database: string
  readonly key: string
}

/**
 * The share of the users whose passwords have the hash of a real server. The others have a cheap
 * one, so that their logins show the cost of the database.
 */
const shareWithRealHash = 0.1

/** Creates and fills a database. */
export async function fillStage(
  kind: Stage['kind'],
  users: number,
  database: string,
): Promise<Stage> {
  const key = randomBytes(32).toString('base64url')
  await (await createKeystile({ issuer, database, key })).close()
  const rows: ManyRows = {
    users,
    now: Date.now(),
    passwordHash: hashSync(password, { memoryCost: 19_456, timeCost: 2, parallelism: 1 }),
    passwordHashOfOthers: hashSync(password, { memoryCost: 8, timeCost: 1, parallelism: 1 }),
    othersFrom: users * shareWithRealHash,
  }
  if (kind === 'PostgreSQL') await fillPostgres(database, rows)
  else await fillFile(database, rows)
  return { kind, users, database, key }
}

async function fillFile(file: string, rows: ManyRows): Promise<void> {
  const script = join(import.meta.dirname, 'fill-sqlite.ts')
  const args = ['--conditions=source', script, file, JSON.stringify(rows)]
  const [code] = await once(spawn(process.execPath, args, { stdio: 'inherit' }), 'exit')
  if (code !== 0) throw new Error(`the file ${file} could not be filled`)
}

/** Creates a database on a server of PostgreSQL. Returns its URL. */
export async function createDatabase(server: string, name: string): Promise<string> {
  const client = new pg.Client(server)
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}

/** Returns `count` numbers from 0 to `total`, spread evenly. */
function spread(count: number, total: number): readonly number[] {
  const wanted = Math.min(count, total)
  return Array.from({ length: wanted }, (_, index) => Math.floor((index * total) / wanted))
}

/** Returns sessions that have not ended, from the first or the second part of each twenty. */
function sessionsOf(
  { users }: Stage,
  count: number,
  part: 'refreshed' | 'asked',
  total = users * sessionsOfUser,
): readonly number[] {
  const isWanted = (n: number): boolean =>
    !isEnded(n) && n % 20 < 15 === (part === 'refreshed') && n < users * sessionsOfUser
  return spread(count, Math.floor(total / 20)).flatMap((twenty) =>
    Array.from({ length: 20 }, (_, n) => twenty * 20 + n).filter(isWanted),
  )
}

const form = { 'content-type': 'application/x-www-form-urlencoded' }

function loginsOf(users: readonly number[]): readonly Buffer[] {
  return users.map((n) => {
    const fields = new URLSearchParams({ username: usernameOf(n), password })
    return requestBytes('POST /token', form, fields.toString())
  })
}

/** Returns logins of users whose hash has the cost of a real server. */
export function realLogins({ users }: Stage): readonly Buffer[] {
  return loginsOf(spread(5_000, users * shareWithRealHash))
}

/** Returns logins of users with a cheap hash. */
export function cheapLogins({ users }: Stage): readonly Buffer[] {
  const first = users * shareWithRealHash
  return loginsOf(spread(20_000, users - first).map((n) => first + n))
}

function refreshForm(token: string): URLSearchParams {
  return new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token })
}

const requestOfRefresh = (token: string): Buffer =>
  requestBytes('POST /token', form, refreshForm(token).toString())

/**
 * Returns refreshes of up to 50,000 sessions in turn, each with the token of the refresh before.
 */
export function refreshes(stage: Stage): Chain {
  const first = sessionsOf(stage, 50_000 / 14, 'refreshed').map((n) =>
    requestOfRefresh(refreshTokenOf(stage.users, n)),
  )
  return inChain(first, (body) => requestOfRefresh(stringMember(JSON.parse(body), 'refresh_token')))
}

/**
 * Returns requests of different users to `GET /users/me`: of 250 users, as few users as the small
 * database can give, or of `count`.
 */
export async function asksOfUsers(
  base: string,
  stage: Stage,
  count = 250,
): Promise<readonly Buffer[]> {
  // The first sessions belong to different users.
  const sessions = sessionsOf(stage, count / 5, 'asked', stage.users)
  return inBatches(sessions.length, async (n) => {
    const answer = await post(
      `${base}/token`,
      refreshForm(refreshTokenOf(stage.users, sessions[n] ?? 0)),
    )
    const token = stringMember(await answer.json(), 'access_token')
    return requestBytes('GET /users/me', { authorization: `Bearer ${token}` })
  })
}

/** The bytes of a table with its indexes, divided by its rows. */
export async function bytesOfRows(
  { kind, database }: Stage,
  tables: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  return new Map(
    kind === 'SQLite' ? bytesOnSqlite(database, tables) : await bytesOnPostgres(database, tables),
  )
}

function bytesOnSqlite(file: string, tables: readonly string[]): [string, number][] {
  using sqlite = new DatabaseSync(file, { readOnly: true })
  const sizes = sqlite
    .prepare(
      `select tbl_name as "table", sum(pgsize) as bytes
      from dbstat join sqlite_master using (name) group by tbl_name`,
    )
    .all()
  return tables.map((table) => {
    const bytes = Number(sizes.find((row) => row['table'] === table)?.['bytes'])
    const counted = sqlite.prepare(`select count(*) as rows from "${table}"`).get()
    return [table, bytes / Number(counted?.['rows'])]
  })
}

async function bytesOnPostgres(
  url: string,
  tables: readonly string[],
): Promise<[string, number][]> {
  const client = new pg.Client({ connectionString: url, options: '-c search_path=keystile' })
  await client.connect()
  try {
    const sizes: [string, number][] = []
    for (const table of tables) {
      const { rows } = await client.query<{ readonly bytes: string }>(
        `select pg_total_relation_size('"${table}"')::float8 / count(*) as bytes from "${table}"`,
      )
      sizes.push([table, Number(rows[0]?.bytes)])
    }
    return sizes
  } finally {
    await client.end()
  }
}

/**
 * Inserts rows that have expired, starts Keystile, and waits until it has deleted them.
 *
 * @returns the deleted refresh tokens and sessions per second
 */
export async function measureHousekeeping(
  { kind, users, database, key }: Stage,
  sessions: number,
): Promise<number> {
  const rows: ManyRows = {
    users,
    now: Date.now(),
    passwordHash: '',
    expired: sessions,
    part: 'expired',
  }
  if (kind === 'PostgreSQL') await fillPostgres(database, rows)
  else await fillFile(database, rows)
  const count = await openCount({ kind, database }, rows.now - 20 * 24 * 60 * 60 * 1000)
  const keystile = await createKeystile({ issuer, database, key, logger: quiet })
  try {
    // The first steps delete rows of other tables.
    let before = await count.expired()
    while (before === sessions) before = await count.expired()
    const start = performance.now()
    while ((await count.expired()) > 0);
    const seconds = (performance.now() - start) / 1000
    return (before * (1 + tokensOfSession)) / seconds
  } finally {
    await keystile.close()
    await count.close()
  }
}

/** Keystile would warn of the mails that were not sent. */
const quiet = { debug() {}, info() {}, warn() {}, error() {} }

/** Opens a connection that counts the sessions which expired before a time. */
async function openCount(
  { kind, database }: Pick<Stage, 'kind' | 'database'>,
  before: number,
): Promise<{ expired(): Promise<number>; close(): Promise<void> }> {
  const text = `select count(*) as count from session where idle_expires_at < ${before}`
  // Polls, and leaves most of the processor to Keystile.
  const pause = (): Promise<void> => delay(50)
  if (kind === 'SQLite') {
    const sqlite = new DatabaseSync(database, { readOnly: true })
    const expired = async (): Promise<number> => {
      await pause()
      return Number(sqlite.prepare(text).get()?.['count'])
    }
    return { expired, close: async () => sqlite.close() }
  }
  const client = new pg.Client({
    connectionString: database,
    options: '-c search_path=keystile',
  })
  await client.connect()
  const expired = async (): Promise<number> => {
    await pause()
    return Number((await client.query<{ count: string }>(text)).rows[0]?.count)
  }
  return { expired, close: () => client.end() }
}
