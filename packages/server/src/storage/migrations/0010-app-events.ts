import type { Kysely } from 'kysely'

/** Adds the table of durable events, and the table that says whether an app handles them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('app_event')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('event', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('tries', 'integer', (column) => column.notNull())
    .addColumn('next_try_at', 'bigint', (column) => column.notNull())
    .addColumn('dead_at', 'bigint')
    .addColumn('failure', 'text')
    .execute()
  await db.schema
    .createIndex('app_event_due')
    .on('app_event')
    .column('next_try_at')
    .where('dead_at' as never, 'is', null) // the tables have no types here
    .execute()
  await db.schema.createIndex('app_event_expiry').on('app_event').column('expires_at').execute()
  await db.schema
    .createTable('event_handler')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
}
