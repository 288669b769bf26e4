import { command, type AnyCommand, type Command } from '../../storage/database.ts'
import { lockMailbox, setPasswordByMail } from '../accounts/in-transaction.ts'
import type { By } from '../audit/entry.ts'
import { insertAudit } from '../audit/in-transaction.ts'
import {
  bindWithMail,
  eraseProofs,
  leaveProofsUnbound,
  spendProof,
  type BindValues,
  type SpendableProof,
} from '../mail-proofs/in-transaction.ts'
import { insertMail } from '../outbox/in-transaction.ts'
import type { NewMail } from '../outbox/new-mail.ts'
import type { PasswordResetEvent } from './feature.ts'

/**
 * Binds a request for a new password and stores its mail. Locks the account first: if it was
 * disabled, deleted or got another address since the resolver read it, no mail is sent.
 */
export const bindReset: Command<BindValues, void> = command(
  'bindReset',
  async (transaction, values) => {
    if (await lockMailbox(transaction, values)) await bindWithMail(transaction, values)
    else await leaveProofsUnbound(transaction, { ids: [values.id], now: values.now })
  },
)

/**
 * Spends a proof and sets the new password, in one transaction, and ends all sessions of the user.
 * If the mailbox was not verified before, another person may have registered the address, so the
 * user's profile and all other requests are deleted as well.
 *
 * @returns `isReset: false` if the proof was spent, or the account or its address has changed
 */
export const resetPassword: Command<
  {
    readonly proof: SpendableProof
    readonly hash: string
    /** The mail that tells the user. */
    readonly notice: NewMail | undefined
    readonly by: By
    readonly now: number
  },
  { readonly isReset: boolean }
> = command('resetPassword', async (transaction, { proof, hash, notice, by, now }) => {
  const { subject, purpose } = proof
  const account = await lockMailbox(transaction, proof)
  if (!account || !(await spendProof(transaction, { ...proof, now }))) return { isReset: false }

  await setPasswordByMail(transaction, { subject, hash, account, by, now })
  await eraseProofs(
    transaction,
    account.isVerified ? { subject, purposes: [purpose] } : { subject },
  )
  await insertAudit<PasswordResetEvent>(transaction, {
    event: 'password_reset',
    at: now,
    by,
    subject,
  })
  if (notice) await insertMail(transaction, notice, { subject, recipient: account.email, now })
  return { isReset: true }
})

export const commands: readonly AnyCommand[] = [bindReset, resetPassword]
