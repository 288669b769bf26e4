import { command, type Command } from '../../../storage/database.ts'
import type { Act } from '../../operations/audit/entry.ts'
import { insertAudit } from '../../operations/audit/in-transaction.ts'
import { lockMailbox } from '../../users/accounts/lock-in-transaction.ts'
import { verifyMailbox } from '../../users/accounts/proved-mailbox-in-transaction.ts'
import { bindWithMail, leaveProofUnbound, type BindValues } from '../proofs/bind-in-transaction.ts'
import { eraseProofsFor } from '../proofs/erase-in-transaction.ts'
import { spendProof, type SpendableProof } from '../proofs/spend-in-transaction.ts'
import type { EmailVerificationEvent } from './feature.ts'

/**
 * Binds a request for a verification to the account, and stores its mail. Locks the account first.
 * Stores no mail if, since the resolver read the account, the account was disabled, deleted or
 * verified, or its address changed.
 */
export const bindVerification: Command<BindValues, void> = command(
  'bindVerification',
  async (transaction, values) => {
    const account = await lockMailbox(transaction, values)
    if (account?.isVerified === false) await bindWithMail(transaction, values)
    else await leaveProofUnbound(transaction, values)
  },
)

/**
 * Spends a proof and marks the address as verified, in one transaction.
 *
 * @returns `isVerified: false` if the proof was already spent or has expired, or if the account or
 *   its address has changed
 */
export const verifyEmail: Command<
  Act & { readonly proof: SpendableProof },
  { readonly isVerified: boolean }
> = command('verifyEmail', async (transaction, { proof, by, now }) => {
  const { subject, purpose } = proof
  const account = await lockMailbox(transaction, proof)
  if (!account || !(await spendProof(transaction, { ...proof, now }))) return { isVerified: false }

  await eraseProofsFor(transaction, { subject, purpose })
  if (account.isVerified) return { isVerified: true }

  await verifyMailbox(transaction, { subject, by, now })
  const entry = { event: 'email_verified', at: now, by, subject } as const
  await insertAudit<EmailVerificationEvent>(transaction, entry)
  return { isVerified: true }
})
