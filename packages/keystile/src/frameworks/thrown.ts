/**
 * Creates a function that calls `next` with the value that the app's `user` function has thrown. If
 * the value is not an `Error`, the function wraps it in an `Error`. Without the wrapping,
 * `next(undefined)` would mean "no error" and admit the request, and `next('route')` would make
 * Express skip the remaining guards.
 */
export function passAsError(next: (error: Error) => void): (thrown: unknown) => void {
  return (thrown) =>
    next(
      thrown instanceof Error
        ? thrown
        : new Error('the app threw a value that is not an Error', { cause: thrown }),
    )
}
