import { sql } from 'kysely'
import type { Reader } from './database.ts'
import { isPostgres } from './portable-sql.ts'

/**
 * The PostgreSQL schema of all tables of Keystile. The schema separates these tables from the
 * tables of an app that uses the same database.
 */
export const schema = 'keystile'

/** The table that lists the migrations that have run. */
export interface MigrationTables {
  readonly migration: { readonly name: string; readonly timestamp: string }
}

/** Whether a table exists. A table may be missing because the database was not migrated yet. */
export async function hasTable(reader: Reader, table: string): Promise<boolean> {
  const query = isPostgres(reader)
    ? sql`select 1 where to_regclass(${`${schema}.${table}`}) is not null`
    : sql`select 1 from sqlite_master where type = 'table' and name = ${table}`
  return (await query.execute(reader)).rows.length > 0
}
