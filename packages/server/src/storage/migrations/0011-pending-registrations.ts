import type { Kysely } from 'kysely'

/** Adds registrations that wait for a confirmation by mail. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('pending_registration')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('username', 'text', (column) => column.notNull())
    .addColumn('email', 'text', (column) => column.notNull())
    .addColumn('email_key', 'text', (column) => column.notNull())
    .addColumn('password_hash', 'text', (column) => column.notNull())
    .addColumn('profile', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createIndex('pending_registration_email')
    .on('pending_registration')
    .column('email_key')
    .execute()
  await db.schema
    .createIndex('pending_registration_expiry')
    .on('pending_registration')
    .column('expires_at')
    .execute()
}
