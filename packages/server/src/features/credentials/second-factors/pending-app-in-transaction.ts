// An authenticator app that waits for its first code: its secret was shown in a session, and counts
// only after the code.
import { inTables, type Transaction } from '../../../storage/database.ts'
import type { AppSecret, UsedStep } from './app-in-transaction.ts'
import { pendingIn, type SecondFactorTables } from './tables.ts'

/** How long a first code may take, after the secret was shown. */
export const pendingMilliseconds: number = 60 * 60 * 1000

/** How many apps of a user may wait for their first code: one a session. */
const maxPending = 10

/**
 * Stores the secret of an app that the user has not confirmed yet. It replaces a pending one of the
 * same session, and never one of another session or a confirmed one. Deletes expired ones of the
 * user, and the oldest beyond the limit. Lock the user first.
 */
export async function insertPending(
  transaction: Transaction,
  values: AppSecret & { readonly sessionId: string; readonly now: number },
): Promise<void> {
  const { subject, sessionId, sealed, now } = values
  const db = inTables<SecondFactorTables>(transaction)
  const state = pendingIn(sessionId)
  const kept = db
    .selectFrom('authenticator_app')
    .select('state')
    .where('subject', '=', subject)
    .where('state', 'not in', ['confirmed', state])
    .where('created_at', '>', now - pendingMilliseconds)
    .orderBy('created_at', 'desc')
    .limit(maxPending - 1)
  await db
    .deleteFrom('authenticator_app')
    .where('subject', '=', subject)
    .where('state', 'not in', ['confirmed', state])
    .where('state', 'not in', kept)
    .execute()
  await db
    .insertInto('authenticator_app')
    .values({ subject, state, sealed, last_step: -1, wrong_codes: 0, created_at: now })
    .onConflict((conflict) =>
      conflict.columns(['subject', 'state']).doUpdateSet({ sealed, created_at: now }),
    )
    .execute()
}

/** Locks a pending app of a user. Returns false if it is not there any more. */
export async function lockPending(
  transaction: Transaction,
  { subject, sealed }: AppSecret,
): Promise<boolean> {
  const locked = await inTables<SecondFactorTables>(transaction)
    .updateTable('authenticator_app')
    .set({ sealed })
    .where('subject', '=', subject)
    .where('state', '!=', 'confirmed')
    .where('sealed', '=', sealed)
    .returning('subject')
    .executeTakeFirst()
  return locked !== undefined
}

/**
 * Makes a pending app the confirmed one, after its first code. It replaces an earlier app, and the
 * apps that wait in other sessions. The row stays the same, so a transaction that waits for it then
 * sees the confirmed app.
 */
export async function confirmPending(
  transaction: Transaction,
  { subject, sealed, step, now }: UsedStep & { readonly now: number },
): Promise<void> {
  const db = inTables<SecondFactorTables>(transaction)
  await db
    .deleteFrom('authenticator_app')
    .where('subject', '=', subject)
    .where('sealed', '!=', sealed)
    .execute()
  await db
    .updateTable('authenticator_app')
    .set({ state: 'confirmed', last_step: step, wrong_codes: 0, created_at: now })
    .where('subject', '=', subject)
    .where('sealed', '=', sealed)
    .execute()
}
