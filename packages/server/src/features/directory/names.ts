import { domainToASCII } from 'node:url'

/** In characters, as an e-mail address is typed. `parseEmail` counts its bytes as well. */
const maxEmailLength = 320

/** A name as it was typed, and the form in which two names are compared. */
export interface ComparableName {
  readonly shown: string
  readonly key: string
}

/**
 * Reads a user name: ASCII letters, digits, dot, underscore and hyphen, so that no two names look
 * alike. The alphabet is checked before the letters are made small: the Kelvin sign becomes `k`.
 */
export function parseUsername(text: string): ComparableName | undefined {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$/.test(text)
    ? { shown: text, key: text.toLowerCase() }
    : undefined
}

/**
 * Reads an e-mail address: one part before the last `@` and a domain with a dot. The domain is
 * changed to its ASCII form, in which look-alikes differ. Quoted parts and address literals are
 * refused, since people do not log in with them.
 *
 * Does NOT check that the domain exists or takes mail.
 *
 * @see RFC 5321 §4.1.2 §4.5.3.1, RFC 6531 §3.3
 */
export function parseEmail(text: string): ComparableName | undefined {
  // Comes first: the other checks take longer for longer texts.
  if (text.length > maxEmailLength) return undefined
  // domainToASCII drops tabs and line ends without an error, so they are refused before it.
  if (!text.isWellFormed() || /[\s\p{Cc}\p{Cf}]/u.test(text)) return undefined

  const at = text.lastIndexOf('@')
  const local = text.slice(0, Math.max(at, 0)).normalize('NFC')
  const domain = domainToASCII(text.slice(at + 1))
  if (!isLocalPart(local) || !isDomain(domain)) return undefined

  const shown = `${local}@${domain}`
  return Buffer.byteLength(shown) <= 254 ? { shown, key: shown.toLowerCase() } : undefined
}

/**
 * The form in which the rate limits count a login, so that another spelling is not another login.
 * It is coarser than any comparison: an app's directory may ignore case, accents and white space.
 * It is made from the typed name alone: a lookup before the count would tell which names exist.
 */
export function countedLogin(login: string): string {
  const name = parseEmail(login)?.key ?? login.slice(0, maxEmailLength) // no user has a longer one
  return name
    .normalize('NFKD')
    .toLowerCase()
    .toUpperCase() // some letters have two small forms and one capital
    .toLowerCase()
    .replace(/[\p{M}\p{C}\p{Z}\s]/gu, '')
}

function isLocalPart(local: string): boolean {
  return (
    /^[\w!#$%&'*+/=?^`{|}~\p{L}\p{M}\p{N}-]+(\.[\w!#$%&'*+/=?^`{|}~\p{L}\p{M}\p{N}-]+)*$/u.test(
      local,
    ) && Buffer.byteLength(local) <= 64
  )
}

function isDomain(domain: string): boolean {
  const isLabel = (label: string): boolean => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label)
  const endsInName = /\.[a-z][^.]*$/.test(domain)
  return domain.length <= 253 && endsInName && domain.split('.').every(isLabel)
}
