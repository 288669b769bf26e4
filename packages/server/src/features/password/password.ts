import { createDecoy, isHash, isOutdated } from './argon2.ts'
import type { HashThreads } from './hash-threads.ts'

const minCodePoints = 15 // NIST SP 800-63B-4 §3.1.1.2, where a password is the only factor
const maxBytes = 1_024

/** Passwords, as the bytes that were received: nothing is trimmed, folded or normalised. */
export interface Passwords {
  /** Does NOT check the policy: `findPasswordFault` does. */
  hash(password: string): Promise<string>
  /**
   * Whether a password belongs to a hash. For a login that does not exist pass no hash: the same work is done, and the
   * answer is no; so it is for a stored value that is no hash.
   */
  verify(password: string, stored: string | undefined): Promise<boolean>
  isOutdated(stored: string): boolean
}

/** A password longer than any that is accepted is wrong before it is hashed. */
export function isTooLong(password: string): boolean {
  return Buffer.byteLength(password) > maxBytes
}

/** What is wrong with a new password, as a sentence, or nothing. No rule on its composition (NIST SP 800-63B-4 §3.1.1.2). */
export function findPasswordFault(password: string): string | undefined {
  if (isTooLong(password)) return `Password should have at most ${maxBytes} bytes`
  if (Array.from(password).length < minCodePoints) return `Password should have at least ${minCodePoints} characters`
  return undefined
}

export function createPasswords(threads: HashThreads): Passwords {
  const decoy = createDecoy()
  return {
    hash: (password) => threads.hash(Buffer.from(password)),
    async verify(password, stored) {
      const isKnown = stored !== undefined && isHash(stored)
      const matches = await threads.verify(Buffer.from(password), isKnown ? stored : decoy)
      return matches && isKnown
    },
    isOutdated,
  }
}
