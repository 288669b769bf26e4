import type { Algorithm } from './algorithm.ts'
import type { KeyMaterial } from './key-material.ts'

/** A key that verifies signatures. Each key works with exactly one algorithm (RFC 8725 §3.1). */
export interface VerificationKey {
  readonly keyId: string | undefined
  readonly algorithm: Algorithm
  readonly verifyingKey: KeyMaterial
}

export interface SigningKey extends VerificationKey {
  /** The private key or the shared secret. */
  readonly signingKey: KeyMaterial
}

export function canSign(key: VerificationKey): key is SigningKey {
  return 'signingKey' in key
}
