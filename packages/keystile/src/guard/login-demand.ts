// What a guard demands of the login that a token comes from: its age, and the claim `acr`, which
// says how strong the login was.
import type { Clock } from '../base/clock.ts'
import { tokenError } from '../base/errors.ts'
import { kindOf } from '../base/options.ts'
import { isScopeName } from '../token/scope.ts'
import type { Identity, TokenType } from './identity.ts'

/** Keystile's values: a login with one factor, and a login with more than one. */
const single = 'pwd'
const multiple = 'mfa'

/** What a caller of `verifier.verify` demands of the login of a token. */
export interface LoginDemand {
  readonly maxAgeSeconds?: number | undefined
  readonly acr?: string | readonly string[] | undefined
}

/** What a check of times needs. */
export interface Time {
  readonly clock: Clock
  readonly clockToleranceSeconds: number
}

/**
 * Requires a number above 0. Without this check, a string would cause no error: `'300' + 5` is
 * `'3005'`, so the guard would accept logins that are far too old.
 *
 * @throws {TypeError} for any other value
 */
export function requireAge(maxAgeSeconds: number | undefined): void {
  if (maxAgeSeconds === undefined || (Number.isFinite(maxAgeSeconds) && maxAgeSeconds > 0)) return
  throw new TypeError(`\`maxAgeSeconds\` must be a number above 0; it is ${kindOf(maxAgeSeconds)}`)
}

/**
 * Reads the option `acr`: one accepted value, or a list of them.
 *
 * @throws {TypeError} for any other value, an empty list, and a value that a challenge cannot
 *   contain
 */
export function readAcr(acr: unknown): readonly string[] | undefined {
  if (acr === undefined) return undefined

  const values: unknown[] = Array.isArray(acr) ? [...acr] : [acr]
  if (values.length === 0 || !values.every((value) => typeof value === 'string')) {
    throw new TypeError(
      '`acr` must be a string, or an array of at least one string; it is ' + kindOf(acr),
    )
  }
  // RFC 9470 §3: the challenge lists the values between quotes, with spaces between them. These are
  // the characters of scopes.
  if (!values.every(isScopeName)) {
    throw new TypeError(
      'each value of `acr` must be visible ASCII without spaces, quotes and backslashes. ' +
        'Fix: pass several values as a list',
    )
  }
  return Object.freeze(values)
}

/**
 * Joins the accepted values of two guards for the same request: a token must satisfy both.
 *
 * @throws {TypeError} if no value satisfies both
 */
export function joinAcr(
  outer: readonly string[] | undefined,
  inner: readonly string[] | undefined,
): readonly string[] | undefined {
  if (!outer || !inner) return outer ?? inner

  const both = [...new Set([...outer, ...inner])].filter(
    (value) => isAccepted(value, outer) && isAccepted(value, inner),
  )
  if (both.length > 0) return both
  throw new TypeError(
    'the guards of a route demand different values of `acr`, so they would refuse every token. ' +
      `Fix: let both guards accept the same value; now one accepts ${outer.join(', ')}, and the ` +
      `other ${inner.join(', ')}`,
  )
}

/**
 * Refuses a login that is too old, or that has no accepted `acr`. The challenge has both demands,
 * because the next login must meet both (RFC 9470 §3).
 *
 * @throws {TokenError} `insufficient_user_authentication`
 */
export function requireLogin(
  identity: Identity<string, TokenType>,
  {
    maxAgeSeconds,
    acr,
    tokenType,
    time,
  }: {
    readonly maxAgeSeconds: number | undefined
    readonly acr: readonly string[] | undefined
    readonly tokenType: TokenType
    readonly time: Time
  },
): void {
  const shortfall = { maxAgeSeconds, acrValues: acr }
  if (maxAgeSeconds !== undefined && !isYoung(identity, maxAgeSeconds, time))
    throw tokenError('login_too_old', shortfall)
  if (acr && !hasAcr(identity, acr, tokenType)) throw tokenError('login_too_weak', shortfall)
}

/**
 * Whether a login is recent enough. It is not if `auth_time` is missing or in the future (RFC 9470
 * §4).
 */
function isYoung(
  { claims }: Identity<string, TokenType>,
  maxAgeSeconds: number,
  { clock, clockToleranceSeconds }: Time,
): boolean {
  const age = clock.now() / 1000 - (claims.auth_time ?? Number.NEGATIVE_INFINITY)
  return age >= -clockToleranceSeconds && age <= maxAgeSeconds + clockToleranceSeconds
}

/**
 * Whether a login has one of the accepted values. With `tokenType: 'JWT'`, compares the values
 * exactly. Otherwise the values are those of Keystile: `mfa` includes `pwd`, and a session without
 * `acr` and `amr` counts as `pwd`.
 */
function hasAcr(
  { acr, amr, sessionId }: Identity<string, TokenType>,
  accepted: readonly string[],
  tokenType: TokenType,
): boolean {
  if (tokenType === 'JWT') return acr !== undefined && accepted.includes(acr)
  if (acr !== undefined) return isAccepted(acr, accepted)
  // The token of a client that acts for itself has no session: no person logged in.
  return amr === undefined && sessionId !== undefined && accepted.includes(single)
}

function isAccepted(acr: string, accepted: readonly string[]): boolean {
  return accepted.includes(acr) || (acr === multiple && accepted.includes(single))
}
