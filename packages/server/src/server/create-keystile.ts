import type { UserObject } from 'keystile'
import { requireNode } from '../base/node-version.ts'
import type { PublicUser } from '../features/users/accounts/user.ts'
import type { BuiltInScope } from '../features/users/scopes/scopes.ts'
import type { KeystileOptions } from './keystile-options.ts'
import type { Keystile } from './keystile.ts'
import { checkOptions } from './options.ts'
import { wire } from './wire/wire.ts'

/**
 * Opens the database, and starts Keystile on it. Creates the tables in an empty database. Upgrades
 * older tables in a SQLite file, but not on PostgreSQL: there, call `migrateDatabase` first, or run
 * `keystile migrate`. Checks all options before it changes anything, and reports all faults
 * together. If the option `users` is given, the app stores the users, and the only endpoints below
 * `/users` are those for sessions.
 *
 * @throws {TypeError} a `ConfigurationError`: Node is too old, an option is not valid or not safe,
 *   the database was created with a different issuer or key, or its tables are not of this release
 * @throws {Error} when the database cannot be opened
 */
export async function createKeystile<
  const S extends string = never,
  P extends object = object,
  U extends UserObject = PublicUser & P,
>(options: KeystileOptions<S, P, U>): Promise<Keystile<S | BuiltInScope, U>> {
  requireNode()
  const { keystile } = await wire(checkOptions({ ...options }))
  // This cast is safe. The scopes are those in the options. The users have the right type, because
  // the schema of the profile has checked the stored profiles, or the app's directory is typed.
  return keystile as Keystile<S | BuiltInScope, U>
}
