import type { Caller } from 'keystile'
import { authorizeChallengeRoute } from '../../features/sign-in/authorize-challenge/route.ts'
import { cookieSessionRoutes } from '../../features/sign-in/browser-session/cookie-session.ts'
import type { Login } from '../../features/sign-in/login/login.ts'
import { grants } from '../../features/tokens/oauth/grants.ts'
import { introspectRoute } from '../../features/tokens/oauth/introspect.ts'
import { jwksRoute } from '../../features/tokens/oauth/jwks.ts'
import { metadataRoutes } from '../../features/tokens/oauth/metadata.ts'
import { revokeRoute } from '../../features/tokens/oauth/revoke.ts'
import { tokenRoute } from '../../features/tokens/oauth/token.ts'
import { sessionRoutes } from '../../features/tokens/sessions/routes.ts'
import type { ActiveUsers } from '../../features/users/directory/active-users.ts'
import type { Route } from '../../http/route.ts'
import type { IssuingParts } from './issuing.ts'
import type { Parts } from './parts.ts'
import type { People } from './people.ts'

/** Lists the routes of all features. Each gets only the parts that it uses. */
export function listRoutes<U>(
  { options, accounts, scopes, limits, meter }: Parts,
  { directory, routes }: People<U>,
  {
    signingKeys,
    lifetimes,
    verifier,
    login,
    refresher,
    ends,
    issueToClient,
    isWelcome,
  }: IssuingParts & Pick<ActiveUsers<U>, 'isWelcome'> & { readonly login: Login },
): readonly Route<Caller<string, U>>[] {
  const { issuer, corsOrigins, cookieSession, logger } = options
  const { clients, audit } = accounts
  const granting = { login, directory, refresher, scopes, audit, limits, meter, verifier }

  return [
    tokenRoute({ ...granting, grants, clients, issueToClient }),
    authorizeChallengeRoute({ ...granting, clients }),
    revokeRoute({ clients, audit, limits, refresher, ends, verifier }),
    introspectRoute({ clients, audit, limits, verifier, isWelcome }),
    ...(cookieSession
      ? cookieSessionRoutes({ ...granting, issuer, corsOrigins, ends, lifetimes, logger })
      : []),
    ...routes,
    ...sessionRoutes(ends),
    jwksRoute(() => signingKeys.published()),
    ...metadataRoutes({
      issuer,
      scopes: Object.keys(scopes.declared),
      grantTypes: grants.map(({ grantType }) => grantType),
      cookieSession,
    }),
  ]
}
