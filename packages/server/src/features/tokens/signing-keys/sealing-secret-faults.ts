// What an acceptable sealing secret is: the secret that encrypts the signing keys in the database.

import { findImpostor, isKnownSecret, isWeakSecret } from 'keystile/internal'

/**
 * The minimum length of the text of a secret, in bytes. `openssl rand -base64 32` prints a text of
 * 44 bytes, which encodes 256 random bits.
 */
const minBytes = 32

/**
 * A reason why a sealing secret is not acceptable. The package `keystile` has the same rules for
 * HMAC secrets.
 */
export interface SealingSecretFault {
  readonly kind: 'weak' | 'known'
  readonly message: string
}

/**
 * Finds all reasons why a sealing secret is not acceptable. The messages do not contain the secret,
 * because messages go to logs.
 */
export function findSealingSecretFaults(secret: string): readonly SealingSecretFault[] {
  const bytes = Buffer.from(secret)
  const faults: SealingSecretFault[] = []
  if (isWeakSecret(bytes, minBytes)) {
    faults.push({
      kind: 'weak',
      message: `must have at least ${minBytes} random characters, 16 of them different`,
    })
  } else if (isSentence(secret)) {
    faults.push({
      kind: 'weak',
      message: 'must be random; this one is a sentence, which others may guess',
    })
  }
  if (isKnownSecret(bytes)) {
    faults.push({
      kind: 'known',
      message: 'must be known to you only; this one is from a public template',
    })
  }
  const impostor = findImpostor(bytes)
  if (impostor) {
    faults.push({
      kind: 'known',
      message: `must be random; this one is ${impostor.name}, which others may know`,
    })
  }
  return faults
}

/**
 * Whether a secret is three or more words. Random text of 32 characters practically always has a
 * digit or a symbol.
 */
function isSentence(secret: string): boolean {
  return /^[\p{L}\s.,:;!?'"-]+$/u.test(secret) && secret.trim().split(/\s+/).length > 2
}
