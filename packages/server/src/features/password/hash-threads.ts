import { availableParallelism } from 'node:os'
import { ProblemError } from 'keystile/internal'
import { networkOf } from '../../base/network.ts'
import type { Argon2Parameters } from './argon2.ts'
import { openHashPool } from './hash-pool.ts'
import { createHashQueue } from './hash-queue.ts'
import type { HashRequest } from './hash-thread.ts'

// decisions/0003-refuse-late-logins-early.md
/** A job that did not begin by then is refused: its client gives up or sends it again. */
const maxWaitMilliseconds = 2_000
/** Bounds the memory. Long before, most waiting jobs could not begin in time. */
const placesOfThread = 500
/** Assumed duration of a hash until one has been measured. */
const assumedMilliseconds = 20
/** The share of the newest hash in the mean: a new rate shows after some dozen hashes. */
const newestShare = 1 / 16

/**
 * Threads that only hash, so that no guard and no commit waits behind a password. Waiting jobs take
 * turns between the addresses of their senders (IPv6: networks of 64 bits), so that many jobs from
 * one sender do not delay another.
 */
export interface HashThreads {
  /**
   * Refuses early what `hash` and `verify` would refuse, before other work is done for it. Reserves
   * no place.
   *
   * @returns milliseconds until a hash that is asked for now begins, by the present rate
   * @throws {ProblemError} `temporarily_unavailable` when it could not begin within 2 s
   */
  requireRoom(address?: string): number
  /**
   * @param address the address of the sender, where one sent the password
   * @param salt in base64, of another hash of the same password; without one, a new salt
   * @throws {ProblemError} `temporarily_unavailable` at once when the hash could not begin within
   *   2 s, or after 2 s when it did not
   */
  hash(
    password: Uint8Array,
    address?: string,
    parameters?: Argon2Parameters,
    salt?: string,
  ): Promise<string>
  /** @throws {ProblemError} as `hash` does */
  verify(password: Uint8Array, stored: string, address?: string): Promise<boolean>
  close(): Promise<void>
}

/**
 * @param count how many threads may run; each starts when there is work for it
 * @param now milliseconds that only ever grow
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

  /** Begins waiting jobs while threads are free. */
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
    hash: (password, address, parameters, salt) =>
      run({ password, parameters, salt }, address) as Promise<string>,
    verify: (password, stored, address) => run({ password, stored }, address) as Promise<boolean>,
    async close() {
      isClosed = true
      queue.close(stopping)
      await pool.close()
    },
  }
}

/** How fast jobs begin, by the mean duration of the newest hashes. */
interface HashRate {
  add(milliseconds: number): void
  /** Milliseconds until so many jobs have begun. */
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

/**
 * The sender of an address, for the turns; undefined for all unknown addresses, which take one
 * turn.
 */
function senderOf(address: string | undefined): string | undefined {
  return address === undefined ? undefined : networkOf(address)
}

function stopping(): ProblemError {
  return new ProblemError('temporarily_unavailable', 'The server is stopping', {
    reason: 'server_stopping',
    retryAfterSeconds: 1,
  })
}
