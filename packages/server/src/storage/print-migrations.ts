import { ConfigurationError } from '../base/configuration-error.ts'
import { defaultTimes, lockNumber } from './migration-lock.ts'
import { createRecordingDatabase } from './recording-database.ts'
import { requireUpgradable } from './require-schema.ts'
import { createBookkeeping, runSteps, type Absent } from './run-migrations.ts'
import { findRaisedMark } from './schema-mark.ts'
import type { SchemaState } from './schema-state.ts'

export interface PrintedDatabase {
  readonly kind: 'sqlite' | 'postgres'
  readonly state: SchemaState
  readonly absent: Absent
}

/**
 * Returns the SQL of the missing migrations, as one transaction for psql or sqlite3. Runs no
 * statement on the database.
 *
 * @throws {ConfigurationError} if this release cannot upgrade the database, or if the SQL depends
 *   on the rows of the database
 */
export async function printMigrations(database: PrintedDatabase): Promise<string> {
  const { kind, state } = database
  requireUpgradable(state)
  if (state.missing.length === 0) return '-- No migrations are missing.'

  const statements = [
    'begin',
    ...(kind === 'postgres' ? lockStatements : []),
    ...(await recordMigrations(database)),
    'commit',
  ]
  return [...commentsOn(state), ...statements.map((statement) => `${statement};`)].join('\n')
}

/** So that it runs alone, and does not wait long for the lock of a table (`migration-lock.ts`). */
const lockStatements = [
  `set local lock_timeout = ${defaultTimes.lock}`,
  `select pg_advisory_xact_lock(${lockNumber})`,
]

async function recordMigrations({
  kind,
  state: { missing, isEmpty },
  absent,
}: PrintedDatabase): Promise<readonly string[]> {
  const statements: string[] = []
  const db = createRecordingDatabase(kind, ({ sql, query }) => {
    if (query.kind !== 'SelectQueryNode') statements.push(sql)
    // An empty database has no rows to read.
    else if (!isEmpty) throw dependsOnRows(missing)
  })
  await createBookkeeping(db, absent)
  await runSteps(db, missing)
  return statements
}

function dependsOnRows(missing: readonly string[]): ConfigurationError {
  return new ConfigurationError(
    `the SQL of ${missing.join(', ')} cannot be printed, because it depends on the rows of the ` +
      'database. Fix: run "keystile migrate"',
  )
}

function commentsOn({ missing, mark }: SchemaState): readonly string[] {
  const upgrade = `-- Upgrades the tables of Keystile: ${missing.join(', ')}.`
  const raised = mark && findRaisedMark(missing)
  return raised === undefined
    ? [upgrade]
    : [upgrade, `-- Before you run it, stop all servers without the migration ${raised}.`]
}
