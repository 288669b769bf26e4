// Recognizes RSA keys that are too weak, or too expensive to verify with.
import type { KeyObject } from 'node:crypto'

const minModulusBits = 2048 // RFC 7518 §3.3
const maxModulusBits = 8192 // a larger key only makes each verification expensive
const minExponent = 65537n // NIST SP 800-56B §6.2; small exponents have known attacks
const maxExponentBits = 32 // a larger exponent only makes each verification expensive

/**
 * The primes that reveal a modulus of the ROCA generator (CVE-2017-15361). Modulo each of these
 * primes, such a modulus is equal to some power of 65537.
 */
const rocaPrimes = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101,
  103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
]

/**
 * If an RSA key is too weak or too expensive, returns what is wrong, for an error message.
 * Otherwise returns `undefined`.
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

  const { n = '' } = key.export({ format: 'jwk' })
  if (isRocaModulus(BigInt(`0x${Buffer.from(n, 'base64url').toString('hex')}`))) {
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
