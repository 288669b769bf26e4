/** Work with a timeout, which can also be aborted earlier. */
export interface Deadline<T> {
  readonly promise: Promise<T>
  /** Aborts the work now. `promise` rejects with the reason. */
  abort(reason: Error): void
}

/**
 * Runs `work` with a timeout in seconds. The timeout is measured in real time, and a test's `Clock`
 * does not affect it. At the timeout the promise rejects, even if `work` ignores its signal.
 */
export function withDeadline<T>(
  work: (signal: AbortSignal) => Promise<T>,
  seconds: number,
): Deadline<T> {
  const controller = new AbortController()
  const { signal } = controller
  const abort = (reason: Error): void => controller.abort(reason)
  const timer = setTimeout(() => abort(new Error(`no answer within ${seconds} s`)), seconds * 1000)
  // This timer alone must not keep a process running.
  timer.unref?.()

  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
  })

  const promise = Promise.race([work(signal), aborted]).finally(() => clearTimeout(timer))
  return { promise, abort }
}
