import type { Kysely } from 'kysely'

/** Adds the session that changed the password last. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('user').addColumn('password_session', 'text').execute()
}
