/**
 * Passes what the app's own `user` threw to a callback that takes an error first, and wraps what is
 * no `Error`. Otherwise a rejection without a reason would count as no error and admit the request,
 * and Express would take the string "route" as permission to skip the remaining guards.
 */
export function passAsError(next: (error: Error) => void): (thrown: unknown) => void {
  return (thrown) =>
    next(
      thrown instanceof Error
        ? thrown
        : new Error('what was thrown is no Error', { cause: thrown }),
    )
}
