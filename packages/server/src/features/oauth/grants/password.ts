import { OAuthError } from 'keystile/internal'
import type { Form } from '../../../http/form.ts'
import type { Client } from '../../clients/clients.ts'
import type { Login } from '../../login/login.ts'
import { grantScopes, readRequestedScopes, type ScopeRules } from '../../scopes/scopes.ts'
import type { IssuedTokens } from '../../sessions/issuing.ts'
import type { SessionStarter } from '../../sessions/sessions.ts'

/** What the password grant needs. */
export interface PasswordGrantParts {
  readonly login: Login
  readonly sessions: SessionStarter
  readonly scopes: ScopeRules
}

/** Who sends a login: the client, and what is known of the device. */
type LoginClient = Client & { readonly device?: string | undefined; readonly address: string | undefined }

/** What a login gets. */
export interface Granted extends IssuedTokens {
  /** For the next login from the same device. */
  readonly deviceSecret?: string | undefined
}

/**
 * A person's login. In this order: form, scope, the proof (`features/login`), then the session. Its
 * transaction checks an account of ours once more and refunds the rate limits. Where the account
 * has changed since the proof, the login is proved again. Every refusal has the same answer.
 *
 * @throws {OAuthError} `invalid_request`, `invalid_scope`, `invalid_grant`
 * @throws {ProblemError} `too_many_requests`, `temporarily_unavailable`
 * @see RFC 6749 §4.3.2
 */
export async function grantByPassword(
  form: Form,
  client: LoginClient,
  { login, sessions, scopes: rules }: PasswordGrantParts,
): Promise<Granted> {
  const username = form.get('username')
  const password = form.get('password')
  if (username === undefined || password === undefined)
    throw new OAuthError('invalid_request', 'The form must have username and password')
  const requested = readRequestedScopes(form.get('scope'), rules)
  const { id: clientId, device, address } = client
  const deviceSecret = form.get('device_secret')
  const attempt = login.byPassword({ username, password, deviceSecret, clientId, address })
  for (;;) {
    const proved = await attempt.prove()
    if (proved.outcome === 'refused') throw new OAuthError('invalid_grant', 'Incorrect username or password')
    const started = await sessions.start({
      ...proved,
      clientId,
      scopes: grantScopes(requested, proved.scopes, client.scopes),
      refreshes: client.grants.includes('refresh_token'),
      device,
      by: { actor: `user:${proved.subject}`, address },
    })
    if (started) return { ...started, ...(await attempt.complete(started)) }
  }
}
