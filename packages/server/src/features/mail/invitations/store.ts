import type { OfUser } from '../../../feature/of-user.ts'
import { command, type Command } from '../../../storage/database.ts'
import type { Act } from '../../operations/audit/entry.ts'
import { insertAudit } from '../../operations/audit/in-transaction.ts'
import { isTaken } from '../../users/accounts/address-holder-in-transaction.ts'
import { recordChange } from '../../users/accounts/changes-in-transaction.ts'
import { lockUnverified } from '../../users/accounts/lock-in-transaction.ts'
import {
  insertProvenUser,
  type ProvenOutcome,
  type ProvenUser,
} from '../../users/accounts/new-account-in-transaction.ts'
import { updateUser } from '../../users/accounts/update-user-in-transaction.ts'
import { tryInsertMail } from '../outbox/in-transaction.ts'
import type { NewMail } from '../outbox/new-mail.ts'
import { insertProof, type Binding } from '../proofs/bind-in-transaction.ts'
import { eraseProofsOfMailbox } from '../proofs/erase-in-transaction.ts'
import { proofKinds } from '../proofs/kinds.ts'
import type { NewProof } from '../proofs/new-proof.ts'
import type { InvitationEvent } from './audit-events.ts'

const { purpose } = proofKinds.invitation

/**
 * Stores an invitation and its mail. The invitation replaces an older invitation to the same
 * mailbox. The subject of the proof is the id of the future user.
 *
 * @returns `taken` if an account has the address; `too-many-mails` if the mailbox has already got
 *   too many mails
 */
export const insertInvitation: Command<
  Act & {
    readonly proof: NewProof['row'] & Binding
    readonly mail: NewMail
    readonly recipient: string
    /** The names of the scopes and roles that the future user gets, for the audit record. */
    readonly given: readonly string[]
  },
  'invited' | 'taken' | 'too-many-mails'
> = command('insertInvitation', async (transaction, { proof, mail, recipient, given, by, now }) => {
  const { subject, mailbox } = proof
  if (await isTaken(transaction, { mailbox, subject, now })) return 'taken'
  if (!(await tryInsertMail(transaction, mail, { subject, recipient, share: 'invitation', now })))
    return 'too-many-mails'

  await eraseProofsOfMailbox(transaction, { purpose, mailbox })
  await insertProof(transaction, proof)
  const detail = given.length > 0 ? { given } : undefined
  const entry = { event: 'user_invited', at: now, by, subject, detail } as const
  await insertAudit<InvitationEvent>(transaction, entry)
  return 'invited'
})

/** Returns whether the mailbox had an invitation. */
export const revokeInvitation: Command<Act & { readonly mailbox: string }, boolean> = command(
  'revokeInvitation',
  async (transaction, { mailbox, by, now }) => {
    const [erased] = await eraseProofsOfMailbox(transaction, { purpose, mailbox })
    if (!erased) return false

    const subject = erased.subject ?? undefined
    const event = 'invitation_revoked'
    await insertAudit<InvitationEvent>(transaction, { event, at: now, by, subject })
    return true
  },
)

/**
 * Spends an invitation and creates its account. The invitation proves that its reader owns the
 * mailbox, so an account that never verified the address loses it.
 */
export const acceptInvitation: Command<ProvenUser, ProvenOutcome> = command(
  'acceptInvitation',
  async (transaction, proven) => {
    const { proof, row, by } = proven
    const now = row.created_at
    const holder = await lockUnverified(transaction, proof.mailbox)
    if (!holder) return insertProvenUser(transaction, proven)

    // Two accounts cannot have one address, so the holder loses it first. If the new account cannot
    // be created, for example because its name is taken, the holder gets it back.
    const { id: subject, email, email_key } = holder
    await updateUser(transaction, { email: null, email_key: null }, { subject, now })
    const outcome = await insertProvenUser(transaction, proven)
    if (outcome === 'created')
      await recordChange(transaction, 'email_changed', { subject, by, now })
    else await updateUser(transaction, { email, email_key }, { subject, now })
    return outcome
  },
)

export const ofUser: OfUser = {
  // With an invitation, the deleted user could register again and get its rights.
  async erase(transaction, { mailboxes }) {
    for (const mailbox of mailboxes) await eraseProofsOfMailbox(transaction, { purpose, mailbox })
  },
}
