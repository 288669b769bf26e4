import type { Kysely } from 'kysely'

/** Adds the time until which one confirmation has claimed a proof. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('mail_proof').addColumn('claimed_until', 'bigint').execute()
}
