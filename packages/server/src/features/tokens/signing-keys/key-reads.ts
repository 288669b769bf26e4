// When a process reads the signing keys from the database.

import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'keystile/internal'

/**
 * The minimum time between two reads that look for a key that this process does not know. It is
 * measured in real time, not by `clock`.
 */
const pauseMilliseconds = 250

/** Reads the keys from the database. Callers share the reads. */
interface KeyReads {
  /** Joins the running read, or starts one. */
  join(): Promise<void>
  /**
   * If a read is running, waits until it ends. Then starts a new read and waits for it. Callers
   * that wait for the start share the new read. Such reads start at least `pauseMilliseconds`
   * apart, so that tokens with an invented `kid` cannot flood the database.
   */
  fresh(): Promise<void>
}

/** @param read reads the keys once */
export function createKeyReads(read: () => Promise<void>, logger: Logger): KeyReads {
  let running: Promise<void> | undefined
  let queued: Promise<void> | undefined
  let mayStartAt = 0
  let isFailing = false

  async function readAndLog(): Promise<void> {
    try {
      await read()
    } catch (error) {
      if (!isFailing) logger.warn({ err: error }, 'the signing keys cannot be read')
      isFailing = true
      throw error
    } finally {
      running = undefined
    }
    if (isFailing) logger.info({}, 'the signing keys can be read again')
    isFailing = false
  }

  const join = (): Promise<void> => (running ??= readAndLog())

  async function startLater(): Promise<void> {
    await delay(Math.max(0, mayStartAt - performance.now()))
    // A read that started before the call may lack a key that the call asks for.
    for (let earlier = running; earlier; earlier = running) await earlier.catch(() => {})
    mayStartAt = performance.now() + pauseMilliseconds
    queued = undefined
    return join()
  }

  return { join, fresh: () => (queued ??= startLater()) }
}
