// The list of all migrations.
//
// To add a migration, write a file in migrations/ and list it below, with `expands` or `contracts`
// ("Changing the tables" in ARCHITECTURE.md). Its statements must not depend on rows that it has
// read, because `keystile migrate --print` prints them. No statement should rewrite a large table:
// it locks the table until the end of the migration. The SQL of a migration that users have run
// never changes. `migrations.test.ts` has a digest of it; before a release, add the digests of its
// migrations.
//
// - `migrate-sqlite.ts` upgrades a SQLite file, in the writer thread, at each start.
// - `migrate-postgres.ts` upgrades PostgreSQL, for `keystile migrate` (cli/migrate.ts) and
//   `migrateDatabase`: all missing migrations in one transaction. Before one that contracts, it
//   raises the mark (`schema-mark.ts`) and waits. A start only creates the tables of an empty
//   database.
// - `run-migrations.ts` runs the migrations for both.
// - `schema-state.ts` reads which migrations have run in a database, and `standing.ts` compares
//   them with this release. `require-schema.ts` refuses to start if a migration is missing or the
//   mark excludes this release.
// - `print-migrations.ts` runs the migrations on a driver that only records the SQL.
import type { Reader } from './database.ts'
import * as first from './migrations/0001-first.ts'
import * as refreshTokens from './migrations/0002-refresh-tokens.ts'
import * as clients from './migrations/0003-clients.ts'
import * as audit from './migrations/0004-audit.ts'
import * as housekeeping from './migrations/0005-housekeeping.ts'
import * as limits from './migrations/0006-limits.ts'
import * as passwordSession from './migrations/0007-password-session.ts'
import * as mail from './migrations/0008-mail.ts'
import * as mailProofs from './migrations/0009-mail-proofs.ts'
import * as appEvents from './migrations/0010-app-events.ts'
import * as pendingRegistrations from './migrations/0011-pending-registrations.ts'
import * as emailChanges from './migrations/0012-email-changes.ts'
import * as proofClaims from './migrations/0013-proof-claims.ts'
import * as proofAllowances from './migrations/0014-proof-allowances.ts'
import * as keyRotation from './migrations/0015-key-rotation.ts'
import * as schemaMark from './migrations/0016-schema-mark.ts'
import * as indexesForManyRows from './migrations/0017-indexes-for-many-rows.ts'
import * as droppedMails from './migrations/0018-dropped-mails.ts'
import * as secondFactors from './migrations/0019-second-factors.ts'
import * as authorizationCodes from './migrations/0020-authorization-codes.ts'
import * as browserLogins from './migrations/0021-browser-logins.ts'

interface Steps {
  up(db: Reader): Promise<void>
}

export interface Migration extends Steps {
  /**
   * After this migration, a release can use the database only if the release has the migration
   * with this number, such as 16. Servers of older releases do not start, and those that run stop
   * writing. Undefined if this migration excludes no release.
   */
  readonly oldestSchema?: number
}

/** Declares that releases without this migration can still use the database after it. */
export const expands = ({ up }: Steps): Migration => ({ up })

/**
 * Declares that this migration excludes old releases: after it, a release can use the database only
 * if the release has the migration with the number `oldestSchema`.
 */
export const contracts = ({ up }: Steps, oldestSchema: number): Migration => ({ up, oldestSchema })

/**
 * The migrations that are older than the schema mark. They do not declare which releases can use
 * the database after them.
 */
const unmarked: Readonly<Record<string, Steps>> = {
  '0001-first': first,
  '0002-refresh-tokens': refreshTokens,
  '0003-clients': clients,
  '0004-audit': audit,
  '0005-housekeeping': housekeeping,
  '0006-limits': limits,
  '0007-password-session': passwordSession,
  '0008-mail': mail,
  '0009-mail-proofs': mailProofs,
  '0010-app-events': appEvents,
  '0011-pending-registrations': pendingRegistrations,
  '0012-email-changes': emailChanges,
  '0013-proof-claims': proofClaims,
  '0014-proof-allowances': proofAllowances,
  '0015-key-rotation': keyRotation,
}

/**
 * The migrations since the schema mark was added. Each says whether it expands or contracts: see
 * "Changing the tables" in ARCHITECTURE.md.
 */
const marked: Readonly<Record<string, Migration>> = {
  '0016-schema-mark': contracts(schemaMark, 16),
  '0017-indexes-for-many-rows': expands(indexesForManyRows),
  '0018-dropped-mails': expands(droppedMails),
  '0019-second-factors': contracts(secondFactors, 19),
  '0020-authorization-codes': expands(authorizationCodes),
  '0021-browser-logins': expands(browserLogins),
}

/** All migrations by name. They run in the order of their names. Never change an old migration. */
export const migrations: Readonly<Record<string, Migration>> = { ...unmarked, ...marked }

/** Returns the number of a migration: 16 for `0016-schema-mark`. */
export function numberOf(name: string): number {
  return Number(/^\d{4}/.exec(name)?.[0] ?? NaN)
}

/** Returns the number of the newest migration of this release. */
export const schemaNumber = (): number => Math.max(...Object.keys(migrations).map(numberOf))
