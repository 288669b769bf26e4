import { clientCredentialsGrant, type ClientCredentialsParts } from './grants/client-credentials.ts'
import type { Grant } from './grants/grant.ts'
import { passwordGrant, type PasswordGrantParts } from './grants/password.ts'
import { refreshTokenGrant, type RefreshParts } from './grants/refresh-token.ts'

/** What the grants need, each its own part. */
export type GrantParts = PasswordGrantParts & RefreshParts & ClientCredentialsParts

/** What the token endpoint knows of a grant. */
export type AnyGrant = Grant<string, GrantParts>

/**
 * The grants that there are. The token endpoint, its documentation, the metadata and the
 * registration of clients read this list.
 */
export const grants: readonly AnyGrant[] = [
  passwordGrant,
  refreshTokenGrant,
  clientCredentialsGrant,
]
