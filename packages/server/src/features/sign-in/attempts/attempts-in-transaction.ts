import { inTables, type Transaction } from '../../../storage/database.ts'
import { endRemembered, rememberedFront } from './remembered-devices-in-transaction.ts'
import type { LoginFlowTables } from './tables.ts'

/**
 * Ends all attempts, unused codes and remembered devices of a user, as whatever ends all sessions
 * of a user does. Call it before the sessions end: it waits for a login that ends at the same
 * moment, and the session of that login must end too. In this order, because an attempt becomes a
 * code, and a code a session; a login locks its attempt, its remembered device, and its session.
 *
 * @param options.remembered the session of a device that stays remembered
 */
export async function endAttempts(
  transaction: Transaction,
  { subject, remembered }: { readonly subject: string; readonly remembered?: string | undefined },
): Promise<void> {
  const db = inTables<LoginFlowTables>(transaction)
  await db
    .deleteFrom('login_flow')
    .where('subject', '=', subject)
    .where('front', '!=', rememberedFront)
    .execute()
  await db
    .deleteFrom('authorization_code')
    .where('subject', '=', subject)
    .where('session_id', 'is', null)
    .execute()
  await endRemembered(transaction, { subject, except: remembered })
}

/** Ends the attempts, codes and remembered devices of all users, after a restore. */
export async function endAllAttempts(transaction: Transaction): Promise<void> {
  const db = inTables<LoginFlowTables>(transaction)
  await db.deleteFrom('login_flow').execute()
  await db.deleteFrom('authorization_code').execute()
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

/**
 * Adds a proof to an attempt, and gives back the try that was counted for it. Returns false if the
 * attempt has ended or expired, or if its proofs have changed: so a proof counts once.
 */
export async function addProof(
  transaction: Transaction,
  {
    id,
    before,
    proofs,
    now,
  }: {
    readonly id: string
    /** The proofs as they were read, as JSON. */
    readonly before: string
    readonly proofs: string
    readonly now: number
  },
): Promise<boolean> {
  const added = await inTables<LoginFlowTables>(transaction)
    .updateTable('login_flow')
    .set((row) => ({ proofs, tries: row('tries', '-', 1) }))
    .where('id', '=', id)
    .where('proofs', '=', before)
    .where('expires_at', '>', now)
    .returning('id')
    .executeTakeFirst()
  return added !== undefined
}

export async function endAttempt(transaction: Transaction, id: string): Promise<void> {
  await inTables<LoginFlowTables>(transaction)
    .deleteFrom('login_flow')
    .where('id', '=', id)
    .execute()
}
