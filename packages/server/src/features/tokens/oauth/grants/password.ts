import type { Verifier } from 'keystile'
import { OAuthError } from 'keystile/internal'
import type { NamedSession } from '../../../sign-in/login/attempt.ts'
import {
  firstStep,
  hasDemand,
  isLaterStep,
  laterStep,
  logIn,
  loginFormParameters,
  type LoginEndpointParts,
  type LoginValues,
} from '../login-endpoint.ts'
import { invalidSession } from '../login-refusals.ts'
import { findVerified } from '../shown-token.ts'
import { defineGrant, type Grant } from './grant.ts'

export interface PasswordGrantParts extends LoginEndpointParts {
  readonly verifier: Pick<Verifier, 'verify'>
}

/**
 * Logs a person in and issues tokens. It checks, in this order: the parameters, the scope, and what
 * the person presents (`features/sign-in/login`). The login then starts the session. If the account
 * needs a second factor, the form may have it beside the password, or a second form sends it with
 * `auth_session`.
 *
 * With `access_token`, the login is a step-up: it replaces the session of the token. Then a second
 * factor alone may be enough.
 *
 * Every refusal before the right password is the same, so an attacker cannot learn whether an
 * account exists.
 *
 * @throws {OAuthError} `invalid_request`, `invalid_scope`, `invalid_grant`,
 *   `insufficient_authorization`, `invalid_session`, `unmet_authentication_requirements`
 * @throws {ProblemError} `too_many_requests`, `temporarily_unavailable`
 * @see RFC 6749 §4.3.2
 */
export const passwordGrant: Grant<string, PasswordGrantParts> = defineGrant({
  grantType: 'password',
  kind: 'login',
  parameters: {
    ...loginFormParameters,
    access_token: {
      type: 'string',
      format: 'password',
      description:
        'An access token of an existing session. Send it with `max_age` or `acr_values`: the new ' +
        'session replaces the existing one',
    },
  },
  required: firstStep,
  orRequired: [laterStep, ['access_token', 'acr_values'], ['access_token', 'max_age']],
  async issue(values: LoginValues, client, parts: PasswordGrantParts) {
    const { access_token: token, ...others } = values
    if (token === undefined || isLaterStep(others))
      return logIn({ front: 'token' }, others, client, parts)

    if (!hasDemand(others))
      throw new OAuthError(
        'invalid_request',
        'A form with access_token must also have max_age or acr_values',
      )
    const replaces = await nameByAccessToken(token, parts.verifier)
    return logIn({ front: 'token', replaces }, others, client, parts)
  },
})

/**
 * Returns the session of an access token.
 *
 * @throws {OAuthError} `invalid_session` if the token is not valid, or belongs to no session
 */
async function nameByAccessToken(
  token: string,
  verifier: Pick<Verifier, 'verify'>,
): Promise<NamedSession> {
  const identity = await findVerified(token, verifier)
  if (identity?.sessionId === undefined) throw invalidSession()
  return { id: identity.sessionId, scopes: identity.scopes }
}
