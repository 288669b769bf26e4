// The form of a key as a JWK: its members, its algorithm and its thumbprint. `import-key.ts` makes
// a key from it.
import { createHash } from 'node:crypto'
import { parseBase64url } from '../base/bytes.ts'
import {
  findAlgorithm,
  findAlgorithmOfCurve,
  listAlgorithmNames,
  type Algorithm,
} from './algorithm.ts'
import type { KeyMaterial } from './key-material.ts'
import { keyObjectOf } from './key-object.ts'
import { canSign, type VerificationKey } from './signing-key.ts'

/**
 * A JSON Web Key (RFC 7517 §4). Unknown members are ignored. URLs such as `jku` and `x5u` are never
 * fetched.
 */
export interface Jwk {
  readonly kty?: string
  readonly alg?: string
  readonly kid?: string
  readonly use?: string
  readonly key_ops?: readonly string[]
  readonly [member: string]: unknown
}

type KeyType = Algorithm['keyType']

interface Members {
  /** The members that a key must have: the public members; for a shared secret, the secret `k`. */
  readonly required: readonly string[]
  readonly private: readonly string[]
}

/** The members of each type of key (RFC 7518 §6, RFC 8037 §2). */
export const membersOf: Readonly<Record<KeyType, Members>> = {
  oct: { required: ['k'], private: [] },
  RSA: { required: ['e', 'n'], private: ['d', 'p', 'q', 'dp', 'dq', 'qi'] },
  EC: { required: ['crv', 'x', 'y'], private: ['d'] },
  OKP: { required: ['crv', 'x'], private: ['d'] },
}

/**
 * Returns the public key as a JWK with `alg`, `use` and `kid`.
 *
 * @throws {TypeError} for a shared secret, which must never be published
 */
export function exportPublicJwk(key: VerificationKey): Jwk {
  if (key.algorithm.keyType === 'oct')
    throw new TypeError('a shared secret has no public half, so it cannot be published')
  return describeJwk(key, key.verifyingKey)
}

/** Returns the private key or secret as a JWK. @throws {TypeError} for a public key */
export function exportPrivateJwk(key: VerificationKey): Jwk {
  if (!canSign(key))
    throw new TypeError('a private key or a secret is needed; this is a public key')
  return describeJwk(key, key.signingKey)
}

function describeJwk(key: VerificationKey, half: KeyMaterial): Jwk {
  const exported: Jwk = { ...keyObjectOf(half).export({ format: 'jwk' }) }
  const members = membersOf[key.algorithm.keyType]
  // workerd also exports `ext` and `key_ops`, and all members of other kinds of keys as undefined.
  const names = ['kty', ...members.required, ...members.private].filter(
    (name) => exported[name] !== undefined,
  )
  return {
    ...pick(exported, names),
    ...(key.keyId !== undefined && { kid: key.keyId }),
    alg: key.algorithm.name,
    use: 'sig',
  }
}

/** Returns the thumbprint of a key: SHA-256 of its required members, as base64url (RFC 7638 §3). */
export function thumbprint(jwk: Jwk): string {
  if (!isKeyType(jwk.kty))
    throw new TypeError('a thumbprint needs a JWK of kty EC, OKP, RSA or oct')

  const names = [...membersOf[jwk.kty].required, 'kty'].toSorted()
  const missing = names.find((name) => typeof jwk[name] !== 'string')
  if (missing) throw new TypeError(`the JWK must have a "${missing}"`)

  const text = JSON.stringify(pick(jwk, names))
  return createHash('sha256').update(text).digest('base64url')
}

/** Returns the key. If it has no `keyId`, its thumbprint becomes its `keyId`. */
export function withKeyId<K extends VerificationKey>(key: K): K {
  if (key.keyId !== undefined) return key
  const jwk = keyObjectOf(key.verifyingKey).export({ format: 'jwk' })
  return { ...key, keyId: thumbprint({ ...jwk }) }
}

/**
 * Returns the algorithm of a JWK: its `alg`, or the only algorithm of its curve, or RS256 for an
 * RSA key for signatures. Secrets and all other RSA keys must have an `alg`. Otherwise their
 * algorithm would be a guess, and one key could be used with two algorithms.
 */
