// Refuses a database whose tables this release cannot use.
import { ConfigurationError } from '../base/configuration-error.ts'
import { DatabaseUnavailableError } from './database.ts'
import { schemaNumber } from './migrations.ts'
import type { SchemaMark } from './schema-mark.ts'
import type { SchemaState } from './schema-state.ts'
import { findSchemaFault, standingOf, tooNew } from './standing.ts'

/**
 * Thrown while the process runs, when a newer release starts to change the tables so that this
 * release cannot use them any more. A retry succeeds only if the newer release fails to change the
 * tables and restores the schema mark.
 */
export class NewerSchemaError extends DatabaseUnavailableError {
  override readonly name = 'NewerSchemaError'
}

/** @throws {NewerSchemaError} if this release may no longer run on the database */
export function requireNotExcluded(mark: SchemaMark): void {
  if (mark.oldest <= schemaNumber()) return

  const { message, fix } = tooNew(mark)
  throw new NewerSchemaError(`the database ${message}. Fix: ${fix}`)
}

/** @throws {ConfigurationError} if this release cannot run on the database as it is */
export function requireMigrated(state: SchemaState): void {
  const fault = findSchemaFault(state)
  if (fault) throw new ConfigurationError(`the database ${fault.message}. Fix: ${fault.fix}`)
}

/** @throws {ConfigurationError} if this release can neither run on the database nor upgrade it */
export function requireUpgradable(state: SchemaState): void {
  if (standingOf(state) !== 'behind') requireMigrated(state)
}
