import { isTooLong, maxBytes, type Passwords } from '../password/password.ts'
import type { PasswordOwner, PasswordPolicy } from './policy.ts'

/**
 * Functions for the passwords of an app's own users. They compute hashes in the same threads as
 * logins do, never on the event loop. A new hash has the cost of the setting `passwordHashing`.
 */
export interface AppPasswords {
  /**
   * Returns the argon2id hash of a new password. The app stores the hash with the user. Does NOT
   * check the password against the policy: call `checkPassword()` first.
   *
   * @throws {TypeError} if the password has more than 1,024 bytes
   * @throws {ProblemError} `temporarily_unavailable` if hashing could not start within 2 s
   */
  hashPassword(password: string): Promise<string>
  /**
   * Whether a password belongs to a stored argon2id, scrypt or bcrypt hash. For a user who does not
   * exist, pass undefined or null. The result is then false, after the same work as for a hash, so
   * the duration does not reveal whether the user exists. Does NOT limit guesses: only logins
   * through Keystile have rate limits.
   *
   * @throws {ProblemError} `temporarily_unavailable` if hashing could not start within 2 s
   */
  verifyPassword(password: string, hash: string | undefined | null): Promise<boolean>
  /**
   * Returns the reason why a new password is not acceptable, or undefined if the password is
   * acceptable. The reason is a sentence for the user that does not contain the password. A call
   * takes about 0.1 ms, because it does not hash the password.
   *
   * @param owner the names of the user, which the password must not contain
   */
  checkPassword(password: string, owner?: PasswordOwner): string | undefined
}

// decisions/0018-passwords-as-methods.md
export function createAppPasswords(
  passwords: Pick<Passwords, 'hash' | 'verify'>,
  policy: PasswordPolicy,
): AppPasswords {
  return {
    async hashPassword(password) {
      requireString(password)
      if (isTooLong(password))
        throw new TypeError(
          `a password must have at most ${maxBytes} bytes; ` +
            'call checkPassword() before hashPassword()',
        )
      return passwords.hash(password)
    },
    async verifyPassword(password, hash) {
      requireString(password)
      return !isTooLong(password) && passwords.verify(password, hash ?? undefined)
    },
    checkPassword(password, owner = {}) {
      requireString(password)
      return policy.findFault(password, owner)
    },
  }
}

/** @throws {TypeError} if the password is not a string */
function requireString(password: unknown): void {
  if (typeof password !== 'string') throw new TypeError('a password must be a string')
}
