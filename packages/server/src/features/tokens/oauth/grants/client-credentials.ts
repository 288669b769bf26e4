import {
  builtInScopes,
  grantScopes,
  readRequestedScopes,
  type ScopeRules,
} from '../../../users/scopes/scopes.ts'
import type { ClientTokenIssuer } from '../../sessions/issuing.ts'
import { defineGrant, scopeParameter, type Grant } from './grant.ts'

export interface ClientCredentialsParts {
  readonly issueToClient: ClientTokenIssuer
  readonly scopes: ScopeRules
}

/**
 * Issues an access token to a client that acts for itself. The client is the subject: there is no
 * person, no session and no refresh token.
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
    // Only a person may have the built-in scopes: a client that acts for itself must not manage
    // accounts.
    const isForClients = (name: string): boolean => !Object.hasOwn(builtInScopes, name)
    const held = Object.keys(scopes.declared).filter(isForClients)
    return issueToClient(client.id, grantScopes(requested, held, client.scopes))
  },
})
