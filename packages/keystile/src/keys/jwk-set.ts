import { isJsonObject, type JsonObject } from '../base/json.ts'
import { isSameAlgorithm, type Algorithm } from './algorithm.ts'
import { importKey, type Jwk } from './jwk.ts'
import { UnfitSecretError } from './shared-secret.ts'
import type { VerificationKey } from './signing-key.ts'

/** What an issuer publishes (RFC 7517 §5). */
export interface JwkSet {
  readonly keys: readonly Jwk[]
}

/** The keys that a verifier may use, asked anew for each token, so that a key that is taken away is gone at once. */
export interface KeySet {
  /**
   * The one key that may prove a token with this header.
   *
   * @param keyId the header's `kid`: the sender's word, only ever compared
   * @param algorithm the header's `alg`
   */
  find(keyId: string | undefined, algorithm: Algorithm): VerificationKey | undefined
}

/** Whether keys can be asked. An array has a `find` too, which would take a `kid` for a function. */
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
 * Imports a JWK Set. A set that can be read in two ways is refused whole: a `kid` that appears twice, or shared secrets
 * beside public keys. So is one with a secret that `importKey` refuses as weak or known. Another key that is unfit or made
 * for something else is left out, as RFC 7517 §5 wants.
 *
 * @param onUnfit told of each key left out, and why; without it they are silent
 * @throws {TypeError} when the set is refused, or no key of it is fit
 */
export function importJwkSet(set: unknown, onUnfit?: (reason: string) => void): KeySet {
  return keySetOf(importKeys(set, () => true, onUnfit))
}

/**
 * The keys of `importJwkSet`, one by one.
 *
 * @param isWanted says which JWKs are looked at; the others are left out, though a `kid` must not appear twice with them
 * @throws {TypeError} as there
 */
export function importKeys(
  set: unknown,
  isWanted: (jwk: JsonObject) => boolean,
  onUnfit: (reason: string) => void = () => {},
  importOne: typeof importKey = importKey,
): readonly VerificationKey[] {
  const all = isJsonObject(set) ? set['keys'] : undefined
  if (!Array.isArray(all) || !all.every(isJsonObject)) throw new TypeError('a JWK Set is { "keys": [ … ] } of JWKs')
  const kids = all.map((jwk) => jwk['kid']).filter((kid) => kid !== undefined)
  if (new Set(kids).size !== kids.length) throw new TypeError('a "kid" appears twice in the JWK Set')
  const jwks = all.filter(isWanted)
  const symmetric = jwks.filter((jwk) => jwk['kty'] === 'oct').length
  if (symmetric > 0 && symmetric < jwks.length) throw new TypeError('the JWK Set mixes shared secrets and public keys')
  const keys: VerificationKey[] = []
  for (const jwk of jwks) {
    try {
      keys.push(importOne(jwk))
    } catch (error) {
      // A set of secrets is given by a developer, who must hear of a weak one.
      if (error instanceof UnfitSecretError) throw error
      onUnfit((error as Error).message)
    }
  }
  if (keys.length === 0) throw new TypeError('the JWK Set has no key that can be used')
  return keys
}

/**
 * The set of these keys. A token's `kid` names its key; a key without `keyId` serves tokens whose `kid` names no other,
 * where it is the only one of its algorithm. One key has one algorithm: a header that names another finds nothing.
 */
export function keySetOf(keys: readonly VerificationKey[]): KeySet {
  const named = new Map(keys.filter((key) => key.keyId !== undefined).map((key) => [key.keyId, key]))
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
