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
import { findRsaWeakness } from './rsa-strength.ts'
import { secretKeyOf, trustedSecretKey, type SecretKeyMaker } from './shared-secret.ts'
import { canSign, sign, verify, type SigningKey, type VerificationKey } from './signing-key.ts'

/**
 * A JSON Web Key (RFC 7517 §4). Other members are ignored; `jku`, `x5u` and other URLs are never
 * followed.
 */
export interface Jwk {
  readonly kty?: string
  readonly alg?: string
  readonly kid?: string
  readonly use?: string
  readonly key_ops?: readonly string[]
  readonly [member: string]: unknown
}

/** A key, of a named kind, so that a public key can never pass for a shared secret. */
export type KeySource =
  | Jwk
  /** PKCS#8 or SPKI text. */
  | { readonly pem: string; readonly algorithm: AlgorithmName; readonly keyId?: string }
  /** A shared secret: text stands for its UTF-8 bytes. */
  | {
      readonly secret: string | Uint8Array
      readonly algorithm: AlgorithmName
      readonly keyId?: string
    }

type KeyType = Algorithm['keyType']

interface Members {
  readonly public: readonly string[]
  readonly private: readonly string[]
}

const membersOf: Readonly<Record<KeyType, Members>> = {
  oct: { public: [], private: ['k'] },
  RSA: { public: ['e', 'n'], private: ['d', 'p', 'q', 'dp', 'dq', 'qi'] },
  EC: { public: ['crv', 'x', 'y'], private: ['d'] },
  OKP: { public: ['crv', 'x'], private: ['d'] },
}

/** Members whose length is that of the curve's field. */
const coordinates = ['x', 'y', 'd']
const curveBytes = { 'P-256': 32, 'P-384': 48, 'P-521': 66, Ed25519: 32 } as const

const operationsOfOthers = ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey', 'deriveKey', 'deriveBits']

/**
 * Makes a key out of a JWK, a PEM or a shared secret. The algorithm comes from here, never from a
 * token.
 *
 * Refuses a weak key: RSA below 2048 bits, with an exponent below 65537 or from the ROCA generator,
 * a point that is not on its curve, halves that do not belong together. Refuses a secret that is
 * shorter than its hash, not random, printed in public documentation, or something else by mistake:
 * a URL, a path, JSON, a public key.
 *
 * Does NOT check who the key belongs to, nor any certificate.
 *
 * @throws {TypeError} for an unfit key; says what is expected and never repeats the key
 * @see RFC 7517 §4, RFC 7518 §3.2 §3.3, RFC 8725 §3.1
 */
export function importKey(source: KeySource): SigningKey | VerificationKey {
  return importKeyWith(source, secretKeyOf)
}

/**
 * `importKey` with another `secretKeyOf`. No door exports it: tests use it to import the secrets of
 * test vectors, which `importKey` refuses because they are printed.
 */
