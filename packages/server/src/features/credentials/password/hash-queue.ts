import { createFairQueue } from './fair-queue.ts'
import type { HashJob } from './hash-pool.ts'

/** The jobs that wait for a thread. Senders are served in rotation, and each job has a deadline. */
export interface HashQueue {
  readonly size: number
  /** Returns how many waiting jobs would be taken before a job that this sender adds now. */
  ahead(sender: string | undefined): number
  /**
   * Adds a job. If the queue is full, evicts one job and refuses it. The refused job can be the new
   * job.
   */
  add(sender: string | undefined, job: HashJob): void
  /** Refuses each job whose deadline has passed, and starts a timer for the next deadline. */
  refuseLate(): void
  take(): HashJob | undefined
  /** Refuses all jobs. */
  close(error: () => Error): void
}

interface HashQueueOptions {
  readonly places: number
  readonly maxWaitMilliseconds: number
  /** A clock in milliseconds. It may start at any number. */
  readonly now: () => number
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
  /** Fires at the deadline of the oldest job; undefined while no job waits. */
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
      for (let job = waiting.take(); job; job = waiting.take()) job.reject(error())
    },
  }
}
