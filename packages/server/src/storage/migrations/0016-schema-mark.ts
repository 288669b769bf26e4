import type { Kysely } from 'kysely'

/**
 * Adds the schema mark: the number of a migration. A release whose newest migration has a lower
 * number cannot run on the database. The table has one row. The code that runs migrations sets the
 * mark (decisions/0030-expand-then-contract.md).
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('schema_mark')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('oldest', 'integer', (column) => column.notNull())
    .addColumn('release', 'text', (column) => column.notNull())
    .execute()

  const tables = db as Kysely<{ schema_mark: { id: number; oldest: number; release: string } }>
  await tables.insertInto('schema_mark').values({ id: 1, oldest: 0, release: '' }).execute()
}
