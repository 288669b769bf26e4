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

/** An authorization code to store. */
export interface NewCode {
  /** The hash of the code, which only the client has. */
  readonly id: string
  readonly clientId: string
  readonly subject: string
  /** What was asked for and proved, as JSON. */
  readonly content: string
  readonly now: number
}

const codeMilliseconds = 60 * 1000

export async function insertCode(
  transaction: Transaction,
  { id, clientId, subject, content, now }: NewCode,
): Promise<void> {
  await inTables<LoginFlowTables>(transaction)
    .insertInto('authorization_code')
    .values({
      id,
      client_id: clientId,
      subject,
      content,
      session_id: null,
      created_at: now,
      expires_at: now + codeMilliseconds,
    })
    .execute()
}

/** How long a used code is kept, so that its session ends if the code comes again. */
const keptMilliseconds = 10 * 60 * 1000

/** Uses a code for a session. Returns false if it was used before, has expired, or is void. */
export async function useCode(
  transaction: Transaction,
  { id, sessionId, now }: { readonly id: string; readonly sessionId: string; readonly now: number },
): Promise<boolean> {
  const used = await inTables<LoginFlowTables>(transaction)
    .updateTable('authorization_code')
    .set({ session_id: sessionId, expires_at: now + keptMilliseconds })
    .where('id', '=', id)
    .where('session_id', 'is', null)
    .where('expires_at', '>', now)
    .returning('id')
    .executeTakeFirst()
  return used !== undefined
}
