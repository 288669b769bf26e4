import { sql, type Kysely } from 'kysely'

// decisions/0035-indexes-of-a-migration.md
/**
 * Adds indexes, so that no statement reads the whole of a large table. Each index has `if not
 * exists`: on a large database, the operator can create it before the migration, without blocking
 * writes.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  // A program that logs in for each request has many sessions, nearly all of them ended.
  await db.schema
    .createIndex('session_subject_ended')
    .ifNotExists()
    .on('session')
    .columns(['subject', 'ended_at'])
    .execute()
  await db.schema.dropIndex('session_subject').ifExists().execute()

  // Finds administrators among all users. The condition must be that of the query, to the letter.
  await db.schema
    .createIndex('user_administrator')
    .ifNotExists()
    .on('user')
    .column('id')
    .where(sql`roles`, 'like', sql.lit('%admin%'))
    .execute()

  await db.schema
    .createIndex('mail_proof_purpose')
    .ifNotExists()
    .on('mail_proof')
    .columns(['purpose', 'mailbox'])
    .execute()
  await db.schema.dropIndex('mail_proof_mailbox').ifExists().execute()

  // A deleted user takes along the mails about this user.
  await db.schema.createIndex('mail_subject').ifNotExists().on('mail').column('subject').execute()
}
