import { domainToUnicode } from 'node:url'
import { createBlocklist } from './blocklist.ts'
import { findExpected } from './expected-password.ts'
import { isTooLong, maxBytes } from '../password/password.ts'

/** NIST SP 800-63B-4 §3.1.1.2, where a password is the only factor. */
export const defaultMinLength = 15
/** The same, beside a second factor. */
export const leastMinLength = 8
/** A policy must not ask for more: ASVS 5.0 6.2.9 permits passwords of 64 characters. */
export const maxMinLength = 64

/** A name of so many letters is not in a password by chance. */
const tellingLength = 5
const minNameLength = 3
const separators = String.raw`[\s._+-]*`

/** The user of a new password. */
export interface PasswordOwner {
  readonly username?: string | undefined
  readonly email?: string | null | undefined
}

/** The requirements for new passwords. */
export interface PasswordPolicy {
  /** In code points. */
  readonly minLength: number
  /**
   * What is wrong with a new password, as a sentence that does not repeat it; else undefined. No
   * rule demands kinds of characters. Does NOT normalise the password (NFC), although NIST
   * recommends it: only the comparisons use small letters.
   *
   * @see NIST SP 800-63B-4 §3.1.1.2
   */
  findFault(password: string, owner: PasswordOwner): string | undefined
}

/** @param options.issuer its host is the name of the service */
export function createPasswordPolicy(options: {
  readonly minLength: number
  readonly issuer: string
}): PasswordPolicy {
  const { minLength, issuer } = options
  const isCommon = createBlocklist()
  const service = serviceNames(issuer).map((name) => ({ name, what: 'the name of this service' }))
  return {
    minLength,
    findFault(password, { username, email }) {
      if (isTooLong(password)) return `Password should have at most ${maxBytes} bytes`
      if (lengthOf(password) < minLength)
        return `Password should have at least ${minLength} characters`
      const expected = findExpected(password.toLowerCase(), isCommon, minLength)
      if (expected)
        return `Password should not be ${expected}; several words that do not belong together make a good one`

      const own: KnownName[] = []
      if (username) own.push({ name: username, what: 'your username' })
      if (email) own.push({ name: mailboxOf(email), what: 'your e-mail address' })
      return findNameFault(password, [...own, ...service], minLength)
    },
  }
}

interface KnownName {
  readonly name: string
  /** What the name is, as a part of a sentence. */
  readonly what: string
}

/**
 * Finds a known name in a password. Short names are part of many words, so a password may have one
 * when it is long enough without it.
 */
function findNameFault(
  password: string,
  names: readonly KnownName[],
  minLength: number,
): string | undefined {
  let rest = password
  let short: string | undefined
  for (const { name, what } of names) {
    const letters = Array.from(name.replace(new RegExp(separators, 'gu'), ''))
    if (letters.length < minNameLength) continue
    const without = rest.replace(patternOf(letters), '')
    if (without === rest) continue
    if (letters.length >= tellingLength) return `Password should not contain ${what}`
    rest = without
    short ??= what
  }
  return short && lengthOf(rest) < minLength
    ? `Password should have at least ${minLength} characters besides ${short}`
    : undefined
}

/** Matches a name in small or capital letters, with separators between them or without. */
function patternOf(letters: readonly string[]): RegExp {
  return new RegExp(
    letters
      .map((letter) => letter.replace(/[\\^$.*+?()[\]{}|/]/, String.raw`\$&`))
      .join(separators),
    'giu',
  )
}

/** The text before the `@`, without a part that begins with `+`. */
function mailboxOf(email: string): string {
  return email.slice(0, Math.max(email.lastIndexOf('@'), 0)).replace(/\+.*/, '')
}

/**
 * The host and all its labels but the last: `auth.example.com` has the names `auth` and `example`,
 * too. An IP address has none.
 */
function serviceNames(issuer: string): readonly string[] {
  const host = domainToUnicode(new URL(issuer).hostname)
  const labels = host.split('.')
  return [host, ...labels.slice(0, -1)].filter(
    (name) => /\p{L}/u.test(name) && !name.startsWith('['),
  )
}

function lengthOf(text: string): number {
  return Array.from(text).length
}
