import { OAuthError, type OAuthReason } from 'keystile/internal'
import type { By } from '../../../operations/audit/entry.ts'
import type { Directory } from '../../../users/directory/directory.ts'
import { grantScopes, readRequestedScopes, type ScopeRules } from '../../../users/scopes/scopes.ts'
import type { SessionRefresher } from '../../sessions/refresh.ts'
import { recordForeignToken, type TokenRefusalParts } from '../foreign-token.ts'
import { defineGrant, scopeParameter, type Grant } from './grant.ts'

export interface RefreshParts extends TokenRefusalParts {
  readonly directory: Pick<Directory<unknown>, 'findActive' | 'scopes'>
  readonly refresher: SessionRefresher
  readonly scopes: ScopeRules
}

/**
 * Exchanges a refresh token for new tokens. It checks, in this order: the parameters, the scope,
 * the secret of the refresh token, the client that the token was issued to, and the user. It reads
 * the user as stored now, so a disabled user cannot refresh. If a check fails, nothing changes. If
 * all checks pass, the database decides whether the token may be used.
 *
 * The new access token gets the scopes that the session has and the user still holds. The parameter
 * `scope` can reduce the scopes of this access token. The scopes of the session stay the same, so
 * the next refresh is not affected.
 *
 * @throws {OAuthError} `invalid_request`, `invalid_scope`, `invalid_grant`
 * @see RFC 6749 §6
 */
export const refreshTokenGrant: Grant<'refresh_token' | 'scope', RefreshParts> = defineGrant({
  grantType: 'refresh_token',
  kind: 'refresh',
  parameters: { refresh_token: { type: 'string', format: 'password' }, scope: scopeParameter },
  required: ['refresh_token'],
  async issue({ refresh_token: text, scope }, client, parts: RefreshParts) {
    const { directory, refresher, scopes } = parts
    const requested = readRequestedScopes(scope, scopes)
    const proved = await refresher.find(text)
    if (!proved) throw invalid('unknown_token')

    const by: By = { actor: 'nobody', address: client.address }
    // The caller may have stolen the token. A theft must not log the owner out, so the session does
    // not end (RFC 6749 §5.2).
    if (proved.clientId !== client.id) {
      const { subject, sessionId } = proved
      const whose = { by, subject, sessionId, clientId: client.id }
      await recordForeignToken({ event: 'refresh_refused', ...whose }, parts)
      throw invalid('wrong_client')
    }

    const user = await directory.findActive(proved.subject)
    if (user === undefined) throw invalid('unknown_user')

    const held = directory.scopes(user).filter((name) => proved.scopes.includes(name))
    const issued = await refresher.use(proved, grantScopes(requested, held, client.scopes), by)
    if (!issued) throw invalid('session_over')

    return issued
  },
})

/**
 * Creates the error for a refused refresh token. The message is the same for every reason, because
 * the caller must not learn the reason. The log has the reason.
 */
function invalid(reason: OAuthReason): OAuthError {
  const message = 'The refresh token is invalid, expired or revoked'
  return new OAuthError('invalid_grant', message, { reason })
}
