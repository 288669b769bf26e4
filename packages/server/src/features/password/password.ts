import { createDecoy, saltOf } from './argon2.ts'
import type { HashThreads } from './hash-threads.ts'
import { defaultCost, parametersOf, type HashingCost } from './hashing-cost.ts'
import { isHash, isOutdated } from './stored-hash.ts'

export const maxBytes = 1_024

/** Passwords, as the bytes that were received: nothing is trimmed, folded or normalised. */
export interface Passwords {
  /**
   * @returns milliseconds until `hash` or `verify` would begin
   * @throws {ProblemError} `temporarily_unavailable` when they would refuse at once
   */
  requireRoom(address?: string): number
  /**
   * Does NOT check the policy: `PasswordPolicy` does.
   *
   * @param address of whoever sent it: what waits is hashed in turns between addresses
   * @throws {ProblemError} `temporarily_unavailable` when it could not be begun in time
   */
  hash(password: string, address?: string): Promise<string>
  /**
   * Whether a password belongs to a hash: argon2id, scrypt or bcrypt. For a login that does not exist pass no hash: the
   * answer is no, after the work that the hash before it took; so it is for a stored value that is no hash. Where hashes of
   * several kinds are stored, time can tell one kind from another.
   *
   * @throws {ProblemError} as `hash` does
   */
  verify(password: string, stored: string | undefined, address?: string): Promise<boolean>
  /** Whether the hash of a password that was just verified should be made anew. */
  isOutdated(stored: string, password: string): boolean
  /**
   * Makes the hash of a password anew that was just verified. `passwordMark` of both is the same where the old one is argon2id with
   * a salt as long as ours.
   *
   * @throws {ProblemError} as `hash` does
   */
  renew(stored: string, password: string, address?: string): Promise<string>
}

/** A password longer than any that is accepted is wrong before it is hashed. */
export function isTooLong(password: string): boolean {
  return Buffer.byteLength(password) > maxBytes
}

/** @param cost of the hashes that are made from now on; those of less are made anew when their password is next verified */
export function createPasswords(threads: HashThreads, cost: HashingCost = defaultCost): Passwords {
  const parameters = parametersOf(cost)
  // What nobody's password is verified against: at first a hash of today's parameters that no password has, then the last
  // that was stored, for an imported one may cost ten times as much.
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
    renew: (stored, password, address) => threads.hash(Buffer.from(password), address, parameters, saltOf(stored)),
  }
}
