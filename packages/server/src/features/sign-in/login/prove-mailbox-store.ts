import { command, type Command } from '../../../storage/database.ts'
import type { EmailVerificationEvent } from '../../mail/email-verification/feature.ts'
import type { By } from '../../operations/audit/entry.ts'
import { insertAudit } from '../../operations/audit/in-transaction.ts'
import { lockPerson } from '../../users/accounts/lock-in-transaction.ts'
import { verifyMailbox } from '../../users/accounts/proved-mailbox-in-transaction.ts'
import { addProof } from '../attempts/attempts-in-transaction.ts'

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
