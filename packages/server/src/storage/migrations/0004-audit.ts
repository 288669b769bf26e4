import { sql, type Kysely } from 'kysely'

/**
 * Adds the audit record. The table has no foreign keys, because an entry stays when its user,
 * session or client is deleted.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('audit')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('event', 'text', (column) => column.notNull())
    .addColumn('actor', 'text', (column) => column.notNull())
    .addColumn('subject', 'text')
    .addColumn('session_id', 'text')
    .addColumn('client_id', 'text')
    .addColumn('address', 'text')
    .addColumn('detail', 'text')
    .execute()
  await db.schema.createIndex('audit_subject').on('audit').columns(['subject', 'id']).execute()
  for (const statement of isPostgres(db) ? refuseUpdatesOnPostgres : refuseUpdatesOnSqlite)
    await sql.raw(statement).execute(db)
}

/**
 * These triggers refuse each `update` of an audit entry. So a bug or an SQL injection cannot change
 * old entries. A `delete` is allowed, because housekeeping deletes old entries.
 */
const refuseUpdatesOnSqlite = [
  `create trigger audit_append_only before update on audit
   begin select raise(abort, 'the audit record is append-only'); end`,
]

const refuseUpdatesOnPostgres = [
  `create or replace function keystile.refuse_audit_update() returns trigger language plpgsql as
   $$ begin raise exception 'the audit record is append-only'; end $$`,
  `create trigger audit_append_only before update on keystile.audit
   for each statement execute function keystile.refuse_audit_update()`,
]

// A copy: a migration must not change when the function in `database.ts` does.
function isPostgres(db: Kysely<unknown>): boolean {
  return db.getExecutor().adapter.supportsMultipleConnections !== false
}
