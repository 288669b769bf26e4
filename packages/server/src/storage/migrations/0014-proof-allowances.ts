import type { Kysely } from 'kysely'

/**
 * Adds the known device that asked for a proof. So requests of strangers cannot unbind its proofs.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('mail_proof').addColumn('allowance', 'text').execute()
}
