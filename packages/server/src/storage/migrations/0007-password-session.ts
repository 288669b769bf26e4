import type { Kysely } from 'kysely'

/** Adds a column with the id of the session that last changed the user's password. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('user').addColumn('password_session', 'text').execute()
}
