// Before migrations that contract the tables on PostgreSQL, the schema mark is raised, so that
// servers of older releases stop writing. If the migrations fail, the mark is lowered again.
import { setTimeout as delay } from 'node:timers/promises'
import { DatabaseUnavailableError, type Transaction } from './database.ts'
import { underLock, type Migrating } from './migration-lock.ts'
import { reasonOf } from './postgres-advice.ts'
import { requireUpgradable } from './require-schema.ts'
import { findRaisedMark, setMark, type SchemaMark } from './schema-mark.ts'
import { readSchemaState, type SchemaState } from './schema-state.ts'
import { schema } from './schema.ts'

export interface RaisedMark {
  readonly from: SchemaMark
  readonly to: number
}

/**
 * Raises the schema mark if the missing migrations contract the tables. Waits until the servers
 * that it excludes have stopped writing.
 *
 * @returns the raised mark, or undefined if it excludes no running server
 * @throws {ConfigurationError} if a newer release has raised the mark so that it excludes this one
 */
export async function excludeOlderServers(
  migrating: Migrating,
  { mark, missing }: SchemaState,
): Promise<RaisedMark | undefined> {
  // If the database has no mark yet, no running server reads the mark.
  if (!mark || findRaisedMark(missing) === undefined) return undefined

  const raised = await underLock(migrating, raiseMark)
  if (!raised) return undefined

  const { times, report } = migrating
  const seconds = times.notice / 1000
  report(`waits ${seconds} s, so that servers without the migration ${raised.to} stop writing`)
  await delay(times.notice)
  return raised
}

/**
 * Raises the schema mark for the missing migrations. Never lowers it: until this process had the
 * lock, another process may have raised the mark or run the migrations.
 */
async function raiseMark(transaction: Transaction): Promise<RaisedMark | undefined> {
  const state = await readSchemaState(transaction)
  requireUpgradable(state)

  const from = state.mark
  const to = findRaisedMark(state.missing)
  if (!from || to === undefined) return undefined

  if (from.oldest < to) await setMark(transaction, to)
  return { from, to }
}

/** @throws {DatabaseUnavailableError} if another process has lowered the mark since */
export async function requireRaised(transaction: Transaction, { to }: RaisedMark): Promise<void> {
  const { mark } = await readSchemaState(transaction)
  if (mark && mark.oldest < to)
    throw new DatabaseUnavailableError(
      'another process has lowered the schema mark, because its migrations failed, so older ' +
        'servers write again. Fix: run "keystile migrate" again',
    )
}

/**
 * Restores the schema mark after migrations have failed, so that older releases work again.
 *
 * @throws {DatabaseUnavailableError} if the mark could not be lowered. The message continues the
 *   one of the failed migration.
 */
export async function readmitOlderServers(migrating: Migrating, raised: RaisedMark): Promise<void> {
  try {
    await underLock(migrating, (transaction) => lowerMark(transaction, raised))
  } catch (error) {
    const { from, to } = raised
    throw new DatabaseUnavailableError(
      `and the schema mark could not be lowered (${reasonOf(error)}), so servers without the ` +
        `migration ${to} still answer 503. Fix: run "keystile migrate" again; if it fails again, ` +
        `set oldest = ${from.oldest} in the table ${schema}.schema_mark`,
    )
  }
}

/** Does nothing if another process has changed the mark or run the migrations meanwhile. */
async function lowerMark(transaction: Transaction, { from, to }: RaisedMark): Promise<void> {
  const { mark, missing } = await readSchemaState(transaction)
  if (mark?.oldest === to && findRaisedMark(missing) !== undefined)
    await setMark(transaction, from.oldest, from.release)
}
