import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

const ivBytes = 12
const tagBytes = 16

/** Encrypts what lies in the database, so that a copy of it is of no use without the key. */
export interface Seal {
  seal(text: string, context: string): string
  /** @returns `undefined` when it was sealed under another key or in another context, or was changed */
  open(sealed: string, context: string): string | undefined
}

/**
 * AES-256-GCM with a key derived from the secret for this one purpose (HKDF, RFC 5869 §3.2).
 *
 * @param purpose separates this key from others that come from the same secret
 */
export function createSeal(secret: string, purpose: string): Seal {
  const key = Buffer.from(hkdfSync('sha256', secret, '', `keystile ${purpose}`, 32))
  return {
    seal(text, context) {
      const iv = randomBytes(ivBytes)
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(context))
      return Buffer.concat([iv, cipher.update(text), cipher.final(), cipher.getAuthTag()]).toString('base64url')
    },
    open(sealed, context) {
      const bytes = Buffer.from(sealed, 'base64url')
      if (bytes.length < ivBytes + tagBytes) return undefined
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivBytes), { authTagLength: tagBytes })
      decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(-tagBytes))
      try {
        return Buffer.concat([decipher.update(bytes.subarray(ivBytes, -tagBytes)), decipher.final()]).toString()
      } catch {
        return undefined
      }
    },
  }
}
