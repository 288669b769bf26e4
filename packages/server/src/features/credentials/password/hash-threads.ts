import { availableParallelism } from 'node:os'
import { ProblemError } from 'keystile/internal'
import { networkOf } from '../../../base/network.ts'
import type { Argon2Parameters } from './argon2-derive.ts'
import { openHashPool } from './hash-pool.ts'
import { createHashQueue } from './hash-queue.ts'
import type { HashRequest } from './hash-thread.ts'

// decisions/0003-refuse-late-logins-early.md
/**
 * The longest time that a job may wait. A job that waits longer is refused, because its client
 * gives up or retries anyway.
 */
const maxWaitMilliseconds = 2_000
/**
 * How many jobs may wait for each thread. The limit exists only to bound the memory: a job behind
 * that many jobs could not begin within `maxWaitMilliseconds` anyway.
 */
const placesOfThread = 500
/** Assumed duration of a hash until one has been measured. */
const assumedMilliseconds = 20
/**
 * The weight of the newest hash in the mean duration. If hashing becomes slower or faster, the mean
 * shows it after some dozen hashes.
 */
const newestShare = 1 / 16

/**
 * Threads that only hash, so that guards and database commits do not wait while a password is
 * hashed. Senders are served in rotation, so that a flood of logins from one sender hardly delays
 * the other senders. A sender is an IPv4 address or an IPv6 network of 64 bits.
 */
export interface HashThreads {
  /**
   * Checks whether a hash could begin in time. Call it before other work that would be useless
   * without the hash. Does NOT reserve a place in the queue.
   *
   * @returns the estimated milliseconds until a hash that is requested now would begin
   * @throws {ProblemError} `temporarily_unavailable` if hashing could not start within 2 s
   */
  requireRoom(address?: string): number
  /**
   * Hashes a password.
   *
   * @param address the sender's IP address, if the password came over the network
   * @param salt the salt of the hash that the new hash replaces, in base64. Default: a random salt
   * @throws {ProblemError} `temporarily_unavailable`: immediately if the queue is so long that
   *   hashing would not start within 2 s; otherwise after 2 s, if hashing has not started by then
   */
  hash(
    password: Uint8Array,
    address?: string,
    parameters?: Argon2Parameters,
    salt?: string,
  ): Promise<string>
  /**
   * Whether a password belongs to a stored hash.
   *
   * @throws {ProblemError} for the same reasons as `hash()`
   */
  verify(password: Uint8Array, stored: string, address?: string): Promise<boolean>
  /** Refuses waiting and new jobs, waits for the running jobs, and ends the threads. */
  close(): Promise<void>
}

/**
 * Opens hash threads. Each thread starts when there is work for it.
 *
 * @param count the largest number of threads. More threads than cores would only use more memory
 * @param now a clock in milliseconds that never goes back
 */
export function openHashThreads(
  count: number = availableParallelism(),
  now: () => number = () => performance.now(),
): HashThreads {
  const queue = createHashQueue({
    places: count * placesOfThread,
    maxWaitMilliseconds,
    now,
    refusal: tooMany,
  })
  const rate = createHashRate(count)
  const pool = openHashPool(count, { now, onMeasured: rate.add, onFree: dispatch })
  let isClosed = false

  /** Refuses jobs that have waited too long, and passes other waiting jobs to the free threads. */
  function dispatch(): void {
    queue.refuseLate()
    while (pool.isFree()) {
      const job = queue.take()
      if (!job) return
      pool.begin(job)
    }
  }

  function tooMany(): ProblemError {
    const retryAfterSeconds = Math.max(1, Math.ceil(rate.millisecondsUntil(queue.size) / 1000))
    const details = { reason: 'hash_queue_full', retryAfterSeconds } as const
    return new ProblemError('temporarily_unavailable', 'Too many logins at the moment', details)
  }

  function requireRoomFor(sender: string | undefined): number {
    const wait = pool.isFree() ? 0 : rate.millisecondsUntil(queue.ahead(sender) + 1)
    if (wait > maxWaitMilliseconds) throw tooMany()
    return wait
  }

  function run(request: HashRequest, address: string | undefined): Promise<string | boolean> {
    const sender = senderOf(address)
    return new Promise((resolve, reject) => {
      if (isClosed) throw stopping()
      requireRoomFor(sender)

      queue.add(sender, { request, resolve, reject })
      dispatch()
    })
  }

  return {
    requireRoom: (address) => requireRoomFor(senderOf(address)),
    // The casts: a hash thread answers `hash` with a string, and `verify` with a boolean.
    hash: (password, address, parameters, salt) =>
      run({ task: 'hash', password, parameters, salt }, address) as Promise<string>,
    verify: (password, stored, address) =>
      run({ task: 'verify', password, stored }, address) as Promise<boolean>,
    async close() {
      isClosed = true
      queue.close(stopping)
      await pool.close()
    },
  }
}

/** How fast jobs begin, estimated from the mean duration of the newest hashes. */
interface HashRate {
  add(milliseconds: number): void
  millisecondsUntil(jobs: number): number
}

function createHashRate(threads: number): HashRate {
  let meanMilliseconds = assumedMilliseconds
  return {
    add(milliseconds) {
      meanMilliseconds += (milliseconds - meanMilliseconds) * newestShare
    },
    millisecondsUntil: (jobs) => (jobs * meanMilliseconds) / threads,
  }
}

/** Returns the sender of a job. All jobs without an address have the same sender. */
function senderOf(address: string | undefined): string | undefined {
  return address === undefined ? undefined : networkOf(address)
}

function stopping(): ProblemError {
  return new ProblemError('temporarily_unavailable', 'The server is stopping', {
    reason: 'server_stopping',
    retryAfterSeconds: 1,
  })
}
