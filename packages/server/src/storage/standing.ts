// Compares the migrations of a database with those of this release, and says why this release
// cannot run on it.
import { migrations, numberOf, schemaNumber } from './migrations.ts'
import type { SchemaMark } from './schema-mark.ts'
import type { SchemaState } from './schema-state.ts'

/**
 * How a database compares with this release:
 *
 * - `current`: all migrations have run.
 * - `empty`: none has run.
 * - `behind`: some are missing.
 * - `ahead`: a newer release has migrated it, and this release may still run on it.
 * - `beyond`: a newer release has migrated it, and this release may not run on it.
 * - `mixed`: it lacks a migration in the middle, or has migrations of a different line of releases.
 */
export type Standing = 'current' | 'empty' | 'behind' | 'ahead' | 'beyond' | 'mixed'

/** Compares the migrations of a database with those of this release. */
export function standingOf({ missing, unknown, isEmpty, mark }: SchemaState): Standing {
  if (mark && mark.oldest > schemaNumber()) return 'beyond'
  if (isEmpty) return 'empty'

  const [firstMissing] = missing
  const hasGap =
    firstMissing !== undefined &&
    Object.keys(migrations).some((name) => name > firstMissing && !missing.includes(name))
  // `!(… > …)` also finds a name without a number.
  const isOther = unknown.some((name) => !(numberOf(name) > schemaNumber()))
  if (hasGap || isOther || (unknown.length > 0 && missing.length > 0)) return 'mixed'
  if (missing.length > 0) return 'behind'
  if (unknown.length === 0) return 'current'
  return mark ? 'ahead' : 'beyond'
}

/**
 * Why this release cannot run on a database, and what to do. The message continues a sentence that
 * begins with "the database".
 */
export interface SchemaFault {
  readonly message: string
  readonly fix: string
}

/** Returns why this release cannot run on a database as it is, or undefined if it can. */
export function findSchemaFault(state: SchemaState): SchemaFault | undefined {
  const { missing, unknown, mark } = state
  switch (standingOf(state)) {
    case 'behind':
      return {
        message: `must be upgraded before this release starts; it lacks ${missing.join(', ')}`,
        fix: 'run "keystile migrate", or migrateDatabase() in an app, as the owner of the tables',
      }
    case 'beyond':
      return tooNew(mark)
    case 'mixed':
      return {
        message:
          'must have the migrations of this release, in their order; it has ' +
          (unknown.join(', ') || 'only some of them'),
        fix: 'install the release that has used the database',
      }
    case 'current':
    case 'empty':
    case 'ahead':
      break
  }
  return undefined
}

/** Returns the fault of a database that excludes this release. */
export function tooNew(mark: SchemaMark | undefined): SchemaFault {
  const state = mark ? `needs schema ${mark.oldest}` : 'was upgraded by a newer release'
  const own = schemaNumber()
  return {
    message: `must not be newer than this release; it ${state}, and this release has schema ${own}`,
    fix: mark?.release
      ? `install @keystile/server ${mark.release} or newer`
      : 'install that release or a newer one',
  }
}
