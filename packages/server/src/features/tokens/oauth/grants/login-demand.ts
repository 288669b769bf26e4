// What the caller of a login demands (RFC 9470), and the session that a step-up names.
import type { Verifier } from 'keystile'
import { OAuthError, type JsonObject } from 'keystile/internal'
import type { LoginDemand, NamedSession } from '../../../sign-in/login/attempt.ts'
import { findVerified } from '../shown-token.ts'

export type { NamedSession }

export const demandParameters: Readonly<Record<'max_age' | 'acr_values', JsonObject>> = {
  max_age: {
    type: 'integer',
    minimum: 0,
    description:
      'The greatest allowed time since the user proved the password, in seconds (RFC 9470)',
  },
  acr_values: {
    type: 'string',
    description: 'The accepted values of the claim `acr`, separated by spaces: mfa, pwd (RFC 9470)',
  },
}

export interface DemandValues {
  readonly max_age?: string | undefined
  readonly acr_values?: string | undefined
}

/**
 * Reads `max_age` and `acr_values`. Returns undefined if the caller demands nothing.
 *
 * @throws {OAuthError} `invalid_request`, `unmet_authentication_requirements`
 */
export function readDemand({
  max_age: age,
  acr_values: values,
}: DemandValues): LoginDemand | undefined {
  if (age === undefined && values === undefined) return undefined
  if (age !== undefined && !/^\d{1,9}$/.test(age))
    throw new OAuthError('invalid_request', 'The max_age must be a whole number of seconds')

  const accepted = values?.split(' ') ?? ['pwd']
  if (!accepted.includes('pwd') && !accepted.includes('mfa'))
    throw new OAuthError(
      'unmet_authentication_requirements',
      'The acr_values must have mfa or pwd: no login here has another acr',
    )
  const maxAgeSeconds = age === undefined ? undefined : Number(age)
  // A login with the acr mfa also meets pwd.
  return { needsFactor: !accepted.includes('pwd'), maxAgeSeconds }
}

/**
 * Returns the session of an access token.
 *
 * @throws {OAuthError} `invalid_session` if the token is not valid, or belongs to no session
 */
export async function nameByAccessToken(
  token: string,
  verifier: Pick<Verifier, 'verify'>,
): Promise<NamedSession> {
  const identity = await findVerified(token, verifier)
  if (identity?.sessionId === undefined) throw invalidSession()
  return { id: identity.sessionId, scopes: identity.scopes }
}

/** The same for each reason: the caller must not learn what is wrong with the session. */
export function invalidSession(): OAuthError {
  return new OAuthError('invalid_session', 'This login is over: log in from the start')
}
