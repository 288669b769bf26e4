import type { Kysely } from 'kysely'

/** Adds the proofs in mails: links and codes, of which the table has only hashes. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('mail_proof')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('purpose', 'text', (column) => column.notNull())
    .addColumn('subject', 'text')
    .addColumn('mailbox', 'text')
    .addColumn('token_hash', 'text', (column) => column.notNull().unique())
    .addColumn('code_hash', 'text')
    .addColumn('counted_for', 'text', (column) => column.notNull())
    .addColumn('tries', 'integer', (column) => column.notNull())
    .addColumn('sealed', 'text')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('resolved_at', 'bigint')
    .execute()
  await db.schema
    .createIndex('mail_proof_unresolved')
    .on('mail_proof')
    .column('created_at')
    .where('resolved_at' as never, 'is', null) // the tables have no types here
    .execute()
  await db.schema.createIndex('mail_proof_subject').on('mail_proof').column('subject').execute()
  await db.schema.createIndex('mail_proof_expiry').on('mail_proof').column('expires_at').execute()
}
