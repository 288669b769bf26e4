/**
 * Returns the value that the app's `user` function has thrown, wrapped in an `Error` if it is none.
 * Without the wrapping, `next(undefined)` would mean "no error" and admit the request, and
 * `next('route')` would make Express skip the remaining guards.
 */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error
    ? thrown
    : new Error('the app threw a value that is not an Error', { cause: thrown })
}

/** Creates a function that calls `next` with what the app's `user` function has thrown. */
export function passAsError(next: (error: Error) => void): (thrown: unknown) => void {
  return (thrown) => next(asError(thrown))
}
