// Recognizes RSA keys that are too weak, or too expensive to verify with.
import type { KeyObject } from 'node:crypto'
import { parseBase64url } from '../base/bytes.ts'

const minModulusBits = 2048 // RFC 7518 §3.3
const maxModulusBits = 8192 // a larger key only makes each verification expensive
const minExponent = 65537n // NIST SP 800-56B §6.2; small exponents have known attacks
const maxExponentBits = 32 // a larger exponent only makes each verification expensive

/**
 * The primes that detect a ROCA modulus (CVE-2017-15361). Modulo each of them, such a modulus is a
 * power of 65537.
 */
const rocaPrimes = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101,
  103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
]

/**
 * Returns why an RSA key is too weak, or `undefined`.
 *
 * @see RFC 7518 §3.3, NIST SP 800-56B §6.2.2
 */
export function findRsaWeakness(key: KeyObject): string | undefined {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  if (modulusLength < minModulusBits)
    return `an RSA modulus must have at least ${minModulusBits} bits; this one has ${modulusLength}`
  if (modulusLength > maxModulusBits)
    return `an RSA modulus must have at most ${maxModulusBits} bits; this one has ${modulusLength}`
  if (publicExponent < minExponent || publicExponent % 2n === 0n)
    return 'an RSA exponent must be odd and at least 65537'
  if (publicExponent >> BigInt(maxExponentBits))
    return `an RSA exponent must have at most ${maxExponentBits} bits`

  const { n } = key.export({ format: 'jwk' })
  const modulus = n === undefined ? undefined : parseBase64url(n)
  if (modulus && isRocaModulus(BigInt(`0x${Buffer.from(modulus).toString('hex')}`))) {
    return 'this RSA key was made by a flawed generator (ROCA, CVE-2017-15361) and can be factored'
  }
  return undefined
}

function isRocaModulus(modulus: bigint): boolean {
  return rocaPrimes.every((prime) => isPowerOf65537(Number(modulus % BigInt(prime)), prime))
}

function isPowerOf65537(residue: number, prime: number): boolean {
  let power = 1
  do {
    if (power === residue) return true
    power = (power * (65537 % prime)) % prime
  } while (power !== 1)
  return false
}
