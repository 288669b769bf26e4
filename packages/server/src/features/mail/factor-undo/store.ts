import { command, type Command } from '../../../storage/database.ts'
import { noPassword } from '../../credentials/password/stored-hash.ts'
import {
  eraseSecondFactors,
  hasSecondFactor,
} from '../../credentials/second-factors/factors-in-transaction.ts'
import type { Act } from '../../operations/audit/entry.ts'
import { insertAudit } from '../../operations/audit/in-transaction.ts'
import { endSessions } from '../../tokens/sessions/in-transaction.ts'
import { announceChange } from '../../users/accounts/changes-in-transaction.ts'
import { lockMailbox } from '../../users/accounts/lock-in-transaction.ts'
import { updateUser } from '../../users/accounts/update-user-in-transaction.ts'
import { clearFactorMails, insertMail } from '../outbox/in-transaction.ts'
import type { NewMail } from '../outbox/new-mail.ts'
import { insertBoundProof } from '../proofs/bind-in-transaction.ts'
import { eraseAllProofs } from '../proofs/erase-in-transaction.ts'
import type { LinkedProof } from '../proofs/new-proof.ts'
import { spendProof, type SpendableProof } from '../proofs/spend-in-transaction.ts'
import type { FactorUndoEvent } from './feature.ts'

/**
 * Spends the proof of an undo link, erases all second factors of the user, ends all sessions and
 * attempts, and disables the password, because the person who added the factor may know it. The
 * user gets a notice, and a mail with a link to set a new password.
 *
 * @returns `isUndone: false`, and changes nothing, if the link was used or has expired, or if the
 *   account is disabled, or has another address or no factor by now. Without a factor, the link
 *   stays until another first factor has a link of its own
 */
export const undoFactor: Command<
  Act & {
    readonly proof: SpendableProof & { readonly recipient?: string | undefined }
    /** The proof with which the user may set a new password, and the mail with its link. */
    readonly reset: LinkedProof
    readonly notice: NewMail | undefined
  },
  { readonly isUndone: boolean }
> = command('undoFactor', async (transaction, { proof, reset, notice, by, now }) => {
  const { subject, mailbox } = proof
  const account = await lockMailbox(transaction, proof)
  if (!account || !(await hasSecondFactor(transaction, subject))) return { isUndone: false }
  if (!(await spendProof(transaction, { ...proof, now }))) return { isUndone: false }

  await eraseSecondFactors(transaction, { subject })
  const values = { password_hash: noPassword, password_session: null }
  await updateUser(transaction, values, { subject, now })
  await endSessions(transaction, { subject, now })
  await eraseAllProofs(transaction, { subject })
  await insertAudit<FactorUndoEvent>(transaction, { event: 'factor_undone', at: now, by, subject })
  await announceChange(transaction, 'password_changed', { subject, by, now })

  const { email: recipient, isVerified } = account
  await clearFactorMails(transaction, { subject, recipient, now })
  await insertBoundProof(transaction, reset.row, { subject, mailbox, now })
  const addressee = { subject, recipient, isVerified, now }
  await insertMail(transaction, reset.mail, { ...addressee, share: 'undone' })
  if (notice) await insertMail(transaction, notice, { ...addressee, share: 'factor' })
  return { isUndone: true }
})

// Only stores may import `…-in-transaction.ts`; `undo.ts` needs this too.
export { hasSecondFactor }
