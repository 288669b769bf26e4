import { isTooLong, maxBytes, type Passwords } from '../password/password.ts'
import type { PasswordOwner, PasswordPolicy } from './policy.ts'

/**
 * Passwords, for an app that keeps the users itself. A hash is computed in the threads that logins
 * use, with the cost of `passwordHashing`, and never on the event loop.
 */
export interface AppPasswords {
  /**
   * Returns the argon2id hash of a new password, to store with the user. Does NOT check the
   * password against the policy: call `checkPassword` first.
   *
   * @throws {TypeError} for more than 1,024 bytes
   * @throws {ProblemError} `temporarily_unavailable` if the hash could not begin within 2 s
   */
  hashPassword(password: string): Promise<string>
  /**
   * Whether a password belongs to a stored argon2id, scrypt or bcrypt hash. Pass undefined or null
   * for a user who does not exist: the result is false after the same work, so its duration does
   * not reveal whether the user exists. Does NOT count guesses: only a login at `POST /token` does.
   *
   * @throws {ProblemError} `temporarily_unavailable` if the hash could not begin within 2 s
   */
  verifyPassword(password: string, hash: string | undefined | null): Promise<boolean>
  /**
   * If a new password is not acceptable, returns the reason as a sentence for the user; otherwise
   * undefined. The sentence does not repeat the password. Takes a tenth of a millisecond, and
   * hashes nothing.
   *
   * @param owner the names of the user, which the password must not contain
   */
  checkPassword(password: string, owner?: PasswordOwner): string | undefined
}

// decisions/0018-passwords-as-methods.md
/** Creates `hashPassword`, `verifyPassword` and `checkPassword`. */
export function createAppPasswords(
  passwords: Pick<Passwords, 'hash' | 'verify'>,
  policy: PasswordPolicy,
): AppPasswords {
  return {
    async hashPassword(password) {
      requireString(password)
      if (isTooLong(password))
        throw new TypeError(
          `a password must have at most ${maxBytes} bytes; call checkPassword before hashPassword`,
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

/** @throws {TypeError} */
function requireString(password: unknown): void {
  if (typeof password !== 'string') throw new TypeError('a password must be a string')
}
