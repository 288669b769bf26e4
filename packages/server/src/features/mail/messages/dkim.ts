// Signatures that prove to the receiver that the domain of the sender sent a mail (DKIM, RFC 6376).
import { createPrivateKey } from 'node:crypto'
import { parseSender } from './sender-address.ts'

/** The minimum length of a key. A shorter key is not safe (RFC 8301 §3.2). */
const minModulusBits = 2_048

export interface DkimSigner {
  /** The domain that signs: the domain of the sender, so that DMARC accepts the signature. */
  readonly domain: string
  /** The name of the key. Its public half is in the DNS at `SELECTOR._domainkey.DOMAIN`. */
  readonly selector: string
  readonly key: string
}

/** The settings that choose the signer. */
export interface DkimChoice {
  readonly mailFrom?: string | undefined
  readonly mailDkimKey?: string | undefined
  readonly mailDkimSelector: string
}

/** Returns the signer of mails, or undefined if the settings have no DKIM key. */
export function dkimOf(options: DkimChoice): DkimSigner | undefined {
  const { mailFrom, mailDkimKey: key, mailDkimSelector: selector } = options
  const address = mailFrom === undefined ? undefined : parseSender(mailFrom)
  if (key === undefined || address === undefined) return undefined
  return { domain: address.slice(address.lastIndexOf('@') + 1), selector, key }
}

/**
 * Returns why a key cannot sign mails, in texts such as "must be a private RSA key of …". The key
 * must be checked at the start, because nodemailer sends mails without a signature if it cannot use
 * the key.
 *
 * Accepts only RSA keys, because most receivers do not verify Ed25519 (RFC 8463).
 */
export function findKeyFaults(pem: string): readonly string[] {
  try {
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = createPrivateKey(pem)
    if (type === 'rsa' && (details?.modulusLength ?? 0) >= minModulusBits) return []
  } catch {
    // The error of OpenSSL does not help, and could repeat the key.
  }
  return [
    `must be a private RSA key of ${minModulusBits} bits or more, as PEM without a password, ` +
      `such as "openssl genrsa ${minModulusBits}" prints`,
  ]
}

/** Whether a text is a selector: parts of a domain name (RFC 6376 §3.1). */
export function isSelector(text: string): boolean {
  const part = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
  return text.length <= 200 && new RegExp(`^${part}(?:\\.${part})*$`).test(text)
}
