// The operator's own signing keys: the setting `signingKey`, a private JWK or a JWK Set.

import type { VerificationKey } from 'keystile/jwt'
import { importKey, type Jwk, type JwkSet } from 'keystile/jwt'
import { ConfigurationError } from '../../../base/configuration-error.ts'
import type { SealingSecrets } from '../../../base/seal.ts'
import {
  isIssuingAlgorithm,
  issuingAlgorithms,
  withKeyId,
  signingKeyOf,
  type NamedKey,
} from './signing-key.ts'

/** The first key signs. The others are only published: a next key, or previous keys. */
export type OwnKeys = readonly [NamedKey, ...VerificationKey[]]

/**
 * Imports the operator's own keys.
 *
 * @throws {ConfigurationError} if the first key is not a private key, if another key is not a
 *   private or public key, or if two keys have the same `kid`
 */
export function ownKeysOf(given: Jwk | JwkSet): OwnKeys {
  const [first, ...others] = jwksOf(given)
  if (!first) throw new ConfigurationError('a JWK Set must have a key; this one has none')

  const keys = [signingKeyOf(first), ...others.map(publishedKeyOf)] as const
  const kids = keys.map(({ keyId }) => keyId)
  if (new Set(kids).size !== kids.length)
    throw new ConfigurationError('each "kid" in a JWK Set must be unique; one appears twice')
  return keys
}

/**
 * Returns the private parts of the keys, the signing key first. Does NOT check the keys: the safety
 * rules do.
 */
export function privatePartsOf(given: Jwk | JwkSet): SealingSecrets {
  const [first, ...others] = jwksOf(given)
    .map((jwk) => jwk['d'])
    .filter((part) => part !== undefined)
    .map(String)
  if (first === undefined) throw new Error('the first signing key must be private')
  return [first, ...others]
}

/**
 * Imports a key that is published but does not sign, so a public key is enough. If the key has no
 * `kid`, gives it one.
 */
function publishedKeyOf(jwk: Jwk): VerificationKey {
  const key = importKey(jwk)
  if (!isIssuingAlgorithm(key.algorithm.name)) {
    throw new ConfigurationError(
      `each key of a JWK Set after the first must have an "alg" of ${issuingAlgorithms.join(', ')}`,
    )
  }
  return withKeyId(key)
}

function jwksOf(given: Jwk | JwkSet): readonly Jwk[] {
  return isSet(given) ? given.keys : [given]
}

function isSet(given: Jwk | JwkSet): given is JwkSet {
  return Array.isArray(given['keys'])
}
