import * as argon2 from './argon2.ts'
import * as bcrypt from './bcrypt.ts'
import * as scrypt from './scrypt.ts'

const formats = [argon2, scrypt, bcrypt]

/** Whether a value is an argon2id, scrypt or bcrypt hash that is not too costly to verify. */
export function isHash(stored: string): boolean {
  return formats.some((format) => format.isHash(stored))
}

/**
 * Whether a password belongs to a hash of any kind. Slow on purpose: call it in a hash thread only.
 *
 * @throws {Error} when `isHash` is false
 */
export async function verify(password: Uint8Array, stored: string): Promise<boolean> {
  const format = formats.find((candidate) => candidate.isHash(stored))
  if (!format) throw new Error('a stored password hash is none that can be verified')
  return format.verify(password, stored)
}

/**
 * Whether a new hash of a verified password should replace this one. False where bcrypt compared
 * only a part of the password: a new hash would cover the rest, which was never checked.
 */
export function isOutdated(
  stored: string,
  password: Uint8Array,
  parameters?: argon2.Argon2Parameters,
): boolean {
  return argon2.isOutdated(stored, parameters) && !bcrypt.isCutShort(password, stored)
}

/**
 * A text that is the same for all hashes of one password: the salt, which a renewed hash keeps. For
 * a hash that would get another salt, it is the whole hash.
 */
export function passwordMark(stored: string): string {
  return argon2.saltOf(stored) ?? stored
}
