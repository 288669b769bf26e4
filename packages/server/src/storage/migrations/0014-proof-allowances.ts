import type { Kysely } from 'kysely'

/**
 * Adds a column for the known device that asked for a proof. Only the newest proofs of a user are
 * valid. With this column, requests of strangers cannot displace the proof of a known device.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('mail_proof').addColumn('allowance', 'text').execute()
}
