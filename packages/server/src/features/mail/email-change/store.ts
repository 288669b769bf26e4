import { command, type Command } from '../../../storage/database.ts'
import { lacksFactor } from '../../credentials/second-factors/factors-in-transaction.ts'
import type { Act } from '../../operations/audit/entry.ts'
import { insertAudit } from '../../operations/audit/in-transaction.ts'
import { hasSessionEnded } from '../../tokens/sessions/in-transaction.ts'
import { findHolder } from '../../users/accounts/address-holder-in-transaction.ts'
import {
  changeAddress,
  lockAddress,
  type NewUndo,
} from '../../users/accounts/change-address-in-transaction.ts'
import { lockAccount } from '../../users/accounts/lock-in-transaction.ts'
import { notify } from '../../users/accounts/notify-in-transaction.ts'
import {
  findFormerEmail,
  restoreAddress,
} from '../../users/accounts/restore-address-in-transaction.ts'
import { isSameMailbox, type ComparableName } from '../../users/directory/names.ts'
import type { FactorUndoEvent } from '../factor-undo/feature.ts'
import { clearFactorMails, insertMail } from '../outbox/in-transaction.ts'
import type { NewMail } from '../outbox/new-mail.ts'
import {
  bindWithMail,
  insertBoundProof,
  leaveProofUnbound,
  type BindValues,
} from '../proofs/bind-in-transaction.ts'
import { eraseProofsExceptFactorUndo, eraseProofsFor } from '../proofs/erase-in-transaction.ts'
import type { LinkedProof } from '../proofs/new-proof.ts'
import { lockProof, spendProof, type SpendableProof } from '../proofs/spend-in-transaction.ts'
import type { EmailChangeEvent } from './feature.ts'

/**
 * Binds a request for a new address to the user, and stores its mail, if the account is still
 * active.
 */
export const bindEmailChange: Command<BindValues, void> = command(
  'bindEmailChange',
  async (transaction, values) => {
    const { subject, mailbox } = values
    const account = await lockAccount(transaction, { subject, rights: undefined })
    if (!account) return leaveProofUnbound(transaction, values)

    // If another account has the address, the mail is a notice to its user.
    await bindWithMail(transaction, values, await findHolder(transaction, mailbox))
  },
)

/**
 * Spends a proof, sets the user's address to the address that the proof was sent to, and marks this
 * address as verified, in one transaction. Other requests of the user for a new address are erased.
 *
 * @returns `refused`, and changes nothing, if the proof was already spent or has expired, if the
 *   account has changed, or if another user has the address by now; `factor-missing`, and changes
 *   nothing, if the account has a second factor that the caller has not proved; `too-many-mails`,
 *   and changes nothing, if the old mailbox already got too many mails with a link that restores it
 */
export const confirmEmailChange: Command<
  Act & {
    readonly proof: SpendableProof
    readonly email: ComparableName
    /** The expected password hash of the account. If the stored hash differs, nothing changes. */
    readonly passwordHash: string
    /**
     * The expected old address of the account, as in the column `email_key`. If the stored address
     * differs, nothing changes.
     */
    readonly from: string | null
    readonly undo: NewUndo
  },
  { readonly outcome: 'changed' | 'refused' | 'factor-missing' | 'too-many-mails' }
> = command('confirmEmailChange', async (transaction, { proof, passwordHash, from, ...change }) => {
  const { subject, purpose } = proof
  const { now } = change
  const account = await lockAddress(transaction, { subject, passwordHash })
  if (account?.email_key !== from || !(await lockProof(transaction, { ...proof, now })))
    return { outcome: 'refused' }
  if (await hasSessionEnded(transaction, { ...change, subject })) return { outcome: 'refused' }
  if (await lacksFactor(transaction, { ...change, subject })) return { outcome: 'factor-missing' }

  const outcome = await changeAddress(transaction, account, { ...change, verifiedAt: now })
  if (outcome !== 'changed') return { outcome: outcome === 'taken' ? 'refused' : outcome }
  await spendProof(transaction, { ...proof, now })
  await eraseProofsFor(transaction, { subject, purpose })
  return { outcome }
})

/**
 * Restores the address that an account had before. If the account is active, sends a link for a new
 * password to the restored address. The address that is replaced gets a notice. All other links and
 * codes of the user are erased.
 *
 * @returns the user, or undefined if the link was used, has expired or was cancelled
 */
export const undoEmailChange: Command<
  Act & {
    readonly tokenHash: string
    /**
     * The proof with which the user may set a new password, and the mail with its link. This
     * transaction binds the proof to the user.
     */
    readonly reset: LinkedProof
    /** The mail to the address that the account loses. */
    readonly notice: NewMail | undefined
  },
  { readonly subject: string | undefined }
> = command('undoEmailChange', async (transaction, { tokenHash, reset, notice, by, now }) => {
  const restored = await restoreAddress(transaction, { tokenHash, by, now })
  if (!restored) return { subject: undefined }

  const { former, replaced, isFactorErased } = restored
  const { subject, email: recipient, email_key: mailbox } = former
  await eraseProofsExceptFactorUndo(transaction, subject)
  const entry = { event: 'email_change_undone', at: now, by, subject } as const
  await insertAudit<EmailChangeEvent>(transaction, entry)
  if (isFactorErased)
    await insertAudit<FactorUndoEvent>(transaction, { ...entry, event: 'factor_undone' })
  if (!isSameMailbox(replaced.email, recipient))
    await notify(transaction, notice, { ...replaced, subject, now }, 'removal')
  if (isFactorErased) await clearFactorMails(transaction, { subject, recipient, now })
  if (replaced.disabled_at !== null) return { subject }

  await insertBoundProof(transaction, reset.row, { subject, mailbox, now })
  const isVerified = former.email_verified_at !== null
  const addressee = { subject, recipient, share: 'undone', isVerified, now } as const
  await insertMail(transaction, reset.mail, addressee)
  return { subject }
})

// Only stores may import `…-in-transaction.ts`; `undo.ts` needs these too.
export { findFormerEmail, type NewUndo }
