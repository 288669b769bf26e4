// What the transaction that ends a login does with the app that was set up within the login. The
// writer thread loads this file.
import { hasApp, insertFirstApp } from '../../credentials/second-factors/app-in-transaction.ts'
import type { FactorEvent } from '../../credentials/second-factors/audit-events.ts'
import type { FactorName } from '../../credentials/second-factors/factors-in-transaction.ts'
import { replaceRecoveryCodes } from '../../credentials/second-factors/recovery-in-transaction.ts'
import { replaceProofs } from '../../mail/factor-undo/in-transaction.ts'
import { insertMailOrWait } from '../../mail/outbox/in-transaction.ts'
import type { NewMail } from '../../mail/outbox/new-mail.ts'
import type { LinkedProof } from '../../mail/proofs/new-proof.ts'
import { insertAudit } from '../../operations/audit/in-transaction.ts'
import { endSessions } from '../../tokens/sessions/in-transaction.ts'
import type { NoticeAddress } from '../../tokens/sessions/new-session.ts'
import { timeAfterChanges } from '../../users/accounts/address-history-in-transaction.ts'
import type { LockedAccount } from '../../users/accounts/lock-in-transaction.ts'
import type { Held, ProofInTransaction } from './proof-in-transaction.ts'

/** The proofs of an enrolment beside the first code: of the mailbox, and of the app itself. */
export type EnrolmentProof = 'email_code' | 'enrolment'

/**
 * The mark of an enrolment, as JSON. It does not identify a credential, as other marks do: the app
 * is not stored yet. So it has what the transaction needs to add the app.
 */
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
 * user has an app by now, or if the mailbox got too many mails about factors: a change without its
 * mail does not happen. The user is locked.
 */
export async function addFirstApp({
  transaction,
  mark,
  subject,
  account,
  now,
}: ProofInTransaction): Promise<Held> {
  if (await hasApp(transaction, subject)) return 'changed'

  const { sealed, codeIds, notice, undo, noticeTo, address } = JSON.parse(mark) as EnrolmentMark
  const { email: recipient, isVerified } = account ? addressOf(account) : noticeTo
  const mail = undo?.mail ?? notice
  if (mail && recipient !== undefined) {
    const addressee = { subject, recipient, isVerified, share: 'factor', now } as const
    const mailWait = await insertMailOrWait(transaction, mail, addressee)
    if (mailWait > 0) return { mailWait }
  }

  const since = await timeAfterChanges(transaction, { subject, now })
  await insertFirstApp(transaction, { subject, sealed, now: since })
  await replaceRecoveryCodes(transaction, { subject, ids: codeIds, now: since })
  const mailbox = account?.email_key
  await replaceProofs(transaction, { subject, mailbox, isVerified, undo, now })
  await endSessions(transaction, { subject, now })
  await insertAudit<FactorEvent>(transaction, {
    event: 'factor_added',
    at: now,
    by: { actor: `user:${subject}`, address },
    subject,
    detail: { factor: 'otp' satisfies FactorName },
  })
  return 'held'
}

function addressOf({ email, email_verified_at }: LockedAccount): NoticeAddress {
  return { email: email ?? undefined, isVerified: email_verified_at !== null }
}
