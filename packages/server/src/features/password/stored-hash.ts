// A stored hash of any kind that Keystile can verify.
import * as argon2 from './argon2.ts'
import * as bcrypt from './bcrypt.ts'
import * as scrypt from './scrypt.ts'

const formats = [argon2, scrypt, bcrypt]

/** Whether a value is an argon2id, scrypt or bcrypt hash that is not too costly to verify. */
export function isHash(stored: string): boolean {
  return formats.some((format) => format.isHash(stored))
}

/**
 * Whether a password belongs to a hash of any kind. It is slow on purpose: call it only in a hash
 * thread.
 *
 * @throws {Error} when `isHash` is false
 */
export async function verify(password: Uint8Array, stored: string): Promise<boolean> {
  const format = formats.find((candidate) => candidate.isHash(stored))
  if (!format)
    throw new Error('the stored password hash must be an argon2id, scrypt or bcrypt hash')
  return format.verify(password, stored)
}

/**
 * Whether a new hash of a verified password should replace this one. False if bcrypt compared only
 * a part of the password: a new hash would cover the rest, which was never verified, and the owner
 * could be locked out.
 */
export function isOutdated(
  stored: string,
  password: Uint8Array,
  parameters?: argon2.Argon2Parameters,
): boolean {
  return argon2.isOutdated(stored, parameters) && !bcrypt.isCutShort(password, stored)
}

/**
 * Returns a text that is the same for all hashes of one password: the salt, which a renewed hash
 * keeps. For a hash whose renewal gets another salt, it is the whole hash.
 */
export function passwordMark(stored: string): string {
  return argon2.saltOf(stored) ?? stored
}
