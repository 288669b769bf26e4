import type { UserObject } from 'keystile'
import type { PublicUser } from '../features/users/accounts/user.ts'
import type { UserDirectory } from '../features/users/directory/directory.ts'
import type { DirectoryOptions } from '../features/users/directory/feature.ts'
import type { OwnAccountOptions, SharedOptions } from './features.ts'

/**
 * The options of `createKeystile`.
 *
 * @typeParam S the declared scopes
 * @typeParam P the fields of the profile
 * @typeParam U the user in the app's own directory
 */
export type KeystileOptions<
  S extends string,
  P extends object,
  U = PublicUser & P,
> = SharedOptions<S> &
  (WithAccounts<S, P> | (WithDirectory<S, U> & { readonly users: RequiredSubject<NoInfer<U>> }))

/**
 * Makes the function `subject` required, unless the `id` of each user is a string. Without this
 * rule, a numeric id would fail only at the first login.
 */
type RequiredSubject<U> = [U] extends [{ readonly id: string }]
  ? unknown
  : Required<Pick<UserDirectory<U>, 'subject'>>

interface WithAccounts<S extends string, P extends object>
  extends OwnAccountOptions<S, P>, Without<DirectoryOptions<string, UserObject>> {}

/**
 * The options of `createKeystile()` for an app that stores its users itself. For such an app,
 * Keystile has neither roles nor profiles, and its only endpoints below `/users` are those for
 * sessions.
 */
interface WithDirectory<S extends string, U>
  extends DirectoryOptions<S, U>, Without<OwnAccountOptions<string, object>> {}

type Without<Options> = { readonly [N in keyof Options]?: undefined }
