// The rows of authenticator apps, for the commands that set apps up, spend their codes or erase
// them. An app is erased with the recovery codes.
import type { SecondFactor } from '../../../feature/second-factor.ts'
import { inTables, type Reader, type Transaction } from '../../../storage/database.ts'
import { prepare } from '../../../storage/prepared.ts'
import { pendingIn, type AuthenticatorAppRow, type SecondFactorTables } from './tables.ts'

/** How long a first code may take, after the secret was shown. */
export const pendingMilliseconds: number = 60 * 60 * 1000

/** How many apps of a user may wait for their first code: one a session. */
const maxPending = 10

/** Whether the user has a confirmed app. */
export async function hasApp(db: Reader, subject: string): Promise<boolean> {
  return (await findApp(db, { subject, state: 'confirmed' })).length > 0
}

/** Returns an app of a user by its state. A user has at most one app of each state. */
export const findApp: (
  db: Reader,
  values: Pick<AuthenticatorAppRow, 'subject' | 'state'>,
) => Promise<readonly AuthenticatorAppRow[]> = prepare<
  SecondFactorTables,
  Pick<AuthenticatorAppRow, 'subject' | 'state'>,
  AuthenticatorAppRow
>((db, { subject, state }) =>
  db
    .selectFrom('authenticator_app')
    .selectAll()
    .where('subject', '=', subject)
    .where('state', '=', state),
)

/** The secret of an app. */
interface AppSecret {
  readonly subject: string
  /** The secret as it is stored, encrypted. */
  readonly sealed: string
}

/** A code of an app that was found to be right. */
interface UsedStep extends AppSecret {
  readonly step: number
}

/**
 * Spends a code of an authenticator app: no later transaction accepts a code of this step or an
 * earlier one. Returns false if one was accepted before, or if the user has another app now.
 */
async function spendStep(
  transaction: Transaction,
  { subject, sealed, step }: UsedStep,
): Promise<boolean> {
  const spent = await inTables<SecondFactorTables>(transaction)
    .updateTable('authenticator_app')
    .set({ last_step: step, wrong_codes: 0 })
    .where('subject', '=', subject)
    .where('state', '=', 'confirmed')
    .where('sealed', '=', sealed)
    .where('last_step', '<', step)
    .returning('subject')
    .executeTakeFirst()
  return spent !== undefined
}

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

/** Inserts the confirmed app of a user who has none. Lock the user first. */
export async function insertFirstApp(
  transaction: Transaction,
  { subject, sealed, now }: AppSecret & { readonly now: number },
): Promise<void> {
  await inTables<SecondFactorTables>(transaction)
    .insertInto('authenticator_app')
    .values({ subject, state: 'confirmed', sealed, last_step: -1, wrong_codes: 0, created_at: now })
    .execute()
}

/** Counts a wrong code from an unknown device. */
export async function countWrongCode(transaction: Transaction, subject: string): Promise<void> {
  await inTables<SecondFactorTables>(transaction)
    .updateTable('authenticator_app')
    .set((row) => ({ wrong_codes: row('wrong_codes', '+', 1) }))
    .where('subject', '=', subject)
    .where('state', '=', 'confirmed')
    .execute()
}

/** Lets unknown devices use codes of the app again. */
export async function clearWrongCodes(transaction: Transaction, subject: string): Promise<void> {
  await inTables<SecondFactorTables>(transaction)
    .updateTable('authenticator_app')
    .set({ wrong_codes: 0 })
    .where('subject', '=', subject)
    .where('state', '=', 'confirmed')
    .execute()
}

/**
 * Erases the app and the recovery codes of a user, and the apps that wait for their first code.
 *
 * @param options.since erases only what was confirmed or made since this time. Recovery codes
 *   never stay without an app
 * @returns whether a confirmed app was erased
 */
export async function eraseApp(
  transaction: Transaction,
  { subject, since = 0 }: { readonly subject: string; readonly since?: number },
): Promise<boolean> {
  const db = inTables<SecondFactorTables>(transaction)
  const erased = await db
    .deleteFrom('authenticator_app')
    .where('subject', '=', subject)
    .where((row) => row.or([row('state', '!=', 'confirmed'), row('created_at', '>=', since)]))
    .returning('state')
    .execute()
  const hadApp = erased.some(({ state }) => state === 'confirmed')
  await db
    .deleteFrom('recovery_code')
    .where('subject', '=', subject)
    .where('created_at', '>=', hadApp ? 0 : since)
    .execute()
  return hadApp
}

/** Returns when the app or the recovery codes of a user were made, whichever is later. */
async function newestPartAt(db: Reader, subject: string): Promise<number | undefined> {
  const tables = inTables<SecondFactorTables>(db)
  const newest = await tables
    .selectFrom('authenticator_app')
    .select('created_at')
    .where('subject', '=', subject)
    .where('state', '=', 'confirmed')
    .unionAll(
      tables.selectFrom('recovery_code').select('created_at').where('subject', '=', subject),
    )
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  return newest?.created_at
}

/** The authenticator app. Its mark has the step of the code, and the secret as it is stored. */
export const appFactor: SecondFactor = {
  isSetUp: hasApp,
  newestAt: newestPartAt,
  isHeld(transaction, { subject, mark }) {
    const [step, sealed] = JSON.parse(mark) as readonly [number, string]
    return spendStep(transaction, { subject, sealed, step })
  },
  erase: eraseApp,
}
