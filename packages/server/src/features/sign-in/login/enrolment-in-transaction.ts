// What the transaction that ends a login does with the app that was set up within the login. The
// writer thread loads this file.
import { eraseProofs, insertBoundProof } from '../../mail/proofs/in-transaction.ts'
import type { LinkedProof } from '../../mail/proofs/new-proof.ts'
import { insertMailOrWait } from '../../mail/outbox/in-transaction.ts'
import type { NewMail } from '../../mail/outbox/new-mail.ts'
import type { FactorEvent } from '../../credentials/second-factors/audit-events.ts'
import type { FactorName } from '../../credentials/second-factors/factors-in-transaction.ts'
import {
  eraseApp,
  insertFirstApp,
  replaceRecoveryCodes,
} from '../../credentials/second-factors/in-transaction.ts'
import type { Transaction } from '../../../storage/database.ts'
import { timeAfterChanges } from '../../users/accounts/address-in-transaction.ts'
import { insertAudit } from '../../operations/audit/in-transaction.ts'
import type { NoticeAddress } from '../../tokens/sessions/sessions.ts'
import { endSessions } from '../../tokens/sessions/in-transaction.ts'
import type { Held, ProofInTransaction } from './proof-in-transaction.ts'

/** The proofs of an enrolment beside the first code: of the mailbox, and of the app itself. */
export type EnrolmentProof = 'email_code' | 'enrolment'

/** The mark of an enrolment, as JSON. */
export interface EnrolmentMark {
  /** The secret of the app, as it is stored. */
  readonly sealed: string
  /** The hashes of the recovery codes. */
  readonly codeIds: readonly string[]
  readonly notice: NewMail | undefined
  /** The mail instead of `notice`, if its link can undo the enrolment. */
  readonly undo: LinkedProof | undefined
  /** The address of an app's own user. Ignored for Keystile accounts. */
  readonly noticeTo: NoticeAddress
  /** The IP address of the login. */
  readonly address: string | undefined
}

/**
 * Adds the first app of a user, with recovery codes, and ends all sessions. Changes nothing if the
 * user has an app by now, or if the mailbox got too many mails about factors.
 */
export async function addFirstApp({
  transaction,
  mark,
  subject,
  account,
  now,
}: ProofInTransaction): Promise<Held> {
  const { sealed, codeIds, undo, address, ...added } = JSON.parse(mark) as EnrolmentMark
  const noticeTo = account
    ? { email: account.email ?? undefined, isVerified: account.email_verified_at !== null }
    : added.noticeTo
  const since = await timeAfterChanges(transaction, { subject, now })
  if (!(await insertFirstApp(transaction, { subject, sealed, now: since }))) return 'changed'
  const notice = undo?.mail ?? added.notice
  const mailWait = await sendNotice(transaction, notice, { subject, ...noticeTo, now })
  if (mailWait > 0) {
    await eraseApp(transaction, { subject })
    return { mailWait }
  }

  await replaceRecoveryCodes(transaction, { subject, ids: codeIds, now: since })
  // A change of the address that was asked for before must not go around the factor.
  await eraseProofs(transaction, { subject })
  if (undo && account?.email_key)
    await insertBoundProof(transaction, undo.row, { subject, mailbox: account.email_key, now })
  await endSessions(transaction, { subject, now })
  const by = { actor: `user:${subject}`, address } as const
  const detail = { factor: 'otp' satisfies FactorName }
  await insertAudit<FactorEvent>(transaction, {
    event: 'factor_added',
    at: now,
    by,
    subject,
    detail,
  })
  return 'held'
}

/** Stores the mail about the new app. Returns 0, or the milliseconds until there is room for it. */
async function sendNotice(
  transaction: Transaction,
  notice: NewMail | undefined,
  { email: recipient, ...user }: NoticeAddress & { readonly subject: string; readonly now: number },
): Promise<number> {
  if (!notice || recipient === undefined) return 0
  return insertMailOrWait(transaction, notice, { ...user, recipient, share: 'factor' })
}
