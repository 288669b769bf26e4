import type { Kysely } from 'kysely'

/**
 * Adds logins in steps: attempts that wait for their next step, authenticator apps and recovery
 * codes, and what a session's login has proved. A server without this migration would let people in
 * without their second factor.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('login_flow')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('front', 'text', (column) => column.notNull())
    .addColumn('client_id', 'text', (column) => column.notNull())
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('proofs', 'text', (column) => column.notNull())
    .addColumn('sealed', 'text', (column) => column.notNull())
    .addColumn('tries', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('login_flow_subject').on('login_flow').column('subject').execute()
  await db.schema.createIndex('login_flow_expiry').on('login_flow').column('expires_at').execute()

  await db.schema
    .createTable('authenticator_app')
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('sealed', 'text', (column) => column.notNull())
    .addColumn('last_step', 'bigint', (column) => column.notNull())
    .addColumn('wrong_codes', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('authenticator_app_key', ['subject', 'state'])
    .execute()

  await db.schema
    .createTable('recovery_code')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createIndex('recovery_code_subject')
    .on('recovery_code')
    .column('subject')
    .execute()

  await db.schema.alterTable('session').addColumn('amr', 'text').execute()
  await db.schema.alterTable('session').addColumn('authenticated_at', 'bigint').execute()
}