export function algorithmOf(jwk: Jwk): Algorithm {
  const algorithm = jwk.alg === undefined ? impliedAlgorithmOf(jwk) : requireAlgorithm(jwk.alg)
  if (!algorithm)
    throw new TypeError('the JWK must have an "alg"; its kty allows several algorithms')
  if (jwk.kty !== algorithm.keyType || jwk['crv'] !== algorithm.curve) {
    const curve = algorithm.curve ? ` and crv ${algorithm.curve}` : ''
    throw new TypeError(`a JWK for ${algorithm.name} must have kty ${algorithm.keyType}${curve}`)
  }
  return algorithm
}

/**
 * Finds the algorithm of a JWK without `alg`, which is optional (RFC 7517 §4.4). A curve has one
 * algorithm. An RSA key for signatures gets RS256, because every issuer must support RS256 (RFC
 * 9068 §2.1, OpenID Connect Core §15.1). Entra ID, for example, publishes RSA keys without `alg`.
 */
function impliedAlgorithmOf(jwk: Jwk): Algorithm | undefined {
  return jwk.kty === 'RSA' && jwk.use === 'sig'
    ? findAlgorithm('RS256')
    : findAlgorithmOfCurve(jwk['crv'])
}

export function requireAlgorithm(name: unknown): Algorithm {
  const algorithm = findAlgorithm(name)
  if (!algorithm)
    throw new TypeError(`a key's algorithm must be one of ${listAlgorithmNames().join(', ')}`)
  return algorithm
}

export function keyIdOf(kid: unknown): string | undefined {
  if (kid !== undefined && (typeof kid !== 'string' || kid === ''))
    throw new TypeError('a "kid" must be a string that is not empty')
  return kid
}

/** The registered operations that are neither signing nor verifying (RFC 7517 §4.3). */
const otherOperations = ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey', 'deriveKey', 'deriveBits']

/**
 * Refuses a key that was made for encryption (RFC 7517 §4.2, §4.3). Ignores operations that are not
 * registered.
 */
export function requireSigningPurpose(jwk: Jwk): void {
  if (jwk.use !== undefined && jwk.use !== 'sig')
    throw new TypeError('a signing key must have "use": "sig", or no "use"')

  if (jwk.key_ops === undefined) return
  if (!Array.isArray(jwk.key_ops)) throw new TypeError('"key_ops" must be an array')
  const signs = jwk.key_ops.includes('verify') || jwk.key_ops.includes('sign')
  if (!signs && jwk.key_ops.some((operation) => otherOperations.includes(operation))) {
    throw new TypeError('"key_ops" of a signing key must contain "sign" or "verify"')
  }
}

/** The length of `x`, `y` and `d` in bytes, for each curve. */
const curveBytes = { 'P-256': 32, 'P-384': 48, 'P-521': 66, Ed25519: 32 } as const

/**
 * Refuses a member that is not canonical base64url, and a coordinate whose length does not fit the
 * curve (RFC 7518 §6.2.1.2). Otherwise one key could be written in several ways.
 */
export function requireCanonicalMembers(jwk: Jwk, algorithm: Algorithm): void {
  const { required, private: others } = membersOf[algorithm.keyType]
  for (const name of [...required, ...others]) {
    if (name === 'crv' || (jwk[name] === undefined && !required.includes(name))) continue

    const bytes = bytesOf(jwk, name)
    const expected = algorithm.curve && curveBytes[algorithm.curve]
    if (expected !== undefined && bytes.length !== expected) {
      throw new TypeError(
        `"${name}" of a ${algorithm.curve} key must have ${expected} bytes; ` +
          `this one has ${bytes.length}`,
      )
    }
  }
}

/** Decodes a member of a JWK. @throws {TypeError} unless it is canonical base64url */
export function bytesOf(jwk: Jwk, name: string): Uint8Array {
  const value = jwk[name]
  const bytes = typeof value === 'string' ? parseBase64url(value) : undefined
  if (!bytes) throw new TypeError(`"${name}" of the JWK must be base64url without padding`)
  return bytes
}

function isKeyType(kty: string | undefined): kty is KeyType {
  return Object.keys(membersOf).some((type) => type === kty)
}

/** Returns only the named members. Does NOT check that they are strings. */
export function pick(jwk: Jwk, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, jwk[name]])) as Record<string, string>
}
