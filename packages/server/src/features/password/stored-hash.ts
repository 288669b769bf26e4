import * as argon2 from './argon2.ts'
import * as bcrypt from './bcrypt.ts'
import * as scrypt from './scrypt.ts'

const formats = [argon2, scrypt, bcrypt]

/** Whether a stored value is a hash that can be verified: argon2id, scrypt or bcrypt, and none that would hold a thread for long. */
export function isHash(stored: string): boolean {
  return formats.some((format) => format.isHash(stored))
}

/**
 * Whether a password belongs to a hash, whoever made it. Slow on purpose: only ever called in a hash thread.
 *
 * @throws {Error} when `isHash` does not hold
 */
export async function verify(password: Uint8Array, stored: string): Promise<boolean> {
  const format = formats.find((candidate) => candidate.isHash(stored))
  if (!format) throw new Error('a stored password hash is none that can be verified')
  return format.verify(password, stored)
}

/**
 * Whether the hash of a password that was just verified should be made anew. Not where bcrypt has compared only a part
 * of the password: whatever was typed behind it would become what has to be typed.
 */
export function isOutdated(stored: string, password: Uint8Array, parameters?: argon2.Argon2Parameters): boolean {
  return argon2.isOutdated(stored, parameters) && !bcrypt.isCutShort(password, stored)
}

/**
 * What tells the hashes of one password from those of another: the salt, which stays when a hash is made anew with today's
 * parameters, or all of it, where it would get another salt.
 */
export function passwordMark(stored: string): string {
  return argon2.saltOf(stored) ?? stored
}