export function importKeyWith(
  source: KeySource,
  secretKeyOf: SecretKeyMaker,
): SigningKey | VerificationKey {
  if (typeof source !== 'object' || source === null) {
    throw new TypeError('a key is a JWK, { pem, algorithm } or { secret, algorithm }')
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
 * Makes a new key. Its `keyId` is its thumbprint unless given.
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
 * Returns the public half as a JWK with `alg`, `use` and `kid`.
 *
 * @throws {TypeError} for a shared secret, which has none
 */
export function exportPublicJwk(key: VerificationKey): Jwk {
  if (key.algorithm.keyType === 'oct') throw new TypeError('a shared secret has no public half')
  return describeJwk(key, key.verifyingKey)
}

/** Returns the whole key as a JWK. @throws {TypeError} if only the public half is known */
export function exportPrivateJwk(key: VerificationKey): Jwk {
  if (!canSign(key)) throw new TypeError('only the public half of this key is known')
  return describeJwk(key, key.signingKey)
}

/** Returns the thumbprint of a key: SHA-256 of its required members, as base64url (RFC 7638 §3). */
export function thumbprint(jwk: Jwk): string {
  if (!isKeyType(jwk.kty))
    throw new TypeError('a thumbprint needs a JWK of kty EC, OKP, RSA or oct')
  const members = membersOf[jwk.kty]
  const names = [...(jwk.kty === 'oct' ? members.private : members.public), 'kty'].toSorted()
  for (const name of names)
    if (typeof jwk[name] !== 'string') throw new TypeError(`the JWK has no "${name}"`)
  const text = JSON.stringify(Object.fromEntries(names.map((name) => [name, jwk[name]])))
  return createHash('sha256').update(text).digest('base64url')
}

function importJwk(jwk: Jwk, secretKeyOf: SecretKeyMaker): SigningKey | VerificationKey {
  const algorithm = algorithmOf(jwk)
  requireSigningPurpose(jwk)
  requireCanonicalMembers(jwk, algorithm)
  const keyId = keyIdOf(jwk.kid)
  if (algorithm.keyType === 'oct')
    return importSecret(bytesOf(jwk, 'k'), algorithm, keyId, secretKeyOf)
  const { public: publicNames, private: privateNames } = membersOf[algorithm.keyType]
  try {
    const publicJwk = pick(jwk, ['kty', ...publicNames])
    const verifyingKey = createPublicKey({ key: publicJwk, format: 'jwk' })
    if (jwk['d'] === undefined) return checkedPublic({ keyId, algorithm, verifyingKey })
    const privateJwk = pick(jwk, ['kty', ...publicNames, ...privateNames])
    const signingKey = createPrivateKey({ key: privateJwk, format: 'jwk' })
    return checkedPair({ keyId, algorithm, verifyingKey, signingKey })
  } catch (error) {
    if (error instanceof TypeError && !('code' in error)) throw error
    throw new TypeError(`the JWK is no valid ${algorithm.name} key`)
  }
}

/**
 * Returns the algorithm of a JWK: the one it names, or the only one of its curve. RSA keys and
 * secrets must name theirs.
 */
function algorithmOf(jwk: Jwk): Algorithm {
  const algorithm =
    jwk.alg === undefined ? findAlgorithmOfCurve(jwk['crv']) : requireAlgorithm(jwk.alg)
  if (!algorithm) throw new TypeError('the JWK names no "alg", and its kty allows several')
  if (jwk.kty !== algorithm.keyType || jwk['crv'] !== algorithm.curve) {
    throw new TypeError(
      `a JWK for ${algorithm.name} has kty ${algorithm.keyType}${algorithm.curve ? ` and crv ${algorithm.curve}` : ''}`,
    )
  }
  return algorithm
}

function requireAlgorithm(name: unknown): Algorithm {
  const algorithm = typeof name === 'string' ? findAlgorithm(name) : undefined
  if (!algorithm)
    throw new TypeError(`a key's algorithm is one of ${listAlgorithmNames().join(', ')}`)
  return algorithm
}

function keyIdOf(kid: unknown): string | undefined {
  if (kid !== undefined && (typeof kid !== 'string' || kid === ''))
    throw new TypeError('a "kid" is a string that is not empty')
  return kid
}

/**
 * Refuses a key that was made for encryption (RFC 7517 §4.2, §4.3). Unregistered operations do not
 * matter.
 */
function requireSigningPurpose(jwk: Jwk): void {
  if (jwk.use !== undefined && jwk.use !== 'sig')
    throw new TypeError('a signing key has "use": "sig", or no "use"')
  if (jwk.key_ops === undefined) return
  if (!Array.isArray(jwk.key_ops)) throw new TypeError('"key_ops" is an array')
  const signs = jwk.key_ops.includes('verify') || jwk.key_ops.includes('sign')
  if (!signs && jwk.key_ops.some((operation) => operationsOfOthers.includes(operation))) {
    throw new TypeError('"key_ops" of a signing key contains "sign" or "verify"')
  }
}

/**
 * Refuses a member that is not canonical base64url, and a coordinate that is shorter or longer than
 * its field (RFC 7518 §6.2.1.2).
 */
function requireCanonicalMembers(jwk: Jwk, algorithm: Algorithm): void {
  const { public: publicNames, private: privateNames } = membersOf[algorithm.keyType]
  const required = algorithm.keyType === 'oct' ? privateNames : publicNames
  for (const name of [...publicNames, ...privateNames]) {
    if (name === 'crv' || (jwk[name] === undefined && !required.includes(name))) continue
    const bytes = bytesOf(jwk, name)
    const expected =
      algorithm.curve && coordinates.includes(name) ? curveBytes[algorithm.curve] : undefined
    if (expected !== undefined && bytes.length !== expected) {
      throw new TypeError(
        `"${name}" of a ${algorithm.curve} key has ${expected} bytes; this one has ${bytes.length}`,
      )
    }
  }
}

/** Parses a member of a JWK. @throws {TypeError} for another value than canonical base64url */
function bytesOf(jwk: Jwk, name: string): Buffer {
  const value = jwk[name]
  const bytes = typeof value === 'string' ? parseBase64url(value) : undefined
  if (!bytes) throw new TypeError(`"${name}" of the JWK is base64url without padding`)
  return bytes
}

function isKeyType(kty: string | undefined): kty is KeyType {
  return kty !== undefined && Object.hasOwn(membersOf, kty)
}

function pick(jwk: Jwk, names: readonly string[]): webcrypto.JsonWebKey {
  return Object.fromEntries(
    names.filter((name) => jwk[name] !== undefined).map((name) => [name, jwk[name]]),
  )
}

function importPem(
  pem: string,
  algorithm: Algorithm,
  keyId: string | undefined,
): SigningKey | VerificationKey {
  const expected = new TypeError(
    `a PEM for ${algorithm.name} holds an unencrypted PKCS#8 or an SPKI key of type ${algorithm.curve ?? algorithm.keyType}`,
  )
  if (algorithm.keyType === 'oct') throw expected
  let signingKey: KeyObject | undefined
  let verifyingKey: KeyObject
  let jwk: webcrypto.JsonWebKey
  try {
    signingKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem) ? createPrivateKey(pem) : undefined
    verifyingKey = createPublicKey(pem)
    jwk = verifyingKey.export({ format: 'jwk' }) // throws for a curve that no JWK has
  } catch {
    throw expected
  }
  const { asymmetricKeyType: type } = verifyingKey
  if (type !== 'rsa' && type !== 'ec' && type !== 'ed25519') throw expected
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
  if (!(bytes instanceof Uint8Array)) throw new TypeError('a secret is a string or bytes')
  if (algorithm.keyType !== 'oct')
    throw new TypeError(`a shared secret serves HS256, HS384 and HS512, not ${algorithm.name}`)
  const key = secretKeyOf(bytes, algorithm)
  return { keyId, algorithm, verifyingKey: key, signingKey: key }
}

function checkedPublic(key: VerificationKey): VerificationKey {
  const weakness = key.algorithm.keyType === 'RSA' ? findRsaWeakness(key.verifyingKey) : undefined
  if (weakness) throw new TypeError(weakness)
  return key
}

/**
 * Tries a pair once: a private key with the wrong public half would sign tokens that nobody can
 * verify.
 */
function checkedPair(key: SigningKey): SigningKey {
  checkedPublic(key)
  const probe = Buffer.from('keystile')
  if (!verify(key, probe, sign(key, probe)))
    throw new TypeError('the private and the public half of the key do not belong together')
  return key
}

function withKeyId<K extends VerificationKey>(key: K): K {
  if (key.keyId !== undefined) return key
  return { ...key, keyId: thumbprint({ ...key.verifyingKey.export({ format: 'jwk' }) }) }
}

function describeJwk(key: VerificationKey, half: KeyObject): Jwk {
  return {
    ...half.export({ format: 'jwk' }),
    ...(key.keyId !== undefined && { kid: key.keyId }),
    alg: key.algorithm.name,
    use: 'sig',
  }
}
