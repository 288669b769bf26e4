import type { Kysely } from 'kysely'

/** Adds the addresses that users had before, and the links that restore them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('former_email')
    .addColumn('token_hash', 'text', (column) => column.primaryKey())
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('email', 'text', (column) => column.notNull())
    .addColumn('email_key', 'text', (column) => column.notNull())
    .addColumn('email_verified_at', 'bigint')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('former_email_key').on('former_email').column('email_key').execute()
  await db.schema.createIndex('former_email_subject').on('former_email').column('subject').execute()
  await db.schema
    .createIndex('former_email_expiry')
    .on('former_email')
    .column('expires_at')
    .execute()
  await db.schema.createIndex('mail_proof_mailbox').on('mail_proof').column('mailbox').execute()
}
