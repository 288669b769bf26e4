import { OAuthError, type OAuthReason } from 'keystile/internal'
import type { By } from '../../audit/entry.ts'
import type { Directory } from '../../directory/directory.ts'
import { grantScopes, readRequestedScopes, type ScopeRules } from '../../scopes/scopes.ts'
import type { SessionRefresher } from '../../sessions/refresh.ts'
import { recordForeignToken, type TokenRefusalParts } from '../foreign-token.ts'
import { defineGrant, scopeParameter, type Grant } from './grant.ts'

/** What the refresh_token grant needs. */
export interface RefreshParts extends TokenRefusalParts {
  readonly directory: Pick<Directory<unknown>, 'findActive' | 'scopes'>
  readonly refresher: SessionRefresher
  readonly scopes: ScopeRules
}

/**
 * Issues tokens for a refresh token. It checks, in this order: the parameters, the scope, the
 * token's secret, its client and its user. It checks the present state of the client and the user,
 * so a disabled user cannot refresh. If one of these checks fails, nothing changes. Then the
 * database decides whether the token may be used.
 *
 * The new access token gets those scopes of the session that the user still holds. `scope` narrows
 * them for this access token only; later refreshes start with the scopes of the session again.
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

    // The caller may have stolen the token. A theft must not log the owner out, so the session does
    // not end (RFC 6749 §5.2).
    const by: By = { actor: 'nobody', address: client.address }
    if (proved.clientId !== client.id) {
      const { subject, sessionId } = proved
      const entry = {
        event: 'refresh_refused',
        by,
        subject,
        sessionId,
        clientId: client.id,
      } as const
      await recordForeignToken(entry, parts)
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
 * Creates the error of a refusal. The caller gets the same message for every reason; only the log
 * has the reason.
 */
function invalid(reason: OAuthReason): OAuthError {
  const message = 'The refresh token is invalid, expired or revoked'
  return new OAuthError('invalid_grant', message, { reason })
}
