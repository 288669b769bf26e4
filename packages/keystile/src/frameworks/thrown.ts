/**
 * Creates a function that passes a value that the app's `user` function threw to `next`. It wraps a
 * value that is not an `Error`. Without the wrapping, `next(undefined)` would mean "no error" and
 * admit the request, and `next('route')` would make Express skip the remaining guards.
 */
export function passAsError(next: (error: Error) => void): (thrown: unknown) => void {
  return (thrown) =>
    next(
      thrown instanceof Error
        ? thrown
        : new Error('the app threw a value that is not an Error', { cause: thrown }),
    )
}
