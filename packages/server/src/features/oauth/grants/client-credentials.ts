import type { Form } from '../../../http/form.ts'
import type { Client } from '../../clients/clients.ts'
import { builtInScopes, grantScopes, readRequestedScopes, type ScopeRules } from '../../scopes/scopes.ts'
import type { ClientTokenIssuer, IssuedTokens } from '../../sessions/issuing.ts'

/** What a client's own grant needs. */
export interface ClientCredentialsParts {
  readonly issueToClient: ClientTokenIssuer
  readonly scopes: ScopeRules
}

/**
 * An access token for a client that acts for itself: it is the subject, nobody is behind it, and there is nothing to refresh.
 * Does NOT authenticate the client.
 *
 * @throws {OAuthError} `invalid_scope`
 * @see RFC 6749 §4.4, RFC 9068 §2.2
 */
export function grantByClientCredentials(
  form: Form,
  client: Client,
  { issueToClient, scopes }: ClientCredentialsParts,
): IssuedTokens {
  const requested = readRequestedScopes(form.get('scope'), scopes)
  // What opens our own endpoints is for people.
  const held = Object.keys(scopes.declared).filter((scope) => !Object.hasOwn(builtInScopes, scope))
  return issueToClient(client.id, grantScopes(requested, held, client.scopes))
}
