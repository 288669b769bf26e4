// Finds out who blocks a migration on PostgreSQL.
import { sql } from 'kysely'
import { DatabaseUnavailableError, type Reader } from './database.ts'
import { schema } from './schema.ts'

/** A transaction that holds a lock. */
interface Blocker {
  readonly pid: number
  readonly role: string
  readonly application: string
}

/**
 * Finds the transactions that have held locks on our tables for at least as long as a migration has
 * waited. PostgreSQL hides the start of a transaction from most other roles. A transaction whose
 * start is hidden is included.
 */
export async function findBlockers(db: Reader, milliseconds: number): Promise<readonly Blocker[]> {
  const { rows } = await sql<Blocker>`
    select distinct a.pid::int4 as pid, coalesce(a.usename, '') as role,
      coalesce(a.application_name, '') as application
    from pg_locks l join pg_class c on c.oid = l.relation join pg_stat_activity a on a.pid = l.pid
    where c.relnamespace = to_regnamespace(${schema}) and l.granted and l.pid <> pg_backend_pid()
      and a.datname = current_database()
      and (a.xact_start is null
        or a.xact_start < clock_timestamp() - make_interval(secs => ${milliseconds / 1000}))
    order by pid limit 3`.execute(db)
  return rows
}

/** Returns the sentence that tells an operator who holds the lock. */
export function describeBlockers(blockers: readonly Blocker[]): string {
  const who = blockers.map(
    ({ pid, role, application }) =>
      `process ${pid} of PostgreSQL (role ${role}, application "${application}")`,
  )
  return `a table is locked by ${who.join(', ') || 'another transaction'}`
}

/** The error of a migration that has waited for too long. */
export function blockedBy(blockers: readonly Blocker[]): DatabaseUnavailableError {
  const [first] = blockers
  const how = first
    ? `wait until it has ended, or run "select pg_terminate_backend(${first.pid})"`
    : 'find it in pg_stat_activity'
  return new DatabaseUnavailableError(
    `${describeBlockers(blockers)}. ` +
      `Fix: ${how}; then run "keystile migrate" again. Nothing was changed`,
  )
}
