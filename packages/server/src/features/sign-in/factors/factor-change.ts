// What the endpoints of all second factors share: their rules, and the change that they write.
// `change-in-transaction.ts` is their part inside of a transaction.
import { ProblemError, type Clock } from 'keystile/internal'
import type { GuardedRoute } from '../../../http/route.ts'
import type { SecondFactors } from '../../credentials/second-factors/second-factors.ts'
import type { NoticeKind } from '../../mail/messages/message.ts'
import type { Notices } from '../../mail/messages/notices.ts'
import { factorMailboxFull } from '../../mail/outbox/mailbox-full.ts'
import type { CallerIdentity } from '../../operations/audit/by.ts'
import type { By } from '../../operations/audit/entry.ts'
import { recentLoginSeconds, setUpLoginSeconds } from '../../users/accounts/route-parts.ts'
import type { Directory } from '../../users/directory/directory.ts'
import type { FactorChange, Refused } from './change-in-transaction.ts'

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
export const changing: FactorRoute = {
  ...factorRoute,
  guard: { scopes: [], maxAgeSeconds: recentLoginSeconds },
  needsFactor: true,
}
/** What the route has that ends the set-up of an app. */
export const confirming: FactorRoute = {
  ...changing,
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

export interface ChangeParts<U> {
  readonly directory: Directory<U>
  readonly hasAccounts: boolean
  readonly notices: Notices
  readonly clock: Clock
}

/** Returns what a change has, whatever the factor. */
export function changeOf<U>(
  { user, kind, by }: { readonly user: U; readonly kind: NoticeKind; readonly by: By },
  { directory, hasAccounts, notices, clock }: ChangeParts<U>,
): FactorChange {
  return {
    subject: directory.subject(user),
    hasAccount: hasAccounts,
    notice: notices(kind, by),
    noticeTo: { email: directory.email(user), isVerified: directory.emailVerified(user) },
    appUsername: directory.username(user),
    by,
    now: clock.now(),
  }
}

/**
 * @param gone makes the error if the user has no longer what the change is about
 * @throws {ProblemError} if nothing was changed
 */
export function requireChanged(
  done: Refused | { readonly outcome: 'confirmed' | 'removed' | 'renewed' },
  gone: () => ProblemError,
): void {
  if (done.outcome === 'gone') throw gone()
  if (done.outcome === 'too-many-mails') throw factorMailboxFull(done.wait)
}
