import type { Kysely } from 'kysely'

/** Adds a record of mails that were dropped, because their mailboxes got too many. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('dropped_mail')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('template', 'text', (column) => column.notNull())
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('recipient', 'text', (column) => column.notNull())
    .addColumn('drops', 'integer', (column) => column.notNull())
    .addColumn('dropped_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('dropped_mail_subject').on('dropped_mail').column('subject').execute()
  await db.schema
    .createIndex('dropped_mail_expiry')
    .on('dropped_mail')
    .column('expires_at')
    .execute()
}
