import type { OfUser } from '../../../feature/of-user.ts'
import { command, type AnyCommand, type Command } from '../../../storage/database.ts'
import { insertAccount, isTaken, type NewUserRow } from '../../users/accounts/in-transaction.ts'
import type { By } from '../../operations/audit/entry.ts'
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
  {
    readonly proof: NewProof['row'] & Binding
    readonly mail: NewMail
    readonly recipient: string
    /** The names of the scopes and roles that the future user gets, for the audit record. */
    readonly given: readonly string[]
    readonly by: By
    readonly now: number
  },
  { readonly outcome: 'invited' | 'taken' | 'too-many-mails' }
> = command('insertInvitation', async (transaction, { proof, mail, recipient, given, by, now }) => {
  const { subject, mailbox } = proof
  if (await isTaken(transaction, { mailbox, subject, now })) return { outcome: 'taken' }
  if (!(await tryInsertMail(transaction, mail, { subject, recipient, share: 'invitation', now })))
    return { outcome: 'too-many-mails' }

  await eraseProofsFor(transaction, { purpose: invitation, mailbox })
  await insertProof(transaction, proof)
  const detail = given.length > 0 ? { given } : undefined
  await insertAudit<InvitationEvent>(transaction, {
    event: 'user_invited',
    at: now,
    by,
    subject,
    detail,
  })
  return { outcome: 'invited' }
})

export const revokeInvitation: Command<
  { readonly mailbox: string; readonly by: By; readonly now: number },
  { readonly isRevoked: boolean }
> = command('revokeInvitation', async (transaction, { mailbox, by, now }) => {
  if ((await eraseProofsFor(transaction, { purpose: invitation, mailbox })) === 0)
    return { isRevoked: false }

  await insertAudit<InvitationEvent>(transaction, { event: 'invitation_revoked', at: now, by })
  return { isRevoked: true }
})

/**
 * Spends an invitation and creates its account, in one transaction. If the name or the address is
 * taken, the invitation is not spent.
 *
 * @returns `outcome: undefined` if the invitation was used before, was revoked, or has expired
 */
export const acceptInvitation: Command<
  {
    readonly proof: SpendableProof
    readonly row: NewUserRow
    readonly by: By
    readonly now: number
  },
  { readonly outcome: 'created' | 'username' | 'email' | undefined }
> = command('acceptInvitation', async (transaction, { proof, row, by, now }) => {
  if (!(await lockProof(transaction, { ...proof, now }))) return { outcome: undefined }

  const { taken } = await insertAccount(transaction, { row, by })
  if (taken) return { outcome: taken }
  await spendProof(transaction, { ...proof, now })
  return { outcome: 'created' }
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
