/**
 * Hands what the app's own `user` threw to a callback that takes an error first. What is no `Error` is wrapped: a
 * rejection without a reason would be no error there and let the request in, and Express takes the string "route" for
 * leave to pass over the guards that follow.
 */
export function refuseToGoOn(next: (error: Error) => void): (thrown: unknown) => void {
  return (thrown) =>
    next(thrown instanceof Error ? thrown : new Error('what was thrown is no Error', { cause: thrown }))
}
