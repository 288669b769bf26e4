import { authorizationCodeGrant, type AuthorizationCodeParts } from './grants/authorization-code.ts'
import { clientCredentialsGrant, type ClientCredentialsParts } from './grants/client-credentials.ts'
import type { Grant } from './grants/grant.ts'
import { passwordGrant, type PasswordGrantParts } from './grants/password.ts'
import { refreshTokenGrant, type RefreshParts } from './grants/refresh-token.ts'

export type GrantParts = PasswordGrantParts &
  AuthorizationCodeParts &
  RefreshParts &
  ClientCredentialsParts

export type AnyGrant = Grant<string, GrantParts>

/**
 * All grants. To add a grant, add it to this list: the token endpoint, its documentation, the
 * metadata and the registration of clients all read the list. If the app itself is to use the
 * grant, add its name to `firstParty` too.
 */
export const grants: readonly AnyGrant[] = [
  passwordGrant,
  authorizationCodeGrant,
  refreshTokenGrant,
  clientCredentialsGrant,
]
