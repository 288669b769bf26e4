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

/** The keys of a verifier. It asks for each token, so that a removed key stops working at once. */
export interface KeySet {
  /**
   * Finds the one key that may prove a token with this header.
   *
   * @param keyId the header's `kid`: unproved, and only compared
   * @param algorithm the header's `alg`
   */
  find(keyId: string | undefined, algorithm: Algorithm): VerificationKey | undefined
}

/** Whether keys are a `KeySet`. An array has a `find` too, which would call the `kid`. */
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
 * Imports a JWK Set. Refuses an ambiguous set: a `kid` that appears twice, or shared secrets beside
 * public keys. Refuses a set with a secret that `importKey` calls weak or known. Skips other keys
 * that are unfit or made for something else, as RFC 7517 §5 wants.
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
 * @param isWanted picks the JWKs to import. The others still count for a `kid` that appears twice
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
    throw new TypeError('a JWK Set is { "keys": [ … ] } of JWKs')
  const kids = all.map((jwk) => jwk['kid']).filter((kid) => kid !== undefined)
  if (new Set(kids).size !== kids.length)
    throw new TypeError('a "kid" appears twice in the JWK Set')
  const jwks = all.filter(isWanted)
  const symmetric = jwks.filter((jwk) => jwk['kty'] === 'oct').length
  if (symmetric > 0 && symmetric < jwks.length)
    throw new TypeError('the JWK Set mixes shared secrets and public keys')
  const keys: VerificationKey[] = []
  for (const jwk of jwks) {
    try {
      keys.push(importOne(jwk))
    } catch (error) {
      // A set of secrets comes from a developer, who must learn of a weak one.
      if (error instanceof UnfitSecretError) throw error
      onUnfit(messageOf(error))
    }
  }
  if (keys.length === 0) throw new TypeError('the JWK Set has no key that can be used')
  return keys
}

/**
 * Makes a set of keys. A token's `kid` names its key. A key without `keyId` serves tokens whose
 * `kid` names no other key, if it is the only one of its algorithm. A header that names another
 * algorithm than the key's finds nothing.
 */
export function keySetOf(keys: readonly VerificationKey[]): KeySet {
  const named = new Map(
    keys.filter((key) => key.keyId !== undefined).map((key) => [key.keyId, key]),
  )
  const unnamed = keys.filter((key) => key.keyId === undefined)
  return {
    find(keyId, algorithm) {
      const key = keyId === undefined ? undefined : named.get(keyId)
      if (key) return isSameAlgorithm(key.algorithm, algorithm) ? key : undefined
      const candidates = (keyId === undefined ? keys : unnamed).filter((key) =>
        isSameAlgorithm(key.algorithm, algorithm),
      )
      return candidates.length === 1 ? candidates[0] : undefined
    },
  }
}
