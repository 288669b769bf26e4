/**
 * The type of an app's user: an object. `false` and `''`, which an expression such as
 * `user?.active && user` may return, do not compile. Arrays, functions, errors and promises do not
 * compile either: each is a truthy value that would admit a blocked user.
 */
export type UserObject = object &
  NotArrayOrFunctionOrPromise &
  ({ readonly message?: never } | { readonly stack?: never })

interface NotArrayOrFunctionOrPromise {
  readonly [Symbol.iterator]?: never
  readonly call?: never
  /** Excludes promises: a promise of any value is an object, so it would pass as a user. */
  readonly then?: never
}

/** Whether a value is a user at run time: an object, but not an array or an error. */
export function isUserObject(value: unknown): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Error)
  )
}

/**
 * Whether a user has a verified e-mail address: `emailVerified` is `true`. No other value counts,
 * because a text such as `'false'` is truthy too.
 */
export function isVerifiedUser(user: unknown): boolean {
  return (user as { readonly emailVerified?: unknown } | undefined)?.emailVerified === true
}
