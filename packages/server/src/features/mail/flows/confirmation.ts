// What the confirmations of all flows by mail share: their limit, the owner of a proof, and the
// refusal.
import { ProblemError } from 'keystile/internal'
import { secondMilliseconds, type LimitRate } from '../../../feature/limit-rate.ts'
import type { By } from '../../operations/audit/entry.ts'
import type { Limits } from '../../operations/limits/limits.ts'
import { useOf } from '../../operations/limits/uses.ts'
import type { Directory } from '../../users/directory/directory.ts'
import { mailboxOf } from '../../users/directory/names.ts'
import type { FoundProof } from '../proofs/proofs.ts'

/**
 * The rate limit of refused confirmations. Each flow has one of its own. It is high, because many
 * people may share an address: links cannot be guessed, and wrong codes have a lower limit
 * (`codeRate` of the proofs).
 */
export function confirmRate(name: string): LimitRate {
  const intervalMilliseconds = 30 * secondMilliseconds
  return { name, burst: 100, intervalMilliseconds, isRefundedWhole: true }
}

interface Confirming {
  /** The token of a link; undefined for a code. */
  readonly token?: string | undefined
  readonly by: By
  /** Whether the token can still be used. */
  isOpen(token: string): Promise<boolean>
}

/**
 * Confirms something. A confirmation counts before it begins, so that parallel ones cannot exceed
 * the limit. If it is not refused, it gets a refund.
 *
 * If strangers in the same network have used up its limit, a link that works has a limit of its
 * own. So they cannot stop the owner of the link.
 */
export async function confirmCounted<T>(
  limits: Limits,
  rate: LimitRate,
  { token, by, isOpen }: Confirming,
  confirm: () => Promise<T>,
): Promise<T> {
  const ofAddress = limits.usesAt(rate, by.address)
  let spent = await limits.tryCount(ofAddress)
  if (!spent) {
    const isRight = token !== undefined && (await isOpen(token))
    spent = await limits.count(isRight ? [useOf(rate, token)] : ofAddress)
  }
  const confirmed = await confirm()
  await limits.refund(spent)
  return confirmed
}

/** Finds the user of a proof, if the user is active and still has the mailbox of the proof. */
export async function findOwner<U>(
  proof: FoundProof | undefined,
  directory: Pick<Directory<U>, 'findActive' | 'email'>,
): Promise<U | undefined> {
  const user = proof && (await directory.findActive(proof.subject))
  if (user === undefined) return undefined
  return mailboxOf(directory.email(user)) === proof?.mailbox ? user : undefined
}

/**
 * Returns the error for a confirmation without a valid link or code. It does not say what is wrong.
 */
export function refusedProof(advice = 'request a new one'): ProblemError {
  return new ProblemError(
    'forbidden',
    `The link or the code is wrong, was used before, or has expired; ${advice}`,
  )
}
