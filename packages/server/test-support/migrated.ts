// Migrated databases. To migrate a new database for each test would take longer than most tests.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import type { Database } from '../src/storage/database.ts'
import { schemaNumber } from '../src/storage/migrations.ts'
import { openDatabase } from '../src/storage/open.ts'
import { schema } from '../src/storage/schema.ts'
import { createTestDatabase, urlVariable } from './postgres.ts'

const writerThread = new URL('../src/server/writer-thread.ts', import.meta.url)

/** Whether `npm test` has started the server of all tests, so it has no database of other runs. */
const isServerNew = process.env['KEYSTILE_TEST_SERVER_IS_NEW'] === '1'

let template: Promise<string> | undefined

/** Copies a migrated SQLite file without users to `path`, and returns `path`. */
export async function copyMigratedFile(path: string): Promise<string> {
  copyFileSync(await (template ??= migrateFile()), path)
  return path
}

/** A migrated SQLite file, open in Keystile and in a connection of the test. */
export interface MigratedFile {
  readonly path: string
  readonly database: Database
  readonly file: DatabaseSync
  /** Closes both, and removes the file. */
  close(): Promise<void>
}

/** Opens a migrated SQLite file without users in a folder of its own. */
export async function openMigratedFile(): Promise<MigratedFile> {
  const folder = mkdtempSync(join(tmpdir(), 'keystile-file-'))
  const path = await copyMigratedFile(join(folder, 'keystile.db'))
  const database = await openDatabase(path, writerThread)
  const file = new DatabaseSync(path, { timeout: 60_000 })
  return {
    path,
    database,
    file,
    async close() {
      file.close()
      await database.close()
      rmSync(folder, { recursive: true })
    },
  }
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
  const common = server === undefined && isServerNew ? process.env[urlVariable] : undefined
  const template = common && (await migratedTemplate(common))
  const database = await createTestDatabase(server, template)
  if (!database) return undefined
  const { url, clear, drop } = database
  let client: pg.Client | undefined
  // All resets use one connection, because PostgreSQL keeps the plans of a connection's statements.
  const connect = async (): Promise<pg.Client> =>
    (client ??= await open(url, () => (client = undefined)))
  const migrateAndCopy = async (): Promise<string> => {
    await migrate(url)
    const connection = await connect()
    await connection.query(copyRows)
    return readStructure(connection)
  }
  let structure = template ? await readStructure(await connect()) : await migrateAndCopy()
  return {
    url,
    async drop() {
      await client?.end()
      await drop()
    },
    async reset() {
      const connection = await connect()
      await connection.query(endOthers)
      if ((await readStructure(connection)) === structure) {
        await connection.query(restoreRows)
        return
      }
      await connection.end()
      await clear()
      structure = await migrateAndCopy()
    },
  }
}

/**
 * Returns the name of a migrated database on the server of all tests. The first process that needs
 * it makes it. The databases of all processes are copies of it, because a copy is faster than the
 * migrations.
 */
async function migratedTemplate(server: string): Promise<string> {
  // A copy of the source in a test can have a migration more.
  const name = `keystile_migrated_${schemaNumber()}`
  const client = await open(server, () => {})
  try {
    await client.query("select pg_advisory_lock(hashtext('keystile_migrated'))")
    const { rows } = await client.query('select from pg_database where datname = $1', [name])
    if (rows.length > 0) return name

    const made = `${name}_made`
    await client.query(`drop database if exists ${made}`)
    await client.query(`create database ${made} template template0`)
    const url = new URL(server)
    url.pathname = `/${made}`
    await migrate(url.href)
    const connection = await open(url.href, () => {})
    await connection.query(copyRows)
    await connection.end()
    await client.query(`alter database ${made} rename to ${name}`)
    return name
  } finally {
    await client.end()
  }
}

/** @param onEnd called when the connection has ended, also if a test has ended it */
async function open(url: string, onEnd: () => void): Promise<pg.Client> {
  const client = new pg.Client(url)
  client.on('error', () => {}) // `end` follows
  client.on('end', onEnd)
  await client.connect()
  return client
}

async function migrate(database: string): Promise<void> {
  await (await openDatabase(database, writerThread)).close()
}

/** Returns a text that differs after a change of the schemas, or of what is in our schema. */
async function readStructure(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ structure: string }>({
    name: 'read the structure',
    text: `with own as (select oid from pg_class where relnamespace = '${schema}'::regnamespace)
    select concat_ws(' ',
      (select count(*) from pg_namespace where nspname !~ '^pg_'),
      (select sum(oid::bigint) from own),
      (select count(*) from pg_attribute join own on attrelid = oid where not attisdropped),
      (select sum(t.oid::bigint) from pg_trigger t join own on tgrelid = own.oid),
      (select sum(c.oid::bigint) from pg_constraint c join own on conrelid = own.oid),
      (select sum(oid::bigint) from pg_proc where pronamespace = '${schema}'::regnamespace)
    ) as structure`,
  })
  return rows[0]?.structure ?? ''
}

const endOthers = {
  name: 'end the other connections',
  text: `select pg_terminate_backend(pid, 10000) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`,
}

/**
 * Copies the rows that the migrations insert. Creates a function that deletes all rows, without
 * triggers and foreign keys, and inserts the copied rows. It also drops the tables of the app.
 */
const copyRows = `
  create schema migrated;
  do $$ declare name text; body text := ''; begin
    for name in select tablename from pg_tables where schemaname = '${schema}' loop
      execute format('create table migrated.%1$I as table ${schema}.%1$I', name);
      body := body || format(
        'delete from ${schema}.%1$I; insert into ${schema}.%1$I table migrated.%1$I;', name);
    end loop;
    execute format($f$
      create function migrated.restore() returns void language plpgsql
      set session_replication_role = replica as $r$
      declare name text;
      begin
        %s
        for name in select tablename from pg_tables where schemaname = 'public' loop
          execute format('drop table public.%%I cascade', name);
        end loop;
      end $r$ $f$, body);
  end $$`

const restoreRows = { name: 'restore the rows', text: 'select migrated.restore()' }
