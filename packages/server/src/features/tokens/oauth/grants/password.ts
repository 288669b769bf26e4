import { OAuthError } from 'keystile/internal'
import type { Login } from '../../../sign-in/login/login.ts'
import { grantScopes, readRequestedScopes, type ScopeRules } from '../../../users/scopes/scopes.ts'
import type { SessionStarter } from '../../sessions/sessions.ts'
import { defineGrant, scopeParameter, type Grant } from './grant.ts'

export interface PasswordGrantParts {
  readonly login: Login
  readonly starter: SessionStarter
  readonly scopes: ScopeRules
}

/**
 * Logs a person in and issues tokens. It checks, in this order: the parameters, the scope, and the
 * password (`features/sign-in/login`). Then it starts the session. The same transaction refunds
 * what the login counted against the rate limits. If Keystile stores the account, the transaction
 * also reads the account again. If the account has changed since the password was verified, the
 * grant verifies the password again.
 *
 * Every refused login gets the same answer, so an attacker cannot learn whether an account exists.
 *
 * @throws {OAuthError} `invalid_request`, `invalid_scope`, `invalid_grant`
 * @throws {ProblemError} `too_many_requests`, `temporarily_unavailable`
 * @see RFC 6749 §4.3.2
 */
export const passwordGrant: Grant<
  'username' | 'password' | 'scope' | 'device_secret',
  PasswordGrantParts
> = defineGrant({
  grantType: 'password',
  kind: 'login',
  parameters: {
    username: { type: 'string', description: 'The user name or the e-mail address' },
    password: { type: 'string', format: 'password' },
    scope: scopeParameter,
    device_secret: {
      type: 'string',
      format: 'password',
      description: 'The device_secret that this device got at its last login',
    },
  },
  required: ['username', 'password'],
  async issue(values, client, { login, starter, scopes: rules }: PasswordGrantParts) {
    const { username, password, scope, device_secret: deviceSecret } = values
    const requested = readRequestedScopes(scope, rules)
    const { id: clientId, device, address } = client
    const attempt = login.byPassword({ username, password, deviceSecret, clientId, address })
    for (;;) {
      const proved = await attempt.prove()
      if (proved.outcome === 'refused')
        throw new OAuthError('invalid_grant', 'Incorrect username or password')

      const started = await starter.start({
        ...proved,
        clientId,
        scopes: grantScopes(requested, proved.scopes, client.scopes),
        refreshes: client.grants.includes('refresh_token'),
        device,
        by: { actor: `user:${proved.subject}`, address },
      })
      if (started) return { ...started, ...(await attempt.complete(started)) }
    }
  },
})
