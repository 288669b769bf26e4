import { inTables, type Transaction } from '../../../storage/database.ts'
import type { LoginFlowTables } from './tables.ts'

/** Ends all attempts of a user, as whatever ends all sessions of a user does. */
export async function endAttempts(transaction: Transaction, subject: string): Promise<void> {
  await inTables<LoginFlowTables>(transaction)
    .deleteFrom('login_flow')
    .where('subject', '=', subject)
    .execute()
}

export async function endAllAttempts(transaction: Transaction): Promise<void> {
  await inTables<LoginFlowTables>(transaction).deleteFrom('login_flow').execute()
}

/**
 * Locks an attempt until the end of the transaction that starts its session. Returns false if it
 * has ended or expired, so that an attempt gives one session.
 */
export async function lockAttempt(
  transaction: Transaction,
  { id, now }: { readonly id: string; readonly now: number },
): Promise<boolean> {
  const locked = await inTables<LoginFlowTables>(transaction)
    .updateTable('login_flow')
    .set((row) => ({ tries: row.ref('tries') }))
    .where('id', '=', id)
    .where('expires_at', '>', now)
    .returning('id')
    .executeTakeFirst()
  return locked !== undefined
}

export async function endAttempt(transaction: Transaction, id: string): Promise<void> {
  await inTables<LoginFlowTables>(transaction)
    .deleteFrom('login_flow')
    .where('id', '=', id)
    .execute()
}
