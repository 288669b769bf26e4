// The confirmed authenticator app of a user, for the commands that find it, spend its codes or
// erase it, with the recovery codes. `pending-app-in-transaction.ts` has apps before their first
// code.
import type { SecondFactor } from '../../../feature/second-factor.ts'
import { inTables, type Reader, type Transaction } from '../../../storage/database.ts'
import { prepare } from '../../../storage/prepared.ts'
import type { AuthenticatorAppRow, SecondFactorTables } from './tables.ts'

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
export interface AppSecret {
  readonly subject: string
  /** The secret as it is stored, encrypted. */
  readonly sealed: string
}

/** A code of an app that was found to be right. */
export interface UsedStep extends AppSecret {
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
