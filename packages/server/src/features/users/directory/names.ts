// Parses user names and e-mail addresses, and compares them. Two names that only look alike are
// different names.
import { domainToASCII } from 'node:url'

/**
 * The longest e-mail address that a user may type, in characters. `parseEmail()` also checks the
 * limit of RFC 5321, 254 bytes, after it has converted the domain to ASCII.
 */
export const maxEmailLength = 320

/**
 * The part of the rules of `parseEmail()` that goes beyond the format `email` of JSON Schema. It
 * applies to whole addresses too: a domain never contains these characters.
 */
export const emailPattern = '^(?![-|/])(?!.*=[?])'

/** A name as it was typed (`shown`), and in the form that is compared (`key`). */
export interface ComparableName {
  readonly shown: string
  readonly key: string
}

/**
 * Parses a user name. It may have only ASCII letters, digits, dots, underscores and hyphens, so
 * that no name can look like another name by using letters of another script. Checks the letters
 * before it converts them to lower case, because the Kelvin sign would become `k`.
 */
export function parseUsername(text: string): ComparableName | undefined {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$/.test(text)
    ? { shown: text, key: text.toLowerCase() }
    : undefined
}

/**
 * Parses an e-mail address: one part before the last `@` and a domain with a dot. Converts the
 * domain to ASCII (`xn--…`), so that a person can tell domains apart that look alike. Refuses
 * quoted parts and address literals, because people do not log in with them. Also refuses local
 * parts that a mail program may take for an option (`-`), a program (`|`), a file (`/`) or an
 * encoded word (`=?`, RFC 2047).
 *
 * Does NOT check that the domain exists or takes mail.
 *
 * @see RFC 5321 §4.1.2 §4.5.3.1, RFC 6531 §3.3
 */
export function parseEmail(text: string): ComparableName | undefined {
  // This check comes first, because the other checks take longer for longer strings.
  if (text.length > maxEmailLength) return undefined
  // domainToASCII removes tabs and line ends silently: two addresses would become one.
  if (!text.isWellFormed() || /[\s\p{Cc}\p{Cf}]/u.test(text)) return undefined

  const at = text.lastIndexOf('@')
  const local = text.slice(0, Math.max(at, 0)).normalize('NFC')
  const host = text.slice(at + 1)
  // domainToASCII reads the host of a URL: it would cut what follows the host, and decode `%`.
  if (/[/\\?#%:]/.test(host)) return undefined
  const domain = domainToASCII(host)
  if (!isLocalPart(local) || !isDomain(domain)) return undefined

  const shown = `${local}@${domain}`
  return Buffer.byteLength(shown) <= 254 ? { shown, key: shown.toLowerCase() } : undefined
}

/**
 * Whether two addresses belong to the same mailbox for certain: they differ at most in the case of
 * ASCII letters. The `key` of an address ignores the case of all letters, so the mailboxes of two
 * people may have the same key: `ß` and `ẞ`, or `i̇` and `İ`.
 */
export function isSameMailbox(one: string | null, other: string | null): boolean {
  const [first, second] = [one, other].map((address) =>
    address?.replace(/[A-Z]/g, (letter) => letter.toLowerCase()),
  )
  return first !== undefined && first === second
}

/** Returns a stored address in the form that is used to compare mailboxes. */
export function mailboxOf(address: string | null | undefined): string | undefined {
  return address == null ? undefined : parseEmail(address)?.key
}

/** The text between two dots of a local part, in any script (RFC 5321 §4.1.2, RFC 6531 §3.3). */
const atom = /[\w!#$%&'*+/=?^`{|}~\p{L}\p{M}\p{N}-]+/u.source
const dottedAtoms = new RegExp(`^${atom}(\\.${atom})*$`, 'u')

function isLocalPart(local: string): boolean {
  return (
    new RegExp(emailPattern).test(local) &&
    dottedAtoms.test(local) &&
    Buffer.byteLength(local) <= 64 // RFC 5321 §4.5.3.1.1
  )
}

function isDomain(domain: string): boolean {
  const isLabel = (label: string): boolean => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label)
  const endsInName = /\.[a-z][^.]*$/.test(domain)
  return endsInName && domain.split('.').every(isLabel)
}
