import type { UserObject } from 'keystile'
import type { PublicUser } from '../features/accounts/users.ts'
import type { BuiltInScope } from '../features/scopes/scopes.ts'
import type { KeystileOptions } from './keystile-options.ts'
import type { Keystile } from './keystile.ts'
import { checkOptions } from './options.ts'
import { wire } from './wire.ts'

/**
 * Opens the database, brings it up to date, and starts Keystile on it. Faults of the options are
 * found before anything is touched, and reported together. With `users`, people log in who are kept
 * elsewhere, and of the endpoints below `/users` there are those of their sessions alone.
 *
 * @throws {TypeError} `ConfigurationError`, when an option is wrong or unsafe, or the database
 *   belongs to another issuer or key
 * @throws {Error} when the database cannot be opened
 */
export async function createKeystile<
  const S extends string = never,
  P extends object = object,
  U extends UserObject = PublicUser & P,
>(options: KeystileOptions<S, P, U>): Promise<Keystile<S | BuiltInScope, U>> {
  const { keystile } = await wire(checkOptions({ ...options }))
  // The profile schema has checked what is stored, or the directory is typed; and the scopes are
  // those of the options.
  return keystile as Keystile<S | BuiltInScope, U>
}
