import type { Kysely } from 'kysely'

/**
 * Adds a column for the time at which the claim of a proof ends. Until that time, only the
 * confirmation that claimed the proof can use it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('mail_proof').addColumn('claimed_until', 'bigint').execute()
}
