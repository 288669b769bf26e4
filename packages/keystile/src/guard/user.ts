/**
 * What an app may return as a user: an object. `false`, `''` and other leftovers of an expression
 * like `user?.active && user` do not compile, nor do arrays, functions, errors and promises of
 * them.
 */
export type UserObject = object &
  NotArrayOrFunctionOrPromise &
  ({ readonly message?: never } | { readonly stack?: never })

interface NotArrayOrFunctionOrPromise {
  readonly [Symbol.iterator]?: never
  readonly call?: never
  /** Without this, the promise of anything would itself be an object, and so a user. */
  readonly then?: never
}

/** Whether a value is a user at run time: an object that is neither an array nor an error. */
export function isUserObject(value: unknown): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Error)
  )
}
