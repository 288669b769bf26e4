import type { Kysely } from 'kysely'

/** Adds browser logins: the cookie of the pages, and the session that it stands for. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('browser_login')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('session_id', 'text', (column) => column.notNull())
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createIndex('browser_login_subject')
    .on('browser_login')
    .column('subject')
    .execute()
  await db.schema
    .createIndex('browser_login_expiry')
    .on('browser_login')
    .column('expires_at')
    .execute()
}
