import { OAuthError, type JsonObject } from 'keystile/internal'
import type { LoginDemand } from '../../sign-in/login/attempt.ts'

/** What the caller of a login may demand of it. */
export const demandParameters: Readonly<Record<'max_age' | 'acr_values', JsonObject>> = {
  max_age: {
    type: 'integer',
    minimum: 0,
    description:
      'The password is needed again if the user proved it more than this many seconds before ' +
      'this login began (RFC 9470)',
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

  // Every login has at least the acr `pwd`. So accepting `pwd` is the same as demanding no acr.
  const accepted = values?.split(' ') ?? ['pwd']
  if (!accepted.includes('pwd') && !accepted.includes('mfa'))
    throw new OAuthError(
      'unmet_authentication_requirements',
      'The acr_values must have mfa or pwd: no login here has another acr',
    )

  return {
    needsFactor: !accepted.includes('pwd'),
    maxAgeSeconds: age === undefined ? undefined : Number(age),
  }
}
