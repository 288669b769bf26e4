import type { Algorithm } from './algorithm.ts'
import type { KeyMaterial } from './key-material.ts'

/** A key that verifies signatures. Each key works with exactly one algorithm (RFC 8725 §3.1). */
export interface VerificationKey {
  /** The `kid`, which tells several keys apart. */
  readonly keyId: string | undefined
  readonly algorithm: Algorithm
  readonly verifyingKey: KeyMaterial
}

/** A key that also signs. */
export interface SigningKey extends VerificationKey {
  /** The private key or the shared secret. */
  readonly signingKey: KeyMaterial
}

/** Whether a key can sign, not only verify. */
export function canSign(key: VerificationKey): key is SigningKey {
  return 'signingKey' in key
}
