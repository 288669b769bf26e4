import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

const ivBytes = 12
const tagBytes = 16

/** Encrypts values for the database, so that a copy of it is of no use without the key. */
export interface Seal {
  /** @param context what the value belongs to, such as the id of its row */
  seal(text: string, context?: string): string
  /** Returns undefined when the key or the context is another one, or the value was changed. */
  open(sealed: string, context?: string): string | undefined
}

/**
 * AES-256-GCM with a key that is derived from the secret for one purpose (HKDF, RFC 5869 §3.2).
 *
 * @param purpose keeps this key apart from other keys of the same secret
 */
export function createSeal(secret: string, purpose: string): Seal {
  const key = Buffer.from(hkdfSync('sha256', secret, '', `keystile ${purpose}`, 32))
  return {
    seal(text, context) {
      const iv = randomBytes(ivBytes)
      const cipher = createCipheriv('aes-256-gcm', key, iv)
      if (context !== undefined) cipher.setAAD(Buffer.from(context))
      return Buffer.concat([iv, cipher.update(text), cipher.final(), cipher.getAuthTag()]).toString(
        'base64url',
      )
    },
    open(sealed, context) {
      const bytes = Buffer.from(sealed, 'base64url')
      if (bytes.length < ivBytes + tagBytes) return undefined

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
        return undefined
      }
    },
  }
}
