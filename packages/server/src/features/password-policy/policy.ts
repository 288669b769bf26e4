import { domainToUnicode } from 'node:url'
import { createBlocklist } from './blocklist.ts'
import { findExpected } from './expected-password.ts'
import { isTooLong, maxBytes } from '../password/password.ts'

/** NIST SP 800-63B-4 §3.1.1.2, where a password is the only factor. */
export const defaultMinLength = 15
/** The same, where there is a second one. */
export const leastMinLength = 8
/** Nobody is to be asked for more: ASVS 5.0 6.2.9 has passwords of 64 characters permitted. */
export const maxMinLength = 64

/** A name of this many letters does not turn up in a password by chance. */
const tellingLength = 5
const minNameLength = 3
const separators = String.raw`[\s._+-]*`

/** Whose password it will be. */
export interface PasswordOwner {
  readonly username?: string | undefined
  readonly email?: string | null | undefined
}

/** What is asked of a new password. */
export interface PasswordPolicy {
  /** In code points. */
  readonly minLength: number
  /**
   * What is wrong with a new password, as a sentence that does not repeat it, or nothing. There is no rule on its composition. Does NOT
   * normalise, although NIST would (NFC): what is compared is folded to small letters, and the password stays as it is.
   *
   * @see NIST SP 800-63B-4 §3.1.1.2
   */
  findFault(password: string, owner: PasswordOwner): string | undefined
}

/** @param options.issuer whose host is the name of the service */
export function createPasswordPolicy(options: { readonly minLength: number; readonly issuer: string }): PasswordPolicy {
  const { minLength, issuer } = options
  const isCommon = createBlocklist()
  const service = serviceNames(issuer).map((name) => ({ name, what: 'the name of this service' }))
  return {
    minLength,
    findFault(password, { username, email }) {
      if (isTooLong(password)) return `Password should have at most ${maxBytes} bytes`
      if (lengthOf(password) < minLength) return `Password should have at least ${minLength} characters`
      const expected = findExpected(password.toLowerCase(), isCommon, minLength)
      if (expected)
        return `Password should not be ${expected}; several words that do not belong together make a good one`
      const own = [
        { name: username ?? '', what: 'your username' },
        { name: mailboxOf(email ?? ''), what: 'your e-mail address' },
      ]
      return findNameFault(password, [...own, ...service], minLength)
    },
  }
}

interface KnownName {
  readonly name: string
  /** Whose it is, as a sentence says it. */
  readonly what: string
}

/**
 * A name is not to be in a password. Short ones are in many words, so of them it is asked only that there be enough without them.
 */
function findNameFault(password: string, names: readonly KnownName[], minLength: number): string | undefined {
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

/** A name wherever it stands, in any case of letters, whatever separates its letters. */
function patternOf(letters: readonly string[]): RegExp {
  return new RegExp(
    letters.map((letter) => letter.replace(/[\\^$.*+?()[\]{}|/]/, String.raw`\$&`)).join(separators),
    'giu',
  )
}

/** What is before the `@`, less what may follow a `+` there. */
function mailboxOf(email: string): string {
  return email.slice(0, Math.max(email.lastIndexOf('@'), 0)).replace(/\+.*/, '')
}

/** The host and its labels, but the last, which names no service: `auth.example.com` is `auth`, `example` too. An address has no name. */
function serviceNames(issuer: string): readonly string[] {
  const host = domainToUnicode(new URL(issuer).hostname)
  const labels = host.split('.')
  return [host, ...labels.slice(0, -1)].filter((name) => /\p{L}/u.test(name) && !name.startsWith('['))
}

function lengthOf(text: string): number {
  return Array.from(text).length
}
