import type { Kysely } from 'kysely'

/** Adds indexes, so that housekeeping finds expired rows without reading the whole table. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createIndex('session_idle_expiry')
    .on('session')
    .column('idle_expires_at')
    .execute()
  await db.schema.createIndex('event_expiry').on('event').column('expires_at').execute()
}
