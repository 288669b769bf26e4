import type { Kysely } from 'kysely'

/**
 * Adds a column for the known device that asked for a proof, so that requests of strangers cannot
 * unbind this proof.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('mail_proof').addColumn('allowance', 'text').execute()
}
