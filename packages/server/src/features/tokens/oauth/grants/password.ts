import { OAuthError } from 'keystile/internal'
import { beginAttempt } from '../../../sign-in/login/attempt.ts'
import type { Login } from '../../../sign-in/login/login.ts'
import { methodParameters } from '../../../sign-in/login/methods.ts'
import { readRequestedScopes, type ScopeRules } from '../../../users/scopes/scopes.ts'
import { defineGrant, scopeParameter, type Grant } from './grant.ts'

export interface PasswordGrantParts {
  readonly login: Login
  readonly scopes: ScopeRules
}

/**
 * Logs a person in and issues tokens. It checks, in this order: the parameters, the scope, and what
 * the person presents (`features/sign-in/login`). The login then starts the session.
 *
 * Every refused login gets the same answer, so an attacker cannot learn whether an account exists.
 *
 * @throws {OAuthError} `invalid_request`, `invalid_scope`, `invalid_grant`
 * @throws {ProblemError} `too_many_requests`, `temporarily_unavailable`
 * @see RFC 6749 §4.3.2
 */
export const passwordGrant: Grant<string, PasswordGrantParts> = defineGrant<
  string,
  'username' | 'password',
  PasswordGrantParts
>({
  grantType: 'password',
  kind: 'login',
  parameters: {
    ...methodParameters,
    scope: scopeParameter,
    device_secret: {
      type: 'string',
      format: 'password',
      description: 'The device_secret that this device got at its last login',
    },
  },
  required: ['username', 'password'],
  async issue(values, client, { login, scopes: rules }) {
    const { scope, device_secret: deviceSecret, ...presented } = values
    const scopes = readRequestedScopes(scope, rules)
    const { device, address, acceptLanguage } = client
    const attempt = beginAttempt({
      client,
      scopes,
      device,
      address,
      acceptLanguage,
      deviceSecret,
    })

    const done = await login.proceed(attempt, presented)
    if (done.outcome !== 'granted')
      throw new OAuthError('invalid_grant', 'Incorrect username or password')
    return done
  },
})
