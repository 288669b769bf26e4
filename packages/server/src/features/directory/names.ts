import { domainToASCII } from 'node:url'

/** Characters of an e-mail address as it is typed; its bytes are counted below. */
const maxEmailLength = 320

/** A name as typed, and the form by which it is compared. */
export interface ComparableName {
  readonly shown: string
  readonly key: string
}

/**
 * Reads a user name: ASCII letters, digits, dot, underscore and hyphen, so that no two names look alike. The alphabet is
 * checked before folding: the Kelvin sign folds to `k`.
 */
export function parseUsername(text: string): ComparableName | undefined {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$/.test(text) ? { shown: text, key: text.toLowerCase() } : undefined
}

/**
 * Reads an e-mail address: one part before the last `@` and a domain with a dot. The domain goes to its ASCII form, by
 * which look-alikes of it differ. Quoted parts and address literals are refused: nobody logs in with them.
 *
 * Does NOT check that the domain exists or takes mail.
 *
 * @see RFC 5321 §4.1.2 §4.5.3.1, RFC 6531 §3.3
 */
export function parseEmail(text: string): ComparableName | undefined {
  if (text.length > maxEmailLength) return undefined // before anything that takes longer for longer texts
  // domainToASCII drops tabs and line ends unseen, so they are refused first.
  if (!text.isWellFormed() || /[\s\p{Cc}\p{Cf}]/u.test(text)) return undefined
  const at = text.lastIndexOf('@')
  const local = text.slice(0, Math.max(at, 0)).normalize('NFC')
  const domain = domainToASCII(text.slice(at + 1))
  if (!isLocalPart(local) || !isDomain(domain)) return undefined
  const shown = `${local}@${domain}`
  return Buffer.byteLength(shown) <= 254 ? { shown, key: shown.toLowerCase() } : undefined
}

/**
 * The form in which a login is counted, so that another spelling is no other login. Coarser than any comparison: a directory
 * of the app's own may heed neither case nor accents nor white space.
 */
export function countedLogin(login: string): string {
  const name = parseEmail(login)?.key ?? login.slice(0, maxEmailLength) // what is longer is nobody's
  return name
    .normalize('NFKD')
    .toLowerCase()
    .toUpperCase() // of which some letters have one, and two small ones
    .toLowerCase()
    .replace(/[\p{M}\p{C}\p{Z}\s]/gu, '')
}

function isLocalPart(local: string): boolean {
  return (
    /^[\w!#$%&'*+/=?^`{|}~\p{L}\p{M}\p{N}-]+(\.[\w!#$%&'*+/=?^`{|}~\p{L}\p{M}\p{N}-]+)*$/u.test(local) &&
    Buffer.byteLength(local) <= 64
  )
}

function isDomain(domain: string): boolean {
  const labels = domain.split('.')
  const isLabel = (label: string): boolean => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label)
  return domain.length <= 253 && labels.length > 1 && labels.every(isLabel) && /^[a-z]/.test(labels.at(-1)!)
}
