// What the routes of all second factors share.
import type { GuardedRoute } from '../../../http/route.ts'
import type { CallerIdentity } from '../../operations/audit/by.ts'
import { recentLoginSeconds, setUpLoginSeconds } from '../../users/accounts/login-age.ts'

export interface FactorCaller<U> {
  readonly identity: CallerIdentity
  readonly user: U
}

type FactorRoute = Pick<
  GuardedRoute<never>,
  'below' | 'refusals' | 'guard' | 'isFirstPartyOnly' | 'needsFactor'
>

/** Shared by all routes about second factors. */
export const factorRoute: FactorRoute = {
  below: 'issuer',
  refusals: 'problem',
  guard: { scopes: [] },
  isFirstPartyOnly: true,
}

/** Shared by the routes that change a factor. */
export const changingRoute: FactorRoute = {
  ...factorRoute,
  guard: { scopes: [], maxAgeSeconds: recentLoginSeconds },
  needsFactor: true,
}

/** For the route that ends the set-up of an app: see `setUpLoginSeconds`. */
export const confirmingRoute: FactorRoute = {
  ...changingRoute,
  guard: { scopes: [], maxAgeSeconds: setUpLoginSeconds },
}

export const needsLogin: string =
  `Needs a login within the last ${recentLoginSeconds} seconds, with a second factor if the ` +
  'account has one (RFC 9470).'
