// Migrated databases. To migrate a new database for each test would take longer than most tests.
import { copyFileSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { schema } from '../src/storage/migrate.ts'
import { openDatabase } from '../src/storage/open.ts'
import { createTestDatabase } from './postgres.ts'

const writerThread = new URL('../src/server/writer-thread.ts', import.meta.url)

let template: Promise<string> | undefined

/** Copies a migrated SQLite file without users to `path`, and returns `path`. */
export async function copyMigratedFile(path: string): Promise<string> {
  copyFileSync(await (template ??= migrateFile()), path)
  return path
}

async function migrateFile(): Promise<string> {
  const file = join(mkdtempSync(join(tmpdir(), 'keystile-migrated-')), 'keystile.db')
  await migrate(file)
  return file
}

export interface MigratedDatabase {
  readonly url: string
  /** Ends all connections, and leaves the database as it was after the migrations. */
  reset(): Promise<void>
  drop(): Promise<void>
}

/**
 * Creates a migrated PostgreSQL database. Returns undefined if there is no PostgreSQL.
 *
 * @param server the URL of a server. Default: the one that all tests share
 */
export async function createMigratedDatabase(
  server?: string,
): Promise<MigratedDatabase | undefined> {
  const database = await createTestDatabase(server)
  if (!database) return undefined
  const { url, clear, drop } = database
  const migrateAndCopy = async (): Promise<string> => {
    await migrate(url)
    return withClient(url, async (client) => {
      await client.query(copyRows)
      return readStructure(client)
    })
  }
  let structure = await migrateAndCopy()
  return {
    url,
    drop,
    async reset() {
      const isSame = await withClient(url, async (client) => {
        await client.query(endOthers)
        if ((await readStructure(client)) !== structure) return false
        await client.query(restoreRows)
        return true
      })
      if (isSame) return
      await clear()
      structure = await migrateAndCopy()
    },
  }
}

async function migrate(database: string): Promise<void> {
  await (await openDatabase(database, writerThread)).close()
}

async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

/** Returns a text that differs after a change of the schemas, or of what is in our schema. */
async function readStructure(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ structure: string }>(
    `with own as (select oid from pg_class where relnamespace = '${schema}'::regnamespace)
    select concat_ws(' ',
      (select count(*) from pg_namespace where nspname !~ '^pg_'),
      (select sum(oid::bigint) from own),
      (select count(*) from pg_attribute join own on attrelid = oid where not attisdropped),
      (select sum(t.oid::bigint) from pg_trigger t join own on tgrelid = own.oid),
      (select sum(c.oid::bigint) from pg_constraint c join own on conrelid = own.oid),
      (select sum(oid::bigint) from pg_proc where pronamespace = '${schema}'::regnamespace)
    ) as structure`,
  )
  return rows[0]?.structure ?? ''
}

const endOthers = `select pg_terminate_backend(pid, 10000) from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid()`

/** Runs a statement for each table of a schema; `%1$I` is the name of the table. */
const forEachTable = (tables: string, statement: string): string => `
  for name in select tablename from pg_tables where ${tables} loop
    execute format($e$${statement}$e$, name);
  end loop;`

/** Copies the rows that the migrations insert. */
const copyRows = `
  create schema migrated;
  do $$ declare name text; begin
    ${forEachTable(
      `schemaname = '${schema}'`,
      `create table migrated.%1$I as table ${schema}.%1$I`,
    )}
  end $$`

/** Deletes all rows without triggers and foreign keys, and inserts the copied rows. */
const restoreRows = `
  do $$ declare name text; begin
    set local session_replication_role = replica;
    ${forEachTable(
      `schemaname = '${schema}'`,
      `delete from ${schema}.%1$I; insert into ${schema}.%1$I table migrated.%1$I`,
    )}
    ${forEachTable(`schemaname = 'public'`, 'drop table public.%1$I cascade')}
  end $$`
