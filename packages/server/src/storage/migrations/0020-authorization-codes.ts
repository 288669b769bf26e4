import type { Kysely } from 'kysely'

/** Adds authorization codes, and whether a client is first-party. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('authorization_code')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('client_id', 'text', (column) => column.notNull())
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('content', 'text', (column) => column.notNull())
    .addColumn('session_id', 'text')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createIndex('authorization_code_subject')
    .on('authorization_code')
    .column('subject')
    .execute()
  await db.schema
    .createIndex('authorization_code_expiry')
    .on('authorization_code')
    .column('expires_at')
    .execute()

  await db.schema
    .alterTable('client')
    .addColumn('first_party', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
}
