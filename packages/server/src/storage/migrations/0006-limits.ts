import type { Kysely } from 'kysely'

/** Adds rate limits. `tat` is the theoretical arrival time of GCRA. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('rate')
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('tat', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('rate_tat').on('rate').column('tat').execute()
}
