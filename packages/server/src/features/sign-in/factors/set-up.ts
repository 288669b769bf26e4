// Who may set up a second factor.
import { ProblemError } from 'keystile/internal'
import type { SecondFactors } from '../../credentials/second-factors/second-factors.ts'
import type { Directory } from '../../users/directory/directory.ts'
import type { FactorCaller } from './factor-route.ts'

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

/**
 * The mail about a first factor has a link that removes it, so it must not go to the mailbox of
 * another person. To an account without an address, no mail goes.
 *
 * @throws {ProblemError} `forbidden` if the address of the account must be verified first
 */
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
