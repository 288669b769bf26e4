import { messageOf } from '../base/errors.ts'
import { isJsonObject, type JsonObject } from '../base/json.ts'
import { isSameAlgorithm, type Algorithm } from './algorithm.ts'
import { importKey, type Jwk } from './jwk.ts'
import { UnfitSecretError } from './shared-secret.ts'
import type { VerificationKey } from './signing-key.ts'

/** The keys that an issuer publishes (RFC 7517 §5). */
export interface JwkSet {
  readonly keys: readonly Jwk[]
}

/**
 * The keys of a verifier. The verifier looks up the key for each token, so a removed key stops
 * working at once.
 */
export interface KeySet {
  /**
   * Finds the one key that may verify a token with this header.
   *
   * @param keyId the header's `kid`, which the sender chose: compare it, and do nothing else
   * @param algorithm the header's `alg`
   */
  find(keyId: string | undefined, algorithm: Algorithm): VerificationKey | undefined
}

/** Whether keys are a `KeySet`. An array also has a `find`, which would call the `kid`. */
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
 * Imports a JWK Set. Refuses the whole set when a `kid` appears twice, when it mixes shared secrets
 * and public keys, or when `importKey` refuses one of its secrets. Skips other keys that are weak,
 * unknown or made for another purpose, as RFC 7517 §5 recommends.
 *
 * @param onUnfit called with the reason for each skipped key
 * @throws {TypeError} for a refused set, and for one without a usable key
 */
export function importJwkSet(set: unknown, onUnfit?: (reason: string) => void): KeySet {
  return keySetOf(importKeys(set, () => true, onUnfit))
}

/**
 * Imports a JWK Set as a list of keys.
 *
 * @param isWanted picks the JWKs to import. A `kid` must differ from those of the others too
 * @throws {TypeError} as `importJwkSet`
 */
export function importKeys(
  set: unknown,
  isWanted: (jwk: JsonObject) => boolean,
  onUnfit: (reason: string) => void = () => {},
  importOne: typeof importKey = importKey,
): readonly VerificationKey[] {
  const all = isJsonObject(set) ? set['keys'] : undefined
  if (!Array.isArray(all) || !all.every(isJsonObject))
    throw new TypeError('a JWK Set must be { "keys": [ … ] } of JWKs')

  const kids = all.map((jwk) => jwk['kid']).filter((kid) => kid !== undefined)
  if (new Set(kids).size !== kids.length)
    throw new TypeError('each "kid" in a JWK Set must be unique; one appears twice')

  const jwks = all.filter(isWanted)
  // Stryker disable next-line EqualityOperator: a set with both kinds has both in either count
  const symmetric = jwks.filter((jwk) => jwk['kty'] === 'oct').length
  if (symmetric > 0 && symmetric < jwks.length)
    throw new TypeError('a JWK Set must hold shared secrets or public keys; this one has both')

  const keys: VerificationKey[] = []
  for (const jwk of jwks) {
    try {
      keys.push(importOne(jwk))
    } catch (error) {
      // Only a developer writes a set of secrets, and must learn about a weak one.
      if (error instanceof UnfitSecretError) throw error
      onUnfit(messageOf(error))
    }
  }

  if (keys.length === 0) throw new TypeError('a JWK Set must have a usable key; this one has none')
  return keys
}

/**
 * Makes a set of keys. A token's `kid` selects its key. If no key has this `kid`, the only key of
 * the algorithm without a `keyId` is used. Without a `kid`, the only key of the algorithm is used.
 * The key's algorithm must be the token's: this stops a token that was signed by HMAC with the text
 * of a public key.
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
