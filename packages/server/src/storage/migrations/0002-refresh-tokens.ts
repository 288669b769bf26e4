import type { Kysely } from 'kysely'

/**
 * Adds refresh tokens. A session that was started before this migration has no refresh token, so it
 * expires together with its last access token.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const added = [
    ['scopes', 'text', '[]'],
    ['expires_at', 'bigint', 0],
    ['idle_expires_at', 'bigint', 0],
  ] as const
  for (const [name, type, value] of added) {
    await db.schema
      .alterTable('session')
      .addColumn(name, type, (column) => column.notNull().defaultTo(value))
      .execute()
  }
  await db.schema.alterTable('session').addColumn('device', 'text').execute()
  await db.schema.alterTable('session').addColumn('late_retry_at', 'bigint').execute()

  const tables = db as Kysely<{
    session: { tokens_expire_at: number; expires_at: number; idle_expires_at: number }
  }>
  await tables
    .updateTable('session')
    .set((row) => ({
      expires_at: row.ref('tokens_expire_at'),
      idle_expires_at: row.ref('tokens_expire_at'),
    }))
    .execute()

  await db.schema
    .createTable('refresh_token')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('session_id', 'text', (column) =>
      column.notNull().references('session.id').onDelete('cascade'),
    )
    .addColumn('secret_hash', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('used_at', 'bigint')
    .addColumn('successor_id', 'text')
    .addColumn('sealed_successor', 'text')
    .addColumn('repeatable_until', 'bigint')
    .execute()
  await db.schema
    .createIndex('refresh_token_successor')
    .on('refresh_token')
    .column('successor_id')
    .execute()
  await db.schema
    .createIndex('refresh_token_session')
    .on('refresh_token')
    .column('session_id')
    .execute()
}
