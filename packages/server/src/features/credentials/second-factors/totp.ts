// Codes of authenticator apps (RFC 6238): SHA-1, six digits, 30 s, a secret of 160 bits. These are
// the values that every app supports.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { decodeBase32, encodeBase32 } from './base32.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const secretBytes = 20
const stepMilliseconds = 30_000

/** Returns a new secret: 160 random bits in base32 (RFC 4226 §4). */
export function makeTotpSecret(): string {
  return encodeBase32(randomBytes(secretBytes), alphabet)
}

/** Returns the code of a step, the number of 30-second periods since 1970 (RFC 4226 §5.3). */
export function codeAt(secret: string, step: number, digits = 6): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', decodeBase32(secret, alphabet)).update(counter).digest()
  // The last four bits say where the value is.
  const offset = mac.readUInt8(mac.length - 1) & 15
  const value = (mac.readUInt32BE(offset) & 0x7fffffff) % 10 ** digits
  return String(value).padStart(digits, '0')
}

/**
 * Returns the step of a code: the present step, the one before or the one after it (RFC 6238 §5.2).
 * Undefined for any other text. Does NOT check whether the code was used before.
 *
 * @param now in milliseconds
 */
export function stepOf(secret: string, code: string, now: number): number | undefined {
  const present = Math.floor(now / stepMilliseconds)
  const given = Buffer.from(code)
  // Compares with all steps, so that the time does not tell which of them was near.
  const fitting = [present - 1, present, present + 1].filter((step) => {
    const expected = Buffer.from(codeAt(secret, step))
    return given.length === expected.length && timingSafeEqual(given, expected)
  })
  return fitting.at(-1)
}

/** The first 60 letters. Longer names would make the QR code too fine to scan. */
const shortened = /^(.{60}).*$/su

/**
 * Returns the address from which an authenticator app reads the secret, often as a QR code.
 *
 * @param account how the app names the account, such as the user name
 * @see https://github.com/google/google-authenticator/wiki/Key-Uri-Format
 */
export function totpUri(secret: string, { issuer, account }: Record<'issuer' | 'account', string>) {
  // A colon separates the two, so neither may contain one. Half a surrogate pair cannot be encoded.
  const part = (text: string): string =>
    encodeURIComponent(text.toWellFormed().replaceAll(':', ' ').replace(shortened, '$1'))
  const [who, where] = [part(account), part(issuer)]
  return `otpauth://totp/${where}:${who}?secret=${secret}&issuer=${where}`
}
