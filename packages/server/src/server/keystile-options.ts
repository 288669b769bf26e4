import type { UserObject } from 'keystile'
import type { PublicUser } from '../features/accounts/users.ts'
import type { DirectoryOptions } from '../features/directory/feature.ts'
import type { OwnAccountOptions, SharedOptions } from './features.ts'

/**
 * What `createKeystile` is told. `S`: the declared scopes, `P`: the profile's fields, `U`: the user
 * of the app's own directory.
 */
export type KeystileOptions<
  S extends string,
  P extends object,
  U = PublicUser & P,
> = SharedOptions<S> & (WithAccounts<S, P> | WithDirectory<S, U>)

/** Where Keystile keeps the users. */
interface WithAccounts<S extends string, P extends object>
  extends OwnAccountOptions<S, P>, Without<DirectoryOptions<string, UserObject>> {}

/**
 * Where the application keeps them: there are no roles, no profile, and none of the endpoints below
 * `/users`.
 */
interface WithDirectory<S extends string, U>
  extends DirectoryOptions<S, U>, Without<OwnAccountOptions<string, object>> {}

type Without<Options> = { readonly [N in keyof Options]?: undefined }
