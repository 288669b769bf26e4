// When a process reads the events: every 250 ms, and soon after a commit or a signal. Only one read
// runs at a time.

import type { Logger } from 'keystile/internal'

/**
 * The time between two reads. With four reads a second, a revocation reaches every process within a
 * second, even if one read fails.
 */
const tailMilliseconds = 250
/**
 * The shortest time between two reads that `hasten()` starts. Because of this pause, most
 * revocations under load share a read. Fewer reads are better: a read also commits the numbers of
 * new events, and each commit waits for the disk.
 */
const hastenedMilliseconds = 20
/**
 * Creates functions that run `work`, one run at a time. A caller of `run()` waits for a run that
 * starts after the call, because a run in progress may have read the database before the caller's
 * commit. All waiting callers share the next run.
 */
export function createTurns(work: () => Promise<void>): {
  run(): Promise<void>
  finish(): Promise<void>
} {
  let running: Promise<void> = Promise.resolve()
  let queued: Promise<void> | undefined

  return {
    run() {
      queued ??= running.then(() => {
        queued = undefined
        const run = work()
        running = run.catch(() => {})
        return run
      })
      return queued
    },
    async finish() {
      await Promise.allSettled([queued ?? running])
    },
  }
}

/**
 * Creates the function `hasten`, which starts `work` at once, or as soon as 20 ms have passed since
 * the previous start. If a start is waiting, `stop()` starts `work` at once. After `stop()`,
 * `hasten` starts nothing.
 */
export function createHasten(work: () => void): { hasten(): void; stop(): void } {
  let startedAt = Number.NEGATIVE_INFINITY
  let waiting: NodeJS.Timeout | undefined
  let isStopped = false

  const start = (): void => {
    waiting = undefined
    startedAt = performance.now()
    work()
  }
  return {
    hasten() {
      if (waiting || isStopped) return
      const pause = startedAt + hastenedMilliseconds - performance.now()
      if (pause <= 0) start()
      else waiting = setTimeout(start, pause).unref()
    },
    stop() {
      isStopped = true
      if (!waiting) return
      clearTimeout(waiting)
      start()
    },
  }
}

/**
 * Runs a step every 250 ms. If several runs in a row fail, logs only the first failure. Also logs
 * when the step works again.
 *
 * @returns a function that stops these runs
 */
export function runRegularly(step: () => Promise<void>, logger: Logger): () => void {
  let isStopped = false
  let isFailing = false

  const timer = setInterval(() => {
    void step().then(
      () => {
        if (isFailing) logger.info({}, 'revocations can be read again')
        isFailing = false
      },
      (error: unknown) => {
        if (!isFailing && !isStopped) logger.error({ err: error }, 'revocations cannot be read')
        isFailing = true
      },
    )
  }, tailMilliseconds)
  timer.unref()

  return () => {
    isStopped = true
    clearInterval(timer)
  }
}
