// Imports, makes and exports keys. Each key gets its one algorithm here.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  type KeyObject,
  type webcrypto,
} from 'node:crypto'
import { parseBase64url } from '../base/bytes.ts'
import {
  findAlgorithm,
  findAlgorithmOfCurve,
  listAlgorithmNames,
  type Algorithm,
  type AlgorithmName,
} from './algorithm.ts'
import type { KeyMaterial } from './key-material.ts'
import { keyObjectOf } from './key-object.ts'
import { findRsaWeakness } from './rsa-strength.ts'
import { secretKeyOf, trustedSecretKey, type SecretKeyMaker } from './shared-secret.ts'
import { sign, verify } from './signature.ts'
import { canSign, type SigningKey, type VerificationKey } from './signing-key.ts'

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

type KeyType = Algorithm['keyType']

interface Members {
  /** The members that a key must have: the public members; for a shared secret, the secret `k`. */
  readonly required: readonly string[]
  readonly private: readonly string[]
}

/** The members of each type of key (RFC 7518 §6, RFC 8037 §2). */
const membersOf: Readonly<Record<KeyType, Members>> = {
  oct: { required: ['k'], private: [] },
  RSA: { required: ['e', 'n'], private: ['d', 'p', 'q', 'dp', 'dq', 'qi'] },
  EC: { required: ['crv', 'x', 'y'], private: ['d'] },
  OKP: { required: ['crv', 'x'], private: ['d'] },
}

/** The length of `x`, `y` and `d` in bytes, for each curve. */
const curveBytes = { 'P-256': 32, 'P-384': 48, 'P-521': 66, Ed25519: 32 } as const

/** The registered operations that are neither signing nor verifying (RFC 7517 §4.3). */
const otherOperations = ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey', 'deriveKey', 'deriveBits']

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
 * Imports a key as `importKey` does, but checks secrets with the given function. The package does
 * not export `importKeyWith`. Tests use it for the secrets of test vectors, which `importKey`
 * refuses because they are public.
 */
export function importKeyWith(
  source: KeySource,
  secretKeyOf: SecretKeyMaker,
): SigningKey | VerificationKey {
  if (typeof source !== 'object' || source === null) {
    throw new TypeError('a key must be a JWK, { pem, algorithm } or { secret, algorithm }')
  }

  if ('pem' in source && typeof source.pem === 'string')
    return importPem(source.pem, requireAlgorithm(source.algorithm), keyIdOf(source.keyId))
  if (!('secret' in source)) return importJwk(source, secretKeyOf)
  return importSecret(
    source.secret,
    requireAlgorithm(source.algorithm),
    keyIdOf(source.keyId),
    secretKeyOf,
  )
}

/**
 * Makes a new key. Its default `keyId` is its thumbprint.
 *
 * @throws {TypeError} for an unknown algorithm
 */
