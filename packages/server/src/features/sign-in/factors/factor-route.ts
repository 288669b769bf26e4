// What the endpoints of all second factors share: the shape of their routes, and the rules of a
// set-up.
import { ProblemError } from 'keystile/internal'
import type { GuardedRoute } from '../../../http/route.ts'
import type { SecondFactors } from '../../credentials/second-factors/second-factors.ts'
import type { CallerIdentity } from '../../operations/audit/by.ts'
import { recentLoginSeconds, setUpLoginSeconds } from '../../users/accounts/route-parts.ts'
import type { Directory } from '../../users/directory/directory.ts'

export interface FactorCaller<U> {
  readonly identity: CallerIdentity
  readonly user: U
}

type FactorRoute = Pick<
  GuardedRoute<never>,
  'below' | 'refusals' | 'guard' | 'isFirstPartyOnly' | 'needsFactor'
>

/** What all routes about second factors have. */
export const factorRoute: FactorRoute = {
  below: 'issuer',
  refusals: 'problem',
  guard: { scopes: [] },
  isFirstPartyOnly: true,
}

/** What the routes have that change a factor. */
export const changingRoute: FactorRoute = {
  ...factorRoute,
  guard: { scopes: [], maxAgeSeconds: recentLoginSeconds },
  needsFactor: true,
}

/** What the route has that ends the set-up of an app: see `setUpLoginSeconds`. */
export const confirmingRoute: FactorRoute = {
  ...changingRoute,
  guard: { scopes: [], maxAgeSeconds: setUpLoginSeconds },
}

export const needsLogin: string =
  `Needs a login within the last ${recentLoginSeconds} seconds, with a second factor if the ` +
  'account has one (RFC 9470).'

/** What decides whether a user may set up a factor. */
export interface SetUpParts<U> {
  readonly factors: Pick<SecondFactors, 'hasAny'>
  readonly directory: Pick<Directory<U>, 'subject' | 'email' | 'emailVerified'>
  /** Whether users may set up a factor. */
  readonly isOffered: boolean
  /** Whether the address of the account must be verified first. */
  readonly needsVerifiedAddress: boolean
}

export const notOffered = 'Second factors are off: set secondFactor to optional'

/** @throws {ProblemError} `forbidden` if users may not set up a factor */
export function requireOffered({ isOffered }: { readonly isOffered: boolean }): void {
  if (!isOffered) throw new ProblemError('forbidden', notOffered)
}

/** @throws {ProblemError} `forbidden` if the address of the account must be verified first */
export async function requireVerifiedAddress<U>(
  { user, identity }: FactorCaller<U>,
  { directory, factors, needsVerifiedAddress }: SetUpParts<U>,
): Promise<void> {
  if (!needsVerifiedAddress) return
  if (directory.email(user) === undefined || directory.emailVerified(user)) return
  // This login has proved the factor that the user has. A further one may be added or replace it.
  if (await factors.hasAny(identity.subject)) return
  throw unverifiedAddress()
}

/** The error for a first factor of an account whose address is not verified. */
export function unverifiedAddress(): ProblemError {
  return new ProblemError(
    'forbidden',
    'The address of the account must be verified before a second factor is set up',
  )
}
