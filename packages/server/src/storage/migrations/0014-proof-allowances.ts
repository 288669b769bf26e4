import type { Kysely } from 'kysely'

/** Adds the device that asked for a proof, so that strangers evict no proof of a known device. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('mail_proof').addColumn('allowance', 'text').execute()
}
