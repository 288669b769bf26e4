import type { OfUser } from '../../../feature/of-user.ts'
import { command, type AnyCommand, type Command } from '../../../storage/database.ts'
import {
  insertAccount,
  isTaken,
  type NewUserRow,
  type UserAct,
} from '../../users/accounts/in-transaction.ts'
import { insertAudit } from '../../operations/audit/in-transaction.ts'
import {
  eraseProofsFor,
  insertProof,
  lockProof,
  spendProof,
  type Binding,
  type SpendableProof,
} from '../proofs/in-transaction.ts'
import type { NewProof } from '../proofs/new-proof.ts'
import { tryInsertMail } from '../outbox/in-transaction.ts'
import type { NewMail } from '../outbox/new-mail.ts'
import type { InvitationEvent } from './audit-events.ts'

/** The purpose of proofs that let an invited person create an account. */
export const invitation = 'invitation'

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

  await eraseProofsFor(transaction, { purpose: invitation, mailbox })
  await insertProof(transaction, proof)
  const detail = given.length > 0 ? { given } : undefined
  const entry = { event: 'user_invited', at: now, by, subject, detail } as const
  await insertAudit<InvitationEvent>(transaction, entry)
  return 'invited'
})

type Act = Omit<UserAct, 'subject'>

/** Returns whether the mailbox had an invitation. */
export const revokeInvitation: Command<Act & { readonly mailbox: string }, boolean> = command(
  'revokeInvitation',
  async (transaction, { mailbox, by, now }) => {
    const [erased] = await eraseProofsFor(transaction, { purpose: invitation, mailbox })
    if (!erased) return false

    const subject = erased.subject ?? undefined
    const event = 'invitation_revoked'
    await insertAudit<InvitationEvent>(transaction, { event, at: now, by, subject })
    return true
  },
)

/**
 * Spends an invitation and creates its account, in one transaction. If the name or the address is
 * taken, the invitation is not spent.
 *
 * @returns `refused` if the invitation was used before, was revoked, or has expired
 */
export const acceptInvitation: Command<
  Act & { readonly proof: SpendableProof; readonly row: NewUserRow },
  'created' | 'username' | 'email' | 'refused'
> = command('acceptInvitation', async (transaction, { proof, row, by, now }) => {
  if (!(await lockProof(transaction, { ...proof, now }))) return 'refused'

  const { taken } = await insertAccount(transaction, { row, by })
  if (!taken) await spendProof(transaction, { ...proof, now })
  return taken ?? 'created'
})

export const commands: readonly AnyCommand[] = [
  insertInvitation,
  revokeInvitation,
  acceptInvitation,
]

export const ofUser: OfUser = {
  // With an invitation, the deleted user could register again and get its rights.
  async erase(transaction, { mailboxes }) {
    for (const mailbox of mailboxes)
      await eraseProofsFor(transaction, { purpose: invitation, mailbox })
  },
}
