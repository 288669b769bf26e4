import type { JsonObject } from 'keystile/internal'
import { inTables, type Transaction } from '../../../storage/database.ts'
import {
  lockProof,
  spendProof,
  type SpendableProof,
} from '../../mail/proofs/spend-in-transaction.ts'
import type { By } from '../../operations/audit/entry.ts'
import type { Acceptance } from './acceptance.ts'
import { isTaken } from './address-holder-in-transaction.ts'
import { grantNames, recordChange } from './changes-in-transaction.ts'
import { isReserved } from './former-email-store.ts'
import type { AccountTables, UserRow } from './tables.ts'

/** The field whose value another user has. */
export type TakenField = 'username' | 'email'

export interface NewAccount {
  readonly row: UserRow
  readonly by: By
  readonly accepted?: Acceptance | undefined
}

/**
 * Inserts a user. If another user has the name or the e-mail address, inserts nothing and returns
 * which of them is taken. The unique constraints of the database decide, so only one of two
 * concurrent registrations gets a name.
 */
export async function insertAccount(
  transaction: Transaction,
  { row, by, accepted }: NewAccount,
): Promise<'created' | TakenField> {
  const db = inTables<AccountTables>(transaction)
  const inserted = await db
    .insertInto('user')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst()

  const { id: subject, email_key: key, created_at: now } = row
  if (!inserted) {
    // Checks the address first. Otherwise a person with a registration whose address is taken by
    // now could test whether many names are taken.
    const isSameEmail = key !== null && (await isTaken(transaction, { mailbox: key, subject, now }))
    return isSameEmail ? 'email' : 'username'
  }

  // This check comes after the insertion: the insertion has waited for a user who gives the address
  // away at this moment, and only now is the reservation of that user visible.
  if (key !== null && (await isReserved(transaction, { key, subject, now }))) {
    await db.deleteFrom('user').where('id', '=', subject).execute()
    return 'email'
  }

  await recordChange(transaction, 'user_created', { subject, by, now }, detailOf(row, accepted))
  return 'created'
}

/** Returns what the audit entry of a new user says: the given rights, and what was accepted. */
function detailOf(row: UserRow, accepted: Acceptance | undefined): JsonObject | undefined {
  const given = grantNames(row)
  if (given.length === 0 && !accepted) return undefined
  return {
    ...(given.length > 0 && { given }),
    ...(accepted && { accepted: describeAcceptance(accepted, row.created_at) }),
  }
}

function describeAcceptance({ at, terms, privacy }: Acceptance, createdAt: number): JsonObject {
  return {
    at: new Date(at ?? createdAt).toISOString(),
    ...(terms !== undefined && { terms }),
    ...(privacy !== undefined && { privacy }),
  }
}

/** A new user, and the proof that this person reads the mailbox of the account. */
export interface ProvenUser extends NewAccount {
  readonly proof: SpendableProof
}

/** `refused`: the proof was used before, was erased, or has expired. */
export type ProvenOutcome = 'created' | 'refused' | TakenField

/**
 * Spends a proof and inserts its user. If another user has the name or the address, returns which
 * of them is taken, and does NOT spend the proof.
 */
export async function insertProvenUser(
  transaction: Transaction,
  { proof, ...account }: ProvenUser,
): Promise<ProvenOutcome> {
  const now = account.row.created_at
  if (!(await lockProof(transaction, { ...proof, now }))) return 'refused'

  const outcome = await insertAccount(transaction, account)
  if (outcome === 'created') await spendProof(transaction, { ...proof, now })
  return outcome
}
