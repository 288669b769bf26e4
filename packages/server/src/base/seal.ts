import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'

/** The length of the IV, in bytes. GCM is designed for this length (NIST SP 800-38D §8.2). */
const ivBytes = 12
/**
 * The length of the authentication tag, in bytes. GCM allows no longer tag, and a shorter tag would
 * be easier to forge.
 */
const tagBytes = 16

/**
 * The secrets of a seal. The seal encrypts with the first secret, and decrypts values that were
 * encrypted with any of the secrets.
 */
export type SealingSecrets = readonly [string, ...string[]]

/**
 * Encrypts values before they are stored. A thief who copies the database cannot read these values
 * without the secret.
 */
export interface Seal {
  /**
   * Encrypts a string.
   *
   * @param context the place that the value belongs to, such as the id of its row. It stops an
   *   attacker who can write to the database from moving an encrypted value to another row.
   */
  seal(text: string, context?: string): string
  /**
   * Decrypts a value. Returns undefined if the value was changed after its encryption, or if it was
   * encrypted with another secret or another context.
   */
  open(sealed: string, context?: string): string | undefined
  /**
   * Returns the HMAC-SHA-256 of a text with each secret, first with the current one. For a text
   * that is stored as a hash and could be guessed, such as a code of eight digits.
   */
  macs(text: string): readonly [string, ...string[]]
}

/**
 * Creates the functions that encrypt and decrypt values for one purpose. The functions use
 * AES-256-GCM. Their keys are derived from the secrets and the purpose (HKDF, RFC 5869 §3.2). Does
 * NOT check the strength of the secrets.
 *
 * @param secrets one secret, or a list: the current secret, then the earlier secrets
 * @param purpose what the functions encrypt, such as `mails`. The same secret gives a different key
 *   for each purpose.
 */
export function createSeal(secrets: string | SealingSecrets, purpose: string): Seal {
  const [current, ...previous] = typeof secrets === 'string' ? [secrets] : secrets
  const currentKey = keyOf(current, purpose)
  const keys = [currentKey, ...previous.map((secret) => keyOf(secret, purpose))]
  const macOf = (secret: string, text: string): string =>
    createHmac('sha256', keyOf(secret, `${purpose}: HMAC`))
      .update(text)
      .digest('base64url')

  return {
    seal(text, context) {
      const iv = randomBytes(ivBytes)
      const cipher = createCipheriv('aes-256-gcm', currentKey, iv)
      if (context !== undefined) cipher.setAAD(Buffer.from(context))

      return Buffer.concat([iv, cipher.update(text), cipher.final(), cipher.getAuthTag()]).toString(
        'base64url',
      )
    },
    open(sealed, context) {
      const bytes = Buffer.from(sealed, 'base64url')
      // `Buffer.from` ignores other characters, so one value could have many spellings.
      if (bytes.toString('base64url') !== sealed) return undefined
      if (bytes.length < ivBytes + tagBytes) return undefined

      for (const key of keys) {
        const text = decrypt(bytes, key, context)
        if (text !== undefined) return text
      }
      return undefined
    },
    macs: (text) => [macOf(current, text), ...previous.map((secret) => macOf(secret, text))],
  }
}

function keyOf(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `keystile ${purpose}`, 32))
}

function decrypt(bytes: Buffer, key: Buffer, context: string | undefined): string | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivBytes), {
    authTagLength: tagBytes,
  })
  if (context !== undefined) decipher.setAAD(Buffer.from(context))
  decipher.setAuthTag(bytes.subarray(-tagBytes))

  try {
    return Buffer.concat([
      decipher.update(bytes.subarray(ivBytes, -tagBytes)),
      decipher.final(),
    ]).toString()
  } catch {
    // The value was changed, or it was encrypted with another key or for another context.
  }
  return undefined
}
