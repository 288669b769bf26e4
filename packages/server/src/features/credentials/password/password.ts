// Hashing never runs on the event loop (decisions/0002-hash-on-threads-of-their-own.md). This file
// is what other features use. `hash-threads.ts` refuses what could not begin in time.
// `hash-queue.ts` and `fair-queue.ts` serve the addresses in turn, so that one with many requests
// cannot delay the others. `hash-pool.ts` has a thread for each core, and `hash-thread.ts` is its
// program, at a lower priority on Linux. `stored-hash.ts` knows the kinds of stored hashes:
// argon2id, and scrypt and bcrypt of apps.
import { createDecoy, saltOf } from './argon2.ts'
import type { HashThreads } from './hash-threads.ts'
import { defaultCost, parametersOf, type HashingCost } from './hashing-cost.ts'
import { isHash, isOutdated } from './stored-hash.ts'

/**
 * The longest password, in bytes of UTF-8. It is far longer than password managers generate. The
 * limit bounds the memory of waiting passwords.
 */
export const maxBytes = 1_024

/**
 * Hashes and verifies passwords exactly as received. It does not trim them, change their case or
 * normalise them.
 */
export interface Passwords {
  /**
   * Estimates how long a password would now wait before `hash()` or `verify()` begins to hash it.
   * Returns the estimate in milliseconds.
   *
   * @throws {ProblemError} `temporarily_unavailable` if `hash()` and `verify()` would now throw
   *   this error immediately
   */
  requireRoom(address?: string): number
  /**
   * Hashes a new password. Does NOT check the policy: `PasswordPolicy` does.
   *
   * @param address the sender's IP address. Addresses are served in rotation, so that one address
   *   cannot delay the others
   * @throws {ProblemError} `temporarily_unavailable` if hashing could not start in time
   */
  hash(password: string, address?: string): Promise<string>
  /**
   * Whether a password belongs to an argon2id, scrypt or bcrypt hash. For an unknown user, pass
   * undefined: the result is false, after the same work as for the last verified hash. So the
   * duration does not reveal that the user is unknown. A value that is not a hash is handled like
   * undefined. If several kinds of hashes are stored, the duration can reveal the kind of a user's
   * hash.
   *
   * @throws {ProblemError} for the same reasons as `hash()`
   */
  verify(password: string, stored: string | undefined, address?: string): Promise<boolean>
  /** Whether `renew()` should replace the hash of a password that was just verified. */
  isOutdated(stored: string, password: string): boolean
  /**
   * Returns a new hash of a password that was just verified. If the old hash is argon2id and its
   * salt is long enough, the new hash keeps the salt. So the result of `passwordMark()` stays the
   * same, and known devices stay known.
   *
   * @throws {ProblemError} for the same reasons as `hash()`
   */
  renew(stored: string, password: string, address?: string): Promise<string>
}

/** Whether a password is too long. Such a password is wrong for every hash, so do not hash it. */
export function isTooLong(password: string): boolean {
  return Buffer.byteLength(password) > maxBytes
}

/**
 * Creates the functions that hash and verify the passwords of a server.
 *
 * @param cost the cost of new hashes; a login replaces a hash of lower cost
 */
export function createPasswords(threads: HashThreads, cost: HashingCost = defaultCost): Passwords {
  const parameters = parametersOf(cost)
  // The decoy hash, verified when the user does not exist. At first it is a hash that no password
  // matches. Later it is the last verified hash, because an imported hash may cost ten times as
  // much.
  let decoy = createDecoy(parameters)

  return {
    requireRoom: (address) => threads.requireRoom(address),
    hash: (password, address) => threads.hash(Buffer.from(password), address, parameters),
    async verify(password, stored, address) {
      const isKnown = stored !== undefined && isHash(stored)
      if (isKnown) decoy = stored
      const matches = await threads.verify(Buffer.from(password), decoy, address)
      return matches && isKnown
    },
    isOutdated: (stored, password) => isOutdated(stored, Buffer.from(password), parameters),
    renew: (stored, password, address) =>
      threads.hash(Buffer.from(password), address, parameters, saltOf(stored)),
  }
}
