// Sets of keys: those of an issuer's JWK Set, and the one of them that may verify a token.
import { messageOf } from '../base/errors.ts'
import { isJsonObject, type JsonObject } from '../base/json.ts'
import { isSameAlgorithm, type Algorithm } from './algorithm.ts'
import { importKey } from './import-key.ts'
import { type Jwk } from './jwk.ts'
import { UnfitSecretError } from './shared-secret.ts'
import type { VerificationKey } from './signing-key.ts'

/** The keys that an issuer publishes (RFC 7517 §5). */
export interface JwkSet {
  readonly keys: readonly Jwk[]
}

/**
 * The keys of a verifier. The verifier looks up the key for each token, so a removed key is refused
 * from the next token on.
 */
export interface KeySet {
  /**
   * Finds the one key that may verify a token with this header.
   *
   * @param keyId the header's `kid`. The sender chose it, so only compare it, and never put it into
   *   a path, a URL or a query
   * @param algorithm the header's `alg`
   */
  find(keyId: string | undefined, algorithm: Algorithm): VerificationKey | undefined
  /**
   * Loads the keys again if `find` finds no key for this header. A verifier waits for `seek` before
   * it refuses a token with an unknown key. A sender can invent a new `kid` for each token, so
   * `seek` must limit how often it loads the keys. Does NOT return the key.
   *
   * @throws {TokenError} `temporarily_unavailable` if the keys cannot be loaded
   */
  seek?(keyId: string | undefined, algorithm: Algorithm): Promise<void>
}

/**
 * Whether a value is a `KeySet`. Returns false for an array, because the `find` of an array expects
 * a function, not a `kid`.
 */
export function isKeySet(keys: unknown): keys is KeySet {
  return (
    typeof keys === 'object' &&
    keys !== null &&
    !Array.isArray(keys) &&
    'find' in keys &&
    typeof keys.find === 'function'
  )
}

/**
 * Imports a JWK Set. Refuses the whole set if a `kid` appears twice, if the set has both shared
 * secrets and public keys, or if `importKey` refuses one of the secrets. If `importKey` refuses a
 * key that is not a secret, skips only this key, as RFC 7517 §5 recommends. For example, skips a
 * weak key, a key of an unknown type, and a key for encryption.
 *
 * @param onUnfit called with the reason for each skipped key
 * @throws {TypeError} for a refused set, and for a set without a usable key
 */
export function importJwkSet(set: unknown, onUnfit?: (reason: string) => void): KeySet {
  return keySetOf(importKeys(set, () => true, onUnfit))
}

/**
 * Imports a JWK Set as a list of keys.
 *
 * @param isWanted picks the JWKs to import. A `kid` must be unique among all JWKs of the set, also
 *   among those that are not imported
 * @param importOne replaced only by test-support/vectors.ts, whose secrets are public
 * @throws {TypeError} for a set that `importJwkSet` refuses
 */
export function importKeys(
  set: unknown,
  isWanted: (jwk: JsonObject) => boolean,
  onUnfit: (reason: string) => void = () => {},
  importOne: typeof importKey = importKey,
): readonly VerificationKey[] {
  const all = isJsonObject(set) ? set['keys'] : undefined
  if (!Array.isArray(all) || !all.every(isJsonObject))
    throw new TypeError('a JWK Set must be an object { "keys": [ … ] } with a list of JWKs')

  const kids = all.map((jwk) => jwk['kid']).filter((kid) => kid !== undefined)
  if (new Set(kids).size !== kids.length)
    throw new TypeError('each "kid" in a JWK Set must be unique; one appears twice')

  const jwks = all.filter(isWanted)
  const symmetric = jwks.filter((jwk) => jwk['kty'] === 'oct').length
  if (symmetric > 0 && symmetric < jwks.length)
    throw new TypeError('a JWK Set must have only secrets or only public keys; this one has both')

  const keys: VerificationKey[] = []
  for (const jwk of jwks) {
    try {
      keys.push(importOne(jwk))
    } catch (error) {
      // Issuers publish no secrets: a developer wrote this set, and must learn about a weak secret.
      if (error instanceof UnfitSecretError) throw error
      onUnfit(messageOf(error))
    }
  }

  if (keys.length === 0) throw new TypeError('a JWK Set must have a usable key; this one has none')
  return keys
}

/**
 * Makes a set of keys. Its `find` returns the key whose `keyId` is the token's `kid`. If no key has
 * this `keyId`, `find` looks among the keys without a `keyId`. For a token without a `kid`, `find`
 * looks among all keys. In these two cases, `find` returns a key only if exactly one of the keys in
 * question has the token's algorithm.
 *
 * `find` never returns a key whose algorithm differs from the token's. If an attacker signs a token
 * by HMAC, with the text of a public key as the secret, the token is therefore refused.
 */
export function keySetOf(keys: readonly VerificationKey[]): KeySet {
  const named = new Map(
    keys.filter((key) => key.keyId !== undefined).map((key) => [key.keyId, key]),
  )
  const unnamed = keys.filter((key) => key.keyId === undefined)

  return {
    find(keyId, algorithm) {
      const key = named.get(keyId)
      if (key) return isSameAlgorithm(key.algorithm, algorithm) ? key : undefined

      const candidates = (keyId === undefined ? keys : unnamed).filter((key) =>
        isSameAlgorithm(key.algorithm, algorithm),
      )
      return candidates.length === 1 ? candidates[0] : undefined
    },
  }
}
