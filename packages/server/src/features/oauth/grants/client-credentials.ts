import {
  builtInScopes,
  grantScopes,
  readRequestedScopes,
  type ScopeRules,
} from '../../scopes/scopes.ts'
import type { ClientTokenIssuer } from '../../sessions/issuing.ts'
import { defineGrant, scopeParameter, type Grant } from './grant.ts'

/** What a client's own grant needs. */
export interface ClientCredentialsParts {
  readonly issueToClient: ClientTokenIssuer
  readonly scopes: ScopeRules
}

/**
 * An access token for a client that acts for itself: the client is the subject, no person is behind
 * it, and there is nothing to refresh.
 *
 * @throws {OAuthError} `invalid_scope`
 * @see RFC 6749 §4.4, RFC 9068 §2.2
 */
export const clientCredentialsGrant: Grant<'scope', ClientCredentialsParts> = defineGrant({
  grantType: 'client_credentials',
  kind: 'client',
  parameters: { scope: scopeParameter },
  required: [],
  issue({ scope }, client, { issueToClient, scopes }: ClientCredentialsParts) {
    const requested = readRequestedScopes(scope, scopes)
    // The scopes of our own endpoints are for people.
    const isForClients = (name: string): boolean => !Object.hasOwn(builtInScopes, name)
    const held = Object.keys(scopes.declared).filter(isForClients)
    return issueToClient(client.id, grantScopes(requested, held, client.scopes))
  },
})
