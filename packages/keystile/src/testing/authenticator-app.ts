import { createHmac } from 'node:crypto'
import { kindOf } from '../base/options.ts'

/** An authenticator app with one secret, for tests of logins with a second factor. */
export interface AuthenticatorApp {
  /**
   * Returns the code of six digits that the app shows. A code is valid for 30 s.
   *
   * @param at default: now
   */
  code(at?: Date): string
}

const periodSeconds = 30

/**
 * Makes an authenticator app, as if a person had scanned a QR code or typed its secret: RFC 6238
 * with SHA-1, six digits and 30 s. Error messages never contain the secret.
 *
 * @param secretOrUri a base32 secret (lower case, spaces and padding are accepted), or an
 *   `otpauth://totp/` URI
 * @throws {TypeError} for anything else, and for a URI with other parameters of the algorithm
 * @see RFC 6238 §4
 */
export function createAuthenticatorApp(secretOrUri: string): AuthenticatorApp {
  if (typeof secretOrUri !== 'string') {
    throw new TypeError(
      'the argument of createAuthenticatorApp must be a base32 secret or an otpauth:// URI; ' +
        `it is ${kindOf(secretOrUri)}`,
    )
  }
  const isUri = /^otpauth:/i.test(secretOrUri)
  const secret = parseBase32(isUri ? secretOf(secretOrUri) : secretOrUri)

  return {
    code(at = new Date()) {
      const step = Math.floor(at.getTime() / 1000 / periodSeconds)
      if (!(step >= 0)) throw new TypeError('the argument of code() must be a Date since 1970')
      return codeOf(secret, step)
    },
  }
}

/** Returns the code of a time step. @see RFC 4226 §5.3 */
function codeOf(secret: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const hash = createHmac('sha1', secret).update(counter).digest()

  const offset = hash.readUInt8(hash.length - 1) & 0xf
  const number = hash.readUInt32BE(offset) & 0x7fffffff
  return String(number % 1_000_000).padStart(6, '0')
}

/**
 * Returns the secret in an otpauth URI.
 *
 * @see https://github.com/google/google-authenticator/wiki/Key-Uri-Format
 */
function secretOf(uri: string): string {
  const url = URL.canParse(uri) ? new URL(uri) : undefined
  if (url?.host !== 'totp') throw new TypeError('the URI must begin with otpauth://totp/')

  // An app that ignored one of these would show wrong codes.
  for (const [name, only] of [
    ['algorithm', 'SHA1'],
    ['digits', '6'],
    ['period', String(periodSeconds)],
  ] as const) {
    const value = url.searchParams.get(name) ?? only
    if (value.toUpperCase() !== only)
      throw new TypeError(`the \`${name}\` of the otpauth URI must be ${only}, or left out`)
  }

  const secret = url.searchParams.get('secret')
  if (secret === null) throw new TypeError('the otpauth URI must have a `secret`')
  return secret
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** @see RFC 4648 §6 */
function parseBase32(text: string): Uint8Array {
  const digits = text.replace(/ |=+$/g, '').toUpperCase()
  const bits = digits.replace(/./g, (digit) => toBits(alphabet.indexOf(digit)))
  const bytes = bits.match(/.{8}/g) ?? []
  // A secret that was cut off has bits that belong to no byte.
  const rest = bits.slice(bytes.length * 8)
  if (!/^[A-Z2-7]{2,}$/.test(digits) || !/^0{0,4}$/.test(rest)) {
    throw new TypeError('the secret must be base32: the letters A to Z and the digits 2 to 7')
  }
  return Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 2))
}

function toBits(digit: number): string {
  return digit.toString(2).padStart(5, '0')
}
