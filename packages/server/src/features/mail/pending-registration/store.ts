import type { PurgeCommand } from '../../../feature/clean-up.ts'
import { createPurge } from '../../../feature/purge.ts'
import {
  command,
  inTables,
  type AnyCommand,
  type Command,
  type Reader,
} from '../../../storage/database.ts'
import { findHolder, insertAccount, type NewUserRow } from '../../users/accounts/in-transaction.ts'
import type { By } from '../../operations/audit/entry.ts'
import {
  bindWithMail,
  insertProof,
  leaveProofsUnbound,
  lockProof,
  spendProof,
  type BindValues,
  type SpendableProof,
} from '../proofs/in-transaction.ts'
import type { PreparedRequest } from '../proofs/proofs.ts'
import { insertMail } from '../outbox/in-transaction.ts'
import type { PendingRegistrationRow, PendingRegistrationTables } from './tables.ts'

/** Stores a registration and the request for its mail. Does NOT look up any account. */
export const insertPending: Command<
  { readonly row: PendingRegistrationRow; readonly proof: PreparedRequest['row'] },
  void
> = command('insertPending', async (transaction, { row, proof }) => {
  await inTables<PendingRegistrationTables>(transaction)
    .insertInto('pending_registration')
    .values(row)
    .execute()
  await insertProof(transaction, proof)
})

export function findPending(
  reader: Reader,
  { id, subject, now }: Pick<SpendableProof, 'id' | 'subject'> & { readonly now: number },
): Promise<PendingRegistrationRow | undefined> {
  return inTables<PendingRegistrationTables>(reader)
    .selectFrom('pending_registration')
    .selectAll()
    .where('id', '=', id)
    .where('subject', '=', subject)
    .where('expires_at', '>', now)
    .executeTakeFirst()
}

/**
 * Stores the mail of a registration. If the address is free, the mail has the link and the code. If
 * an account has the address, the mail only says that the account exists, and the registration is
 * erased.
 *
 * @param values.subject the subject of the registration, or of the account that had the address
 *   when the resolver looked. If a different account has the address now, no mail is sent
 */
export const bindRegistration: Command<BindValues, void> = command(
  'bindRegistration',
  async (transaction, { mail, recipient, ...values }) => {
    const { id, subject, mailbox, now } = values
    const holder = await findHolder(transaction, mailbox)
    if (holder === undefined) return bindWithMail(transaction, { ...values, mail, recipient })

    await leaveProofsUnbound(transaction, { ids: [id], now })
    await inTables<PendingRegistrationTables>(transaction)
      .deleteFrom('pending_registration')
      .where('id', '=', id)
      .execute()
    if (holder === subject)
      await insertMail(transaction, mail, { subject, recipient, share: 'requested', now })
  },
)

export type Finish =
  | { readonly outcome: 'created' }
  | { readonly outcome: 'refused' }
  /** The proof was not spent. */
  | { readonly outcome: 'taken'; readonly field: 'username' | 'email' }

/**
 * Spends a proof and turns the registration into an account, in one transaction. Also erases all
 * registrations with this address. If another user has the name or the address, changes nothing.
 */
export const finishRegistration: Command<
  {
    readonly proof: SpendableProof
    readonly row: NewUserRow
    readonly by: By
    readonly now: number
  },
  Finish
> = command('finishRegistration', async (transaction, { proof, row, by, now }) => {
  const db = inTables<PendingRegistrationTables>(transaction)
  if (!(await lockProof(transaction, { ...proof, now }))) return { outcome: 'refused' }

  const { taken } = await insertAccount(transaction, { row, by })
  if (taken) return { outcome: 'taken', field: taken }

  await spendProof(transaction, { ...proof, now })
  await db.deleteFrom('pending_registration').where('email_key', '=', proof.mailbox).execute()
  return { outcome: 'created' }
})

export const purgePending: PurgeCommand = createPurge('purgePending', 'pending_registration')

export const commands: readonly AnyCommand[] = [
  insertPending,
  bindRegistration,
  finishRegistration,
  purgePending,
]
