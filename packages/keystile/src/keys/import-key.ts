// Imports keys: JWKs, PEMs and shared secrets.
import { createPrivateKey, createPublicKey, type KeyObject, type webcrypto } from 'node:crypto'
import type { Algorithm, AlgorithmName } from './algorithm.ts'
import {
  algorithmOf,
  bytesOf,
  keyIdOf,
  membersOf,
  pick,
  requireAlgorithm,
  requireCanonicalMembers,
  requireSigningPurpose,
  withKeyId,
  type Jwk,
} from './jwk.ts'
import { keyObjectOf } from './key-object.ts'
import { findRsaWeakness } from './rsa-strength.ts'
import { secretKeyOf, type SecretKeyMaker } from './shared-secret.ts'
import { sign, verify } from './signature.ts'
import type { SigningKey, VerificationKey } from './signing-key.ts'

/** A key with its kind, so a public key can never be used as a shared secret by mistake. */
export type KeySource =
  | Jwk
  /** A private key in PKCS#8, or a public key in SPKI. */
  | { readonly pem: string; readonly algorithm: AlgorithmName; readonly keyId?: string }
  /** A shared secret. If it is a string, its UTF-8 bytes are used. */
  | {
      readonly secret: string | Uint8Array
      readonly algorithm: AlgorithmName
      readonly keyId?: string
    }

/**
 * Imports a JWK, a PEM or a shared secret. The key gets its one algorithm here; a token never
 * chooses it.
 *
 * Refuses:
 *
 * * an RSA key below 2048 bits, with an exponent below 65537, or from the ROCA generator
 * * a public key whose point is not on its curve
 * * a private key that does not match its public key
 * * a secret that is shorter than the hash, not random, or printed in public documentation
 * * a secret that is really a URL, a path, JSON, or a public key
 *
 * Does NOT check who owns the key, nor any certificate.
 *
 * @throws {TypeError} for a refused key. The message says what the key must be, and does not
 *   contain the key
 * @see RFC 7517 §4, RFC 7518 §3.2 §3.3, RFC 8725 §3.1
 */
export function importKey(source: KeySource): SigningKey | VerificationKey {
  return importKeyWith(source, secretKeyOf)
}

/**
 * Imports a key as `importKey` does, but lets the given function check and make secret keys. The
 * package does not export `importKeyWith`. Tests use it for the secrets of test vectors, which
 * `importKey` refuses because they are public.
 */
export function importKeyWith(
  source: KeySource,
  makeSecretKey: SecretKeyMaker,
): SigningKey | VerificationKey {
  if (typeof source !== 'object' || source === null) {
    throw new TypeError('a key must be a JWK, { pem, algorithm } or { secret, algorithm }')
  }

  if ('pem' in source && typeof source.pem === 'string')
    return importPem(source.pem, requireAlgorithm(source.algorithm), keyIdOf(source.keyId))
  if (!('secret' in source)) return importJwk(source, makeSecretKey)
  return importSecret(
    source.secret,
    requireAlgorithm(source.algorithm),
    keyIdOf(source.keyId),
    makeSecretKey,
  )
}

function importJwk(jwk: Jwk, makeSecretKey: SecretKeyMaker): SigningKey | VerificationKey {
  const algorithm = algorithmOf(jwk)
  requireSigningPurpose(jwk)
  requireCanonicalMembers(jwk, algorithm)
  const keyId = keyIdOf(jwk.kid)
  if (algorithm.keyType === 'oct')
    return importSecret(bytesOf(jwk, 'k'), algorithm, keyId, makeSecretKey)

  const { required, private: others } = membersOf[algorithm.keyType]
  try {
    const publicJwk = pick(jwk, ['kty', ...required])
    const verifyingKey = createPublicKey({ key: publicJwk, format: 'jwk' })
    if (jwk['d'] === undefined) return checkedPublic({ keyId, algorithm, verifyingKey })

    const privateJwk = pick(jwk, ['kty', ...required, ...others])
    const signingKey = createPrivateKey({ key: privateJwk, format: 'jwk' })
    return checkedPair({ keyId, algorithm, verifyingKey, signingKey })
  } catch (error) {
    // Errors of Node have a `code`, and may repeat parts of the key. Errors of our checks do not.
    if (error instanceof TypeError && !('code' in error)) throw error
    throw new TypeError(`the JWK is not a valid ${algorithm.name} key`)
  }
}

function importPem(
  pem: string,
  algorithm: Algorithm,
  keyId: string | undefined,
): SigningKey | VerificationKey {
  const expected = new TypeError(
    `a PEM for ${algorithm.name} must be an unencrypted PKCS#8 or an SPKI key ` +
      `of type ${algorithm.curve ?? algorithm.keyType}`,
  )

  let signingKey: KeyObject | undefined
  let verifyingKey: KeyObject
  let jwk: webcrypto.JsonWebKey
  try {
    signingKey = /PRIVATE KEY-----/.test(pem) ? createPrivateKey(pem) : undefined
    verifyingKey = createPublicKey(pem)
    jwk = verifyingKey.export({ format: 'jwk' }) // throws for a curve without a JWK form
  } catch {
    throw expected
  }

  const { kty, crv } = jwk
  if (kty !== algorithm.keyType || crv !== algorithm.curve) throw expected

  return withKeyId(
    signingKey
      ? checkedPair({ keyId, algorithm, verifyingKey, signingKey })
      : checkedPublic({ keyId, algorithm, verifyingKey }),
  )
}

function importSecret(
  secret: unknown,
  algorithm: Algorithm,
  keyId: string | undefined,
  makeSecretKey: SecretKeyMaker,
): SigningKey {
  const bytes = typeof secret === 'string' ? Buffer.from(secret) : secret
  if (!(bytes instanceof Uint8Array)) throw new TypeError('a secret must be a string or bytes')
  if (algorithm.keyType !== 'oct') {
    throw new TypeError(
      `the algorithm of a shared secret must be HS256, HS384 or HS512; it is ${algorithm.name}`,
    )
  }

  const key = makeSecretKey(bytes, algorithm)
  return { keyId, algorithm, verifyingKey: key, signingKey: key }
}

/** Returns the key if its public half is strong enough. @throws {TypeError} if it is weak */
function checkedPublic(key: VerificationKey): VerificationKey {
  if (key.algorithm.keyType !== 'RSA') return key
  const weakness = findRsaWeakness(keyObjectOf(key.verifyingKey))
  if (weakness) throw new TypeError(weakness)
  return key
}

/**
 * Returns the key pair.
 *
 * @throws {TypeError} for a weak key. Also if the public half cannot verify a signature of the
 *   private half: the halves do not match, and no verifier would accept tokens of the key pair
 */
function checkedPair(key: SigningKey): SigningKey {
  checkedPublic(key)
  const probe = Buffer.alloc(8)
  if (!verify(key, probe, sign(key, probe)))
    throw new TypeError('the private and the public half of the key must match; these do not')
  return key
}
