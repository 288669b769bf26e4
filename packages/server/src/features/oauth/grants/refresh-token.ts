import { OAuthError, type OAuthReason } from 'keystile/internal'
import type { Form } from '../../../http/form.ts'
import type { By } from '../../audit/entry.ts'
import type { Client } from '../../clients/clients.ts'
import { grantScopes, readRequestedScopes, type ScopeRules } from '../../scopes/scopes.ts'
import type { IssuedTokens } from '../../sessions/issuing.ts'
import type { SessionRefresher } from '../../sessions/refresh.ts'
import type { Directory } from '../../directory/directory.ts'
import { recordForeignToken, type TokenRefusalParts } from '../foreign-token.ts'

/** What a refresh needs. */
export interface RefreshParts<U> extends TokenRefusalParts {
  readonly directory: Directory<U>
  readonly refresher: SessionRefresher
  readonly scopes: ScopeRules
}

/**
 * Tokens for a refresh token. In this order: form, scope, the token's secret, its client, its user, as they are now; then
 * the database decides what the token may be used for. Up to there a refusal changes nothing. The scopes are those of the
 * session that the user still holds; `scope` narrows those of this access token and of no later one.
 *
 * @throws {OAuthError} `invalid_request`, `invalid_scope`, `invalid_grant`
 * @see RFC 6749 §6
 */
export async function grantByRefreshToken<U>(
  form: Form,
  client: Client & { readonly address: string | undefined },
  parts: RefreshParts<U>,
): Promise<IssuedTokens> {
  const { directory, refresher, scopes } = parts
  const text = form.get('refresh_token')
  if (text === undefined) throw new OAuthError('invalid_request', 'The form must have refresh_token')
  const requested = readRequestedScopes(form.get('scope'), scopes)
  const proved = await refresher.find(text)
  if (!proved) throw invalid('unknown_token')
  // Another client may have found it; what it shows to us must not log its owner out (RFC 6749 §5.2).
  const by: By = { actor: 'nobody', address: client.address }
  if (proved.clientId !== client.id) {
    const { subject, sessionId } = proved
    const entry = { event: 'refresh_refused', by, subject, sessionId, clientId: client.id } as const
    await recordForeignToken(entry, parts)
    throw invalid('wrong_client')
  }
  const user = await directory.findActive(proved.subject)
  if (user === undefined) throw invalid('unknown_user')
  const held = directory.scopes(user).filter((scope) => proved.scopes.includes(scope))
  const issued = await refresher.use(proved, grantScopes(requested, held, client.scopes), by)
  if (!issued) throw invalid('session_over')
  return issued
}

function invalid(reason: OAuthReason): OAuthError {
  return new OAuthError('invalid_grant', 'The refresh token is invalid, expired or revoked', { reason })
}
