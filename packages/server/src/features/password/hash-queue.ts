import { createFairQueue } from './fair-queue.ts'
import type { HashJob } from './hash-pool.ts'

/** Jobs that wait for a thread, in fair turns between senders, each until its deadline. */
export interface HashQueue {
  readonly size: number
  /** How many jobs come before one that this sender adds now. */
  ahead(sender: string | undefined): number
  /** Adds a job, and refuses the job that must leave when all places are taken. */
  add(sender: string | undefined, job: HashJob): void
  /** Refuses every job whose deadline is over, now and whenever that happens to a further one. */
  refuseLate(): void
  /** Removes and returns the job whose turn it is. */
  take(): HashJob | undefined
  /** Refuses all jobs. */
  close(error: () => Error): void
}

interface HashQueueOptions {
  readonly places: number
  readonly maxWaitMilliseconds: number
  /** In milliseconds, from any start. */
  readonly now: () => number
  /** The error of a job that is refused. */
  readonly refusal: () => Error
}

interface WaitingJob extends HashJob {
  readonly deadline: number
}

export function createHashQueue({
  places,
  maxWaitMilliseconds,
  now,
  refusal,
}: HashQueueOptions): HashQueue {
  const waiting = createFairQueue<WaitingJob>(places)
  /** Runs from the first job that waits, to the deadline of the oldest one. */
  let timer: NodeJS.Timeout | undefined

  function refuseLate(): void {
    let oldest = waiting.oldest
    for (; oldest && oldest.deadline <= now(); oldest = waiting.oldest) {
      waiting.takeOldest()
      oldest.reject(refusal())
    }
    if (timer || !oldest) return

    const left = oldest.deadline - now()
    timer = setTimeout(() => {
      timer = undefined
      refuseLate()
    }, Math.ceil(left)).unref() // the running jobs keep the process alive
  }

  return {
    get size() {
      return waiting.size
    },
    ahead: waiting.ahead,
    add(sender, job) {
      const evicted = waiting.add(sender, { ...job, deadline: now() + maxWaitMilliseconds })
      evicted?.reject(refusal())
    },
    refuseLate,
    take: waiting.take,
    close(error) {
      clearTimeout(timer)
      for (let job = waiting.take(); job; job = waiting.take()) job.reject(error())
    },
  }
}
