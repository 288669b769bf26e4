import { clientCredentialsGrant, type ClientCredentialsParts } from './grants/client-credentials.ts'
import type { Grant } from './grants/grant.ts'
import { passwordGrant, type PasswordGrantParts } from './grants/password.ts'
import { refreshTokenGrant, type RefreshParts } from './grants/refresh-token.ts'

/** Everything that the grants need. Each grant declares its own needs. */
export type GrantParts = PasswordGrantParts & RefreshParts & ClientCredentialsParts

/** A grant as the token endpoint sees it. */
export type AnyGrant = Grant<string, GrantParts>

/**
 * All grants. The token endpoint, its documentation, the metadata and the registration of clients
 * read this list, so a new grant is added here only.
 */
export const grants: readonly AnyGrant[] = [
  passwordGrant,
  refreshTokenGrant,
  clientCredentialsGrant,
]
