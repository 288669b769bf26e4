// Databases on which servers are started and killed, and the administrator that the clients of
// `load.ts` need.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import {
  startKeystile,
  tokensOf,
  type Tokens,
} from '../../packages/server/test-support/keystile.ts'
import {
  createTestDatabase,
  howToGetPostgres,
  startPostgres,
} from '../../packages/server/test-support/postgres.ts'

/** A database that survives the crashes of the test. */
export interface Place {
  readonly database: string
  ask(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>
  /** Kills the database server and starts it again. */
  crash?(): Promise<void>
  close(): Promise<void>
}

/** Creates an administrator, and returns tokens. */
export async function makeAdministrator({ database, ask }: Place): Promise<Tokens> {
  const { keystile, tokens, login } = await startKeystile({ database, accessTokenSeconds: 3600 })
  await tokens('root')
  await ask(`update "user" set roles = '["admin"]' where username_key = 'root'`)
  const { json } = await login({ username: 'root' })
  await keystile.close()
  return tokensOf(json)
}

export function openFile(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'keystile-crashes-'))
  const database = join(folder, 'keystile.db')
  return {
    database,
    // The file is opened for each query: while the server is down, no process has it open.
    async ask(sql) {
      const sqlite = new DatabaseSync(database, { timeout: 60_000 })
      try {
        return sqlite.prepare(sql).all()
      } finally {
        sqlite.close()
      }
    },
    close: async () => rmSync(folder, { recursive: true }),
  }
}

async function queryOnce(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url, options: '-c search_path=keystile' })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

/** A database of the PostgreSQL that all tests share; in the long run, a server of its own. */
export async function openPostgres(): Promise<Place> {
  if (!process.env['KEYSTILE_LONG']) {
    const shared = await createTestDatabase()
    assert.ok(shared, howToGetPostgres)
    const { url, drop } = shared
    return { database: url, ask: (sql) => queryOnce(url, sql), close: drop }
  }
  const own = await startPostgres({ durable: true })
  assert.ok(own, howToGetPostgres)
  const { url, crash, stop } = own
  return { database: url, ask: (sql) => queryOnce(url, sql), crash, close: stop }
}
