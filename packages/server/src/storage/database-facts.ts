import { sql, type RawBuilder } from 'kysely'
import type { Reader } from './database.ts'
import { databaseTime, isPostgres } from './portable-sql.ts'
import { readMigrationFacts, type MigrationFacts } from './schema-state.ts'

/** What safety rules check of a database. */
export type DatabaseFacts = SqliteFacts | PostgresFacts

export interface SqliteFacts {
  readonly kind: 'sqlite'
  /** The value of `pragma synchronous` on our connection: 2 is FULL, 3 is EXTRA. */
  readonly synchronous: number
  readonly migrations: MigrationFacts
}

export interface PostgresFacts {
  readonly kind: 'postgres'
  /** The setting `fsync`: `on` or `off`. */
  readonly fsync: string
  /** The time of the server's clock, in milliseconds since 1970. */
  readonly now: number
  readonly migrations: MigrationFacts
}

export async function readDatabaseFacts(reader: Reader): Promise<DatabaseFacts> {
  const migrations = await readMigrationFacts(reader)
  if (isPostgres(reader)) {
    const row = await onlyRow(
      sql<{ fsync: string; now: number }>`
        select current_setting('fsync') as fsync, ${databaseTime(reader)} as now`,
      reader,
    )
    return { kind: 'postgres', ...row, migrations }
  }

  const { synchronous } = await onlyRow(sql<{ synchronous: number }>`pragma synchronous`, reader)
  return { kind: 'sqlite', synchronous, migrations }
}

async function onlyRow<Row>(query: RawBuilder<Row>, reader: Reader): Promise<Row> {
  const [row] = (await query.execute(reader)).rows
  if (!row) throw new Error('the query must return one row; the database returned none')
  return row
}
