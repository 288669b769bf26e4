import { LeaseLostError, type Lease } from './lease.ts'

/** A background job: a step that the holder of a lease repeats. */
export interface Job {
  /** Starts a step, unless one is running. Does nothing without the lease, or after `close()`. */
  run(): void
  /** Aborts the signal of the step that is running, and waits for its end. */
  close(): Promise<void>
}

interface JobParts {
  readonly lease: Pick<Lease, 'isHeld'>
  readonly intervalMilliseconds: number
  step(closing: AbortSignal): Promise<void>
  /** Gets the error of a step that failed, but not if this process has lost the lease. */
  report(error: unknown): void
}

/** Runs a step at each interval while this process holds the lease. Two steps never overlap. */
export function startJob({ lease, intervalMilliseconds, step, report }: JobParts): Job {
  const closing = new AbortController()
  let running: Promise<void> | undefined

  function run(): void {
    if (closing.signal.aborted || !lease.isHeld) return
    running ??= step(closing.signal)
      .catch((error: unknown) => {
        if (!(error instanceof LeaseLostError)) report(error)
      })
      .finally(() => (running = undefined))
  }

  const timer = setInterval(run, intervalMilliseconds)
  timer.unref()
  return {
    run,
    async close() {
      closing.abort()
      clearInterval(timer)
      await running
    },
  }
}
