// The commands between the first step of a login and its end.
import { command, type Command } from '../../../storage/database.ts'
import { countWrongCode } from '../../credentials/second-factors/in-transaction.ts'
import type { EmailVerificationEvent } from '../../mail/email-verification/feature.ts'
import { tryInsertMail } from '../../mail/outbox/in-transaction.ts'
import type { NewMail } from '../../mail/outbox/new-mail.ts'
import type { By } from '../../operations/audit/entry.ts'
import { insertAudit } from '../../operations/audit/in-transaction.ts'
import type { NoticeAddress } from '../../tokens/sessions/new-session.ts'
import { lockPerson, verifyMailbox } from '../../users/accounts/in-transaction.ts'
import { addProof } from '../attempts/in-transaction.ts'

/**
 * Counts a wrong code from an unknown device, and stores the mail that tells the owner, if the
 * mailbox got none today.
 */
export const recordWrongCode: Command<
  {
    readonly subject: string
    readonly notice: NewMail | undefined
    readonly to: NoticeAddress
    readonly now: number
  },
  void
> = command('recordWrongCode', async (transaction, { subject, notice, to, now }) => {
  await countWrongCode(transaction, subject)
  const { email: recipient, isVerified } = to
  if (!notice || recipient === undefined) return
  await tryInsertMail(transaction, notice, { subject, recipient, isVerified, share: 'guess', now })
})

/**
 * Adds the proof of a mailbox to an attempt: the person has the code of a mail. This verifies the
 * address of a Keystile account.
 *
 * @returns `isProved: false`, and changes nothing, if the code was used before, if the attempt is
 *   over, or if the account is disabled or has another address by now
 */
export const proveMailbox: Command<
  {
    readonly id: string
    readonly before: string
    readonly proofs: string
    readonly subject: string
    readonly recipient: string
    readonly hasAccount: boolean
    readonly by: By
    readonly now: number
  },
  { readonly isProved: boolean }
> = command('proveMailbox', async (transaction, { recipient, hasAccount, by, ...proof }) => {
  const { subject, now } = proof
  const person = await lockPerson(transaction, { subject, rights: undefined, hasAccount })
  if (!person) return { isProved: false }
  const { account } = person
  if (account && account.email !== recipient) return { isProved: false }
  if (!(await addProof(transaction, proof))) return { isProved: false }

  if (account && account.email_verified_at === null) {
    await verifyMailbox(transaction, { subject, by, now })
    const entry = { event: 'email_verified', at: now, by, subject } as const
    await insertAudit<EmailVerificationEvent>(transaction, entry)
  }
  return { isProved: true }
})
