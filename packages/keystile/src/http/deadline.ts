/** Work with a deadline. */
export interface Deadline<T> {
  readonly promise: Promise<T>
  /** Ends the work now. The promise rejects with the reason. */
  abort(reason: Error): void
}

/**
 * Runs work that may take so many seconds. The promise rejects at the deadline, even if the work
 * ignores its signal.
 */
export function withDeadline<T>(
  work: (signal: AbortSignal) => Promise<T>,
  seconds: number,
): Deadline<T> {
  const controller = new AbortController()
  const { signal } = controller
  const abort = (reason: Error): void => controller.abort(reason)
  const timer = setTimeout(() => abort(new Error(`no answer in ${seconds} s`)), seconds * 1000)
  timer.unref() // the request that waits keeps the process alive, if anything does

  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
  })
  const promise = Promise.race([work(signal), aborted]).finally(() => clearTimeout(timer))
  return { promise, abort }
}
