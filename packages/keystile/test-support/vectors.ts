// Keys of test vectors. Their secrets are printed, so no door of the library takes them.
import { importKeyWith } from '../src/keys/jwk.ts'
import { importKeys, keySetOf, type KeySet } from '../src/keys/jwk-set.ts'
import { trustedSecretKey } from '../src/keys/shared-secret.ts'
import type { KeySource, SigningKey, VerificationKey } from 'keystile/jwt'

/** `importKey`, which here takes printed secrets too. */
export function importVector(source: KeySource): SigningKey | VerificationKey {
  return importKeyWith(source, trustedSecretKey)
}

/** `importJwkSet`, which here takes printed secrets too. */
export function importVectorSet(set: unknown): KeySet {
  return keySetOf(importKeys(set, () => true, undefined, importVector))
}
