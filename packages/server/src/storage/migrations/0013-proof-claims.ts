import type { Kysely } from 'kysely'

/**
 * Adds the end of a proof's claim. Until then, only the confirmation that claimed the proof can use
 * it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('mail_proof').addColumn('claimed_until', 'bigint').execute()
}
