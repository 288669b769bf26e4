import type { PurgeCommand } from '../../../feature/clean-up.ts'
import { createPurge } from '../../../feature/purge.ts'
import { command, inTables, type Command, type Reader } from '../../../storage/database.ts'
import { findHolder } from '../../users/accounts/address-holder-in-transaction.ts'
import {
  insertProvenUser,
  type ProvenOutcome,
  type ProvenUser,
} from '../../users/accounts/new-account-in-transaction.ts'
import { insertMail } from '../outbox/in-transaction.ts'
import {
  bindWithMail,
  insertProof,
  leaveProofUnbound,
  type BindValues,
} from '../proofs/bind-in-transaction.ts'
import type { PreparedRequest } from '../proofs/proofs.ts'
import type { SpendableProof } from '../proofs/spend-in-transaction.ts'
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
    .where((row) => row.and({ id, subject }))
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
  async (transaction, values) => {
    const { id, subject, mailbox, mail, recipient, share, now } = values
    const holder = await findHolder(transaction, mailbox)
    if (holder === undefined) return bindWithMail(transaction, values)

    await leaveProofUnbound(transaction, { id, now })
    await inTables<PendingRegistrationTables>(transaction)
      .deleteFrom('pending_registration')
      .where('id', '=', id)
      .execute()
    if (holder === subject) await insertMail(transaction, mail, { subject, recipient, share, now })
  },
)

/** Why no account was created. If the name or the address is taken, the proof can be used again. */
export type NotFinished = Exclude<ProvenOutcome, 'created'>

/** Turns a registration into an account, and erases all registrations with its address. */
export const finishRegistration: Command<ProvenUser, ProvenOutcome> = command(
  'finishRegistration',
  async (transaction, proven) => {
    const outcome = await insertProvenUser(transaction, proven)
    if (outcome === 'created')
      await inTables<PendingRegistrationTables>(transaction)
        .deleteFrom('pending_registration')
        .where('email_key', '=', proven.proof.mailbox)
        .execute()
    return outcome
  },
)

export const purgePending: PurgeCommand = createPurge('purgePending', 'pending_registration')
