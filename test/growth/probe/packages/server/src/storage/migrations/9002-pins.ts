import type { Kysely } from 'kysely'

/** Adds PINs. A release without them must not run: it would not ask for the PIN. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('pin')
    .addColumn('subject', 'text', (column) => column.primaryKey())
    .addColumn('pin', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()
}
