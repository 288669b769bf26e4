// The commands of a password reset. For Keystile's accounts, one command spends the proof and sets
// the password. An app stores the password itself, so its users need three: `claimReset` before,
// `finishReset` after, and `releaseReset` if the app fails (`new-password.ts`).
import { command, type Command, type Transaction } from '../../../storage/database.ts'
import { clearWrongCodes } from '../../credentials/second-factors/app-in-transaction.ts'
import type { Act } from '../../operations/audit/entry.ts'
import { insertAudit } from '../../operations/audit/in-transaction.ts'
import { endSessions } from '../../tokens/sessions/in-transaction.ts'
import { lockMailbox } from '../../users/accounts/lock-in-transaction.ts'
import { notify } from '../../users/accounts/notify-in-transaction.ts'
import { setPasswordByMail } from '../../users/accounts/proved-mailbox-in-transaction.ts'
import type { FactorUndoEvent } from '../factor-undo/feature.ts'
import { clearEnrolmentMails, clearResetMails, insertMail } from '../outbox/in-transaction.ts'
import type { NewMail } from '../outbox/new-mail.ts'
import type { Addressee } from '../outbox/shares.ts'
import { bindWithMail, leaveProofUnbound, type BindValues } from '../proofs/bind-in-transaction.ts'
import { claimProof, releaseProof, type ClaimedProof } from '../proofs/claim-in-transaction.ts'
import { eraseAllProofs, eraseProofsFor } from '../proofs/erase-in-transaction.ts'
import { spendProof, type SpendableProof } from '../proofs/spend-in-transaction.ts'
import type { PasswordResetEvent } from './feature.ts'

/**
 * Binds a request for a new password and stores its mail. Locks the account first: if it was
 * disabled, deleted or got another address since the resolver read it, no mail is sent.
 */
export const bindReset: Command<BindValues, void> = command(
  'bindReset',
  async (transaction, values) => {
    const account = await lockMailbox(transaction, values)
    if (account) await bindWithMail(transaction, values)
    else await leaveProofUnbound(transaction, values)
  },
)

/** A new password by mail. */
export interface Reset extends Act {
  /** The proof. Its user and its mailbox have been checked. */
  readonly proof: SpendableProof
  readonly notice: NewMail | undefined
}

/**
 * Spends a proof and sets the new password, in one transaction, and ends all sessions of the user.
 * If the mailbox was not verified before, also deletes the profile, the second factors, and all
 * links and codes that were mailed to the user: another person may have registered the address.
 *
 * @returns `isReset: false` if the proof was already spent or has expired, or if the account or its
 *   address has changed
 */
export const resetPassword: Command<
  Reset & {
    readonly hash: string
    /** The mail about second factors that the reset erases. */
    readonly factorNotice?: NewMail | undefined
  },
  { readonly isReset: boolean }
> = command(
  'resetPassword',
  async (transaction, { proof, hash, notice, factorNotice, by, now }) => {
    const { subject, purpose } = proof
    const account = await lockMailbox(transaction, proof)
    if (!account || !(await spendProof(transaction, { ...proof, now }))) return { isReset: false }

    const hadFactor = await setPasswordByMail(transaction, { subject, hash, account, by, now })
    if (account.isVerified) await eraseProofsFor(transaction, { subject, purpose })
    else await eraseAllProofs(transaction, { subject })
    const recipient = account.email
    await recordReset(transaction, { subject, recipient, notice, by, now })
    if (hadFactor) {
      const entry = { event: 'factor_undone', at: now, by, subject } as const
      await insertAudit<FactorUndoEvent>(transaction, entry)
      const to = { subject, recipient, share: 'factor', isVerified: true, now } as const
      if (factorNotice) await insertMail(transaction, factorNotice, to)
    }
    return { isReset: true }
  },
)

/**
 * Binds a request for a new password to an app's own user, and stores the mail. Does NOT check
 * whether the user has changed: the confirmation reads the user from the app again.
 */
export const bindAppReset: Command<BindValues, void> = command(
  'bindAppReset',
  (transaction, values) => bindWithMail(transaction, values),
)

/**
 * Claims a proof and ends all sessions of the user, before the app stores the new password. The
 * sessions end already here, because the process may be killed before `finishReset`, and a stolen
 * session must not outlive the old password.
 */
export const claimReset: Command<
  { readonly proof: SpendableProof; readonly now: number },
  { readonly claim: ClaimedProof | 'claimed' | 'gone' }
> = command('claimReset', async (transaction, { proof, now }) => {
  const claim = await claimProof(transaction, { ...proof, now })
  if (typeof claim === 'object') await endSessions(transaction, { subject: proof.subject, now })
  return { claim }
})

/** Releases the claim of a proof, because the app has not stored the new password. */
export const releaseReset: Command<ClaimedProof, void> = command('releaseReset', releaseProof)

/**
 * Finishes a reset whose new password the app has stored. Erases the proof and the user's other
 * requests, and ends the sessions that were started since the claim. Does all this even if the
 * claim has expired, because the app has already changed the password.
 */
export const finishReset: Command<Reset & { readonly recipient: string }, void> = command(
  'finishReset',
  async (transaction, { proof, recipient, notice, by, now }) => {
    const { subject, purpose } = proof
    await eraseProofsFor(transaction, { subject, purpose })
    await clearWrongCodes(transaction, subject)
    await endSessions(transaction, { subject, now })
    await recordReset(transaction, { subject, recipient, notice, by, now })
  },
)

/** Records a reset, and stores its notice. The reset has proved that the user reads the mailbox. */
async function recordReset(
  transaction: Transaction,
  { subject, recipient, notice, by, now }: Addressee & Omit<Reset, 'proof'>,
): Promise<void> {
  const entry = { event: 'password_reset', at: now, by, subject } as const
  await insertAudit<PasswordResetEvent>(transaction, entry)
  await notify(transaction, notice, { subject, email: recipient, email_verified_at: now, now })
  await clearEnrolmentMails(transaction, { subject, recipient, now })
  // The earlier links do not work any more. Only a reader of the mailbox gets here, so strangers
  // cannot cause more mails in this way.
  await clearResetMails(transaction, { subject, recipient, now })
}
