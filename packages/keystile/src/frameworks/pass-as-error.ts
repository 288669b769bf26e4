/**
 * Creates a function for a rejected promise. The function passes the error to `next`. If the app's
 * `user` function has thrown a value that is not an `Error`, the function wraps the value in an
 * `Error`. Otherwise `next(undefined)` would mean "no error" and admit the request, and
 * `next('route')` would make Express skip the remaining guards.
 */
export function passAsError(next: (error: Error) => void): (thrown: unknown) => void {
  return (thrown) =>
    next(
      thrown instanceof Error
        ? thrown
        : new Error('the app threw a value that is not an Error', { cause: thrown }),
    )
}
