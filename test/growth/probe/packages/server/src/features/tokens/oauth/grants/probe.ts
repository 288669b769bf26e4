import { grantScopes, readRequestedScopes } from '../../../users/scopes/scopes.ts'
import type { ClientCredentialsParts } from './client-credentials.ts'
import { defineGrant, scopeParameter, type Grant } from './grant.ts'

/**
 * Issues a token to a client that names the day of the week: an example of a grant.
 */
export const probeGrant: Grant<'scope' | 'weekday', ClientCredentialsParts> = defineGrant({
  grantType: 'urn:example:probe',
  kind: 'client',
  parameters: { weekday: { type: 'string' }, scope: scopeParameter },
  required: ['weekday'],
  async issue({ scope }, client, { issueToClient, scopes }: ClientCredentialsParts) {
    const requested = readRequestedScopes(scope, scopes)
    return issueToClient(
      client.id,
      grantScopes(requested, Object.keys(scopes.declared), client.scopes),
    )
  },
})
