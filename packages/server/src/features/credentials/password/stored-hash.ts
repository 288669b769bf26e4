// A stored hash of any kind that Keystile can verify.
import type { Argon2Parameters } from './argon2-derive.ts'
import * as argon2 from './argon2.ts'
import * as bcrypt from './bcrypt.ts'
import * as scrypt from './scrypt.ts'

const formats = [argon2, scrypt, bcrypt]

/**
 * The value that is stored instead of a hash for a user who must set a new password before the next
 * login.
 */
export const noPassword = '-'

/** Whether a value is an argon2id, scrypt or bcrypt hash that is not too costly to verify. */
export function isHash(stored: string): boolean {
  return formats.some((format) => format.isHash(stored))
}

/**
 * Whether a password belongs to a hash of any kind. This function is slow on purpose: call it only
 * in a hash thread.
 *
 * @throws {Error} if `isHash()` returns false for the hash
 */
export async function verify(password: Uint8Array, stored: string): Promise<boolean> {
  const format = formats.find((candidate) => candidate.isHash(stored))
  if (!format)
    throw new Error('the stored password hash must be an argon2id, scrypt or bcrypt hash')
  return format.verify(password, stored)
}

/**
 * Whether a new hash of a verified password should replace the stored hash. False if bcrypt has
 * compared only the first 72 bytes of the password: the owner may have mistyped a later byte. A new
 * hash would cover that byte too, and would then refuse the correct password.
 */
export function isOutdated(
  stored: string,
  password: Uint8Array,
  parameters?: Argon2Parameters,
): boolean {
  return argon2.isOutdated(stored, parameters) && !bcrypt.isCutShort(password, stored)
}

/**
 * Returns a value that changes when the user gets a new password. For an argon2id hash with a salt
 * that is long enough, returns the salt: it stays the same when the hash is renewed. For any other
 * hash, returns the whole hash, so the value also changes when the hash is renewed.
 */
export function passwordMark(stored: string): string {
  return argon2.saltOf(stored) ?? stored
}
