import { domainToUnicode } from 'node:url'
import { isTooLong, maxBytes } from '../password/password.ts'
import { createBlocklist } from './blocklist.ts'
import { findExpected } from './expected-password.ts'
import { findNameFault, type KnownName } from './name-in-password.ts'

/** The minimum length of a password that is the only factor (NIST SP 800-63B-4 §3.1.1.2). */
export const defaultMinLength = 15
/**
 * The lowest minimum length that the setting allows. NIST SP 800-63B-4 §3.1.1.2 allows it for a
 * password that is used together with a second factor.
 */
export const leastMinLength = 8
/**
 * The highest minimum length that the setting allows. ASVS 5.0 6.2.9 demands that passwords of 64
 * characters are accepted.
 */
export const maxMinLength = 64

export interface PasswordOwner {
  readonly username?: string | undefined
  readonly email?: string | null | undefined
}

export interface PasswordPolicy {
  /** The minimum length in code points. */
  readonly minLength: number
  /**
   * Returns the reason why a new password is not acceptable, or undefined if the password is
   * acceptable. The reason is a sentence that does not contain the password. No rule demands
   * capital letters, digits or signs. All comparisons ignore the case of letters. Does NOT
   * normalise the password (NFC), although NIST recommends it: the password is hashed as typed.
   *
   * @see NIST SP 800-63B-4 §3.1.1.2
   */
  findFault(password: string, owner: PasswordOwner): string | undefined
  /** Returns what `findFault` returns, and a code for programs and for pages in other languages. */
  findCodedFault(password: string, owner: PasswordOwner): PasswordFault | undefined
  /**
   * Returns the fault that `findCodedFault` finds without comparing any words: of the characters
   * and of the length. Costs so little that a caller needs no rate limit.
   */
  findQuickFault(password: string): PasswordFault | undefined
}

export const passwordFaultCodes = [
  'password_malformed',
  'password_too_long',
  'password_too_short',
  'password_guessable',
  'password_has_name',
] as const

export interface PasswordFault {
  readonly code: (typeof passwordFaultCodes)[number]
  readonly text: string
}

/**
 * Creates the policy of a server.
 *
 * @param options.issuer the URL of the issuer. Its host name is the name of the service, which a
 *   password must not contain
 */
export function createPasswordPolicy(options: {
  readonly minLength: number
  readonly issuer: string
}): PasswordPolicy {
  const { minLength, issuer } = options
  const isCommon = createBlocklist()
  const service = serviceNames(issuer).map((name) => ({ name, what: 'the name of this service' }))

  function findQuickFault(password: string): PasswordFault | undefined {
    // UTF-8 has no lone surrogates, so no form can send this password.
    if (!password.isWellFormed())
      return { code: 'password_malformed', text: 'Password should be well-formed Unicode text' }
    if (isTooLong(password))
      return { code: 'password_too_long', text: `Password should have at most ${maxBytes} bytes` }
    // In code points, as NIST SP 800-63B-4 §3.1.1.2 demands.
    if (Array.from(password).length < minLength) {
      const text = `Password should have at least ${minLength} characters`
      return { code: 'password_too_short', text }
    }
    return undefined
  }

  function findCodedFault(
    password: string,
    { username, email }: PasswordOwner,
  ): PasswordFault | undefined {
    const quick = findQuickFault(password)
    if (quick) return quick

    const expected = findExpected(password.toLowerCase(), isCommon, minLength)
    if (expected) {
      const text =
        `Password should not be ${expected}; ` +
        'several words that do not belong together make a good password'
      return { code: 'password_guessable', text }
    }

    const own: KnownName[] = []
    if (username) own.push({ name: username, what: 'your username' })
    if (email) own.push({ name: localPartWithoutTag(email), what: 'your e-mail address' })
    const text = findNameFault(password, [...own, ...service], minLength)
    return text === undefined ? undefined : { code: 'password_has_name', text }
  }

  return {
    minLength,
    findFault: (password, owner) => findCodedFault(password, owner)?.text,
    findCodedFault,
    findQuickFault,
  }
}

/** Returns the text before the `@`, without a tag: `ada+news@example.com` gives `ada`. */
function localPartWithoutTag(email: string): string {
  return email.slice(0, Math.max(email.lastIndexOf('@'), 0)).replace(/\+.*/, '')
}

/**
 * Returns the host and each of its labels except the last: `auth.example.com` has the names
 * `auth.example.com`, `auth` and `example`. An IP address has no names.
 */
function serviceNames(issuer: string): readonly string[] {
  const host = domainToUnicode(new URL(issuer).hostname)
  const labels = host.split('.')
  return [host, ...labels.slice(0, -1)].filter(
    (name) => /\p{L}/u.test(name) && !name.startsWith('['),
  )
}
