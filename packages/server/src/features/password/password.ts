import { createDecoy, saltOf } from './argon2.ts'
import type { HashThreads } from './hash-threads.ts'
import { defaultCost, parametersOf, type HashingCost } from './hashing-cost.ts'
import { isHash, isOutdated } from './stored-hash.ts'

export const maxBytes = 1_024

/** Hashes passwords as they were received: nothing is trimmed, made small or normalised. */
export interface Passwords {
  /**
   * Milliseconds until `hash` or `verify` would begin.
   *
   * @throws {ProblemError} `temporarily_unavailable` when they would refuse at once
   */
  requireRoom(address?: string): number
  /**
   * Does NOT check the policy: `PasswordPolicy` does.
   *
   * @param address the address of the sender: waiting passwords take turns between addresses
   * @throws {ProblemError} `temporarily_unavailable` when the hash could not begin in time
   */
  hash(password: string, address?: string): Promise<string>
  /**
   * Whether a password belongs to an argon2id, scrypt or bcrypt hash. For an unknown login pass no
   * hash: the answer is no, after the same work as for the last hash. The same holds for a value
   * that is not a hash. Where several kinds of hashes are stored, the duration can reveal the kind.
   *
   * @throws {ProblemError} as `hash` does
   */
  verify(password: string, stored: string | undefined, address?: string): Promise<boolean>
  /** Whether `renew` should replace the hash of a password that was just verified. */
  isOutdated(stored: string, password: string): boolean
  /**
   * Returns a new hash of a password that was just verified. Its `passwordMark` is that of the old
   * hash where that is argon2id with a salt as long as ours.
   *
   * @throws {ProblemError} as `hash` does
   */
  renew(stored: string, password: string, address?: string): Promise<string>
}

/** Whether a password is longer than any that is accepted, and so is wrong without a hash. */
export function isTooLong(password: string): boolean {
  return Buffer.byteLength(password) > maxBytes
}

/** @param cost the cost of new hashes; a login renews a hash of lower cost */
export function createPasswords(threads: HashThreads, cost: HashingCost = defaultCost): Passwords {
  const parameters = parametersOf(cost)
  // The decoy hash, verified when the user does not exist. At first no password has it; then it is
  // the last stored hash, since an imported one may cost ten times as much.
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
