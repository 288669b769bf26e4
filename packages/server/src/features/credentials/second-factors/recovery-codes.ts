// Recovery codes: what a person writes down for the day on which the phone is lost.
import { randomBytes } from 'node:crypto'
import { hashSecret } from '../../../base/secret.ts'
import { encodeBase32 } from './base32.ts'

const count = 10
/** 80 bits. Nobody can guess them, so a fast hash is enough. */
const codeBytes = 10
// Crockford's base32: without i, l, o and u, which people mix up on paper.
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/** Returns ten new codes, each of 16 letters and digits in groups of four. */
export function makeRecoveryCodes(): readonly string[] {
  return Array.from({ length: count }, () => {
    const letters = encodeBase32(randomBytes(codeBytes), alphabet)
    return letters.replaceAll(/(.{4})(?=.)/g, '$1-')
  })
}

/**
 * Returns the hash that the database stores. Spaces, hyphens and the case of letters do not matter,
 * and neither do letters that look like a digit, because people type the codes from paper.
 */
export function hashRecoveryCode(code: string): string {
  const plain = code.replaceAll(/[\s-]/g, '').toLowerCase()
  return hashSecret(plain.replaceAll('o', '0').replaceAll(/[il]/g, '1'))
}
