import type { Caller, Identity } from 'keystile'
import { createGuardCore, tokenError, withRecall, type JsonObject } from 'keystile/internal'
import { readVersion } from '../../base/version.ts'
import { refusalPage } from '../../features/pages/account-pages/refusal-page.ts'
import { createOwnDocs } from '../../features/pages/docs/docs.ts'
import { describeRoutes } from '../../features/pages/docs/openapi.ts'
import { cookiePathOf } from '../../features/sign-in/browser-session/session-cookie.ts'
import type { Login } from '../../features/sign-in/login/login.ts'
import { firstParty } from '../../features/tokens/clients/clients.ts'
import type { ActiveUsers } from '../../features/users/directory/active-users.ts'
import { allowOrigins } from '../../http/cors.ts'
import { guardReasonOf, guardRefusals } from '../../http/metrics.ts'
import { createRouteNames } from '../../http/route-finder.ts'
import type { Route } from '../../http/route.ts'
import { createRouter } from '../../http/router.ts'
import type { Service } from '../../listener/service.ts'
import type { Keystile } from '../keystile.ts'
import type { IssuingParts } from './issuing.ts'
import type { Parts } from './parts.ts'

interface Answering {
  readonly answer: Keystile['answer']
  /** The OpenAPI document of the routes. */
  readonly document: JsonObject
  readonly routeOf: Service['routeOf']
}

/**
 * Makes the function that answers requests: the proxies, then the router. Then CORS adds headers to
 * the answer.
 */
export function wireAnswer<U>(
  routes: readonly Route<Caller<string, U>>[],
  { options, pages, scopes, proxies, meter }: Parts,
  {
    verifier,
    activeUsers,
    login,
  }: Pick<IssuingParts, 'verifier'> & {
    readonly activeUsers: ActiveUsers<U>
    readonly login: Login
  },
): Answering {
  const { issuer, corsOrigins, logger } = options
  const router = createRouter<U>(routes, {
    issuer,
    corsOrigins,
    guard: createGuardCore({
      verifier,
      scopes: scopes.declared,
      user: withRecall(activeUsers.find, (identity) => activeUsers.recall(identity)?.user),
    }),
    logger,
    requireFactor: createFactorDemand(login),
    isFirstParty: (clientId) => clientId === firstParty.id,
    showRefusal: (request, refusal) => refusalPage(request, refusal, pages),
    onGuardRefusal: (error) => meter.add(guardRefusals, { reason: guardReasonOf(error) }),
  })
  const allowed = allowOrigins(router, { cookiePath: cookiePathOf(issuer), origins: corsOrigins })
  const document = describeRoutes(routes, {
    issuer,
    scopes: scopes.declared,
    version: readVersion(),
  })
  const docs = options.docs === 'on' ? createOwnDocs(document, issuer) : undefined
  const { logo } = pages
  const nameRoute = createRouteNames(routes, issuer)
  return {
    answer: async (request) =>
      (await allowed(proxies.resolve(request))) ?? logo?.answer(request) ?? docs?.answer(request),
    document,
    routeOf: (request) => nameRoute(request) ?? logo?.routeOf(request) ?? docs?.routeOf(request),
  }
}

/** Creates the check of routes with `needsFactor`. */
function createFactorDemand(
  login: Pick<Login, 'needsSecondStep'>,
): (identity: Pick<Identity, 'acr' | 'subject'>) => Promise<void> {
  return async ({ acr, subject }) => {
    if (acr !== 'mfa' && (await login.needsSecondStep(subject)))
      throw tokenError('login_too_weak', { acrValues: ['mfa'] })
  }
}
