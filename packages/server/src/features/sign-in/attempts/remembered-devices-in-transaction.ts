// Remembered devices, and how the table of attempts stores them: `proofs` is the session.
import { inTables, type Transaction } from '../../../storage/database.ts'
import { lockRows } from '../../../storage/portable-sql.ts'
import type { LoginFlowTables, RememberedDeviceRow } from './tables.ts'

/** Where the row of a remembered device begins: at no endpoint, so no login goes on with it. */
export const rememberedFront = 'remembered device'

/** Locks a device until the end of the transaction. Returns false if it is not remembered. */
export async function lockRemembered(
  transaction: Transaction,
  { id, now }: { readonly id: string; readonly now: number },
): Promise<boolean> {
  const locked = await inTables<LoginFlowTables>(transaction)
    .updateTable('login_flow')
    .set((row) => ({ tries: row.ref('tries') }))
    .where('id', '=', id)
    .where('front', '=', rememberedFront)
    .where('expires_at', '>', now)
    .returning('id')
    .executeTakeFirst()
  return locked !== undefined
}

/** Remembers that a device needs no second factor until a time. Deletes its former row. */
export async function rememberDevice(
  transaction: Transaction,
  formerId: string | undefined,
  { session_id: proofs, ...device }: RememberedDeviceRow,
): Promise<void> {
  const db = inTables<LoginFlowTables>(transaction)
  if (formerId !== undefined) await db.deleteFrom('login_flow').where('id', '=', formerId).execute()
  await db
    .insertInto('login_flow')
    .values({ ...device, proofs, front: rememberedFront, sealed: '', tries: 0 })
    .execute()
}

/** Gives a remembered device the hash of a new secret, and a new session. */
export async function moveRemembered(
  transaction: Transaction,
  formerId: string,
  { id, sessionId, now }: Record<'id' | 'sessionId', string> & { readonly now: number },
): Promise<void> {
  await inTables<LoginFlowTables>(transaction)
    .updateTable('login_flow')
    .set({ id, proofs: sessionId })
    .where('id', '=', formerId)
    .where('front', '=', rememberedFront)
    .where('expires_at', '>', now)
    .execute()
}

/**
 * Forgets the remembered devices of a user.
 *
 * @param options.except the session of a device that stays remembered
 */
export async function endRemembered(
  transaction: Transaction,
  { subject, except = '' }: { readonly subject: string; readonly except?: string | undefined },
): Promise<void> {
  const db = inTables<LoginFlowTables>(transaction)
  const remembered = db
    .selectFrom('login_flow')
    .select('id')
    .where('subject', '=', subject)
    .where('front', '=', rememberedFront)
    .where('proofs', '!=', except)
    .orderBy('id')
  await lockRows(transaction, remembered)
  await db.deleteFrom('login_flow').where('id', 'in', remembered).execute()
}