export function generateKey(
  algorithm: AlgorithmName,
  options: { readonly keyId?: string } = {},
): SigningKey {
  const known = requireAlgorithm(algorithm)
  if (known.keyType === 'oct') {
    const secret = trustedSecretKey(randomBytes(known.minSecretBytes), known)
    return withKeyId({
      keyId: options.keyId,
      algorithm: known,
      verifyingKey: secret,
      signingKey: secret,
    })
  }

  const { publicKey, privateKey } =
    known.keyType === 'RSA'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : known.keyType === 'EC'
        ? generateKeyPairSync('ec', { namedCurve: known.curve })
        : generateKeyPairSync('ed25519')
  return withKeyId({
    keyId: options.keyId,
    algorithm: known,
    verifyingKey: publicKey,
    signingKey: privateKey,
  })
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

/** Returns the thumbprint of a key: SHA-256 of its required members, as base64url (RFC 7638 §3). */
export function thumbprint(jwk: Jwk): string {
  if (!isKeyType(jwk.kty))
    throw new TypeError('a thumbprint needs a JWK of kty EC, OKP, RSA or oct')

  const names = [...membersOf[jwk.kty].required, 'kty'].toSorted()
  for (const name of names)
    if (typeof jwk[name] !== 'string') throw new TypeError(`the JWK must have a "${name}"`)

  const text = JSON.stringify(pick(jwk, names))
  return createHash('sha256').update(text).digest('base64url')
}

function importJwk(jwk: Jwk, secretKeyOf: SecretKeyMaker): SigningKey | VerificationKey {
  const algorithm = algorithmOf(jwk)
  requireSigningPurpose(jwk)
  requireCanonicalMembers(jwk, algorithm)
  const keyId = keyIdOf(jwk.kid)
  if (algorithm.keyType === 'oct')
    return importSecret(bytesOf(jwk, 'k'), algorithm, keyId, secretKeyOf)

  const members = membersOf[algorithm.keyType]
  try {
    const publicJwk = pick(jwk, ['kty', ...members.required])
    const verifyingKey = createPublicKey({ key: publicJwk, format: 'jwk' })
    if (jwk['d'] === undefined) return checkedPublic({ keyId, algorithm, verifyingKey })

    const privateJwk = pick(jwk, ['kty', ...members.required, ...members.private])
    const signingKey = createPrivateKey({ key: privateJwk, format: 'jwk' })
    return checkedPair({ keyId, algorithm, verifyingKey, signingKey })
  } catch (error) {
    // Errors of Node have a `code`, and may repeat parts of the key. Errors of our checks do not.
    if (error instanceof TypeError && !('code' in error)) throw error
    throw new TypeError(`the JWK is not a valid ${algorithm.name} key`)
  }
}

/**
 * Returns the algorithm of a JWK: its `alg`, or the only algorithm of its curve, or RS256 for an
 * RSA key for signatures. Secrets and all other RSA keys must have an `alg`. Otherwise their
 * algorithm would be a guess, and one key could be used with two algorithms.
 */
function algorithmOf(jwk: Jwk): Algorithm {
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

function requireAlgorithm(name: unknown): Algorithm {
  const algorithm = findAlgorithm(name)
  if (!algorithm)
    throw new TypeError(`a key's algorithm must be one of ${listAlgorithmNames().join(', ')}`)
  return algorithm
}

function keyIdOf(kid: unknown): string | undefined {
  if (kid !== undefined && (typeof kid !== 'string' || kid === ''))
    throw new TypeError('a "kid" must be a string that is not empty')
  return kid
}

/**
 * Refuses a key that was made for encryption (RFC 7517 §4.2, §4.3). Ignores operations that are not
 * registered.
 */
function requireSigningPurpose(jwk: Jwk): void {
  if (jwk.use !== undefined && jwk.use !== 'sig')
    throw new TypeError('a signing key must have "use": "sig", or no "use"')

  if (jwk.key_ops === undefined) return
  if (!Array.isArray(jwk.key_ops)) throw new TypeError('"key_ops" must be an array')
  const signs = jwk.key_ops.includes('verify') || jwk.key_ops.includes('sign')
  if (!signs && jwk.key_ops.some((operation) => otherOperations.includes(operation))) {
    throw new TypeError('"key_ops" of a signing key must contain "sign" or "verify"')
  }
}

/**
 * Refuses a member that is not canonical base64url, and a coordinate whose length does not fit the
 * curve (RFC 7518 §6.2.1.2). Otherwise one key could be written in several ways.
 */
function requireCanonicalMembers(jwk: Jwk, algorithm: Algorithm): void {
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
function bytesOf(jwk: Jwk, name: string): Uint8Array {
  const value = jwk[name]
  const bytes = typeof value === 'string' ? parseBase64url(value) : undefined
  if (!bytes) throw new TypeError(`"${name}" of the JWK must be base64url without padding`)
  return bytes
}

function isKeyType(kty: string | undefined): kty is KeyType {
  return Object.keys(membersOf).some((type) => type === kty)
}

function pick(jwk: Jwk, names: readonly string[]): webcrypto.JsonWebKey {
  return Object.fromEntries(names.map((name) => [name, jwk[name]]))
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
  secretKeyOf: SecretKeyMaker,
): SigningKey {
  const bytes = typeof secret === 'string' ? Buffer.from(secret) : secret
  if (!(bytes instanceof Uint8Array)) throw new TypeError('a secret must be a string or bytes')
  if (algorithm.keyType !== 'oct') {
    throw new TypeError(
      `the algorithm of a shared secret must be HS256, HS384 or HS512; it is ${algorithm.name}`,
    )
  }

  const key = secretKeyOf(bytes, algorithm)
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

/** Returns the key. If it has no `keyId`, its thumbprint becomes its `keyId`. */
function withKeyId<K extends VerificationKey>(key: K): K {
  if (key.keyId !== undefined) return key
  const jwk = keyObjectOf(key.verifyingKey).export({ format: 'jwk' })
  return { ...key, keyId: thumbprint({ ...jwk }) }
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
