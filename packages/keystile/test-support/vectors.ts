// Imports the keys of test vectors. Their secrets are public, so `importKey` refuses them.
import type { KeySource, SigningKey, VerificationKey } from 'keystile/jwt'
import { importKeyWith } from '../src/keys/import-key.ts'
import { importKeys, keySetOf, type KeySet } from '../src/keys/jwk-set.ts'
import { trustedSecretKey } from '../src/keys/shared-secret.ts'

/** Imports a key as `importKey` does, and also accepts public secrets. */
export function importVector(source: KeySource): SigningKey | VerificationKey {
  return importKeyWith(source, trustedSecretKey)
}

/** Imports a set as `importJwkSet` does, and also accepts public secrets. */
export function importVectorSet(set: unknown): KeySet {
  return keySetOf(importKeys(set, () => true, undefined, importVector))
}
