// All second factors. Resets erase only these, and changes of an account look only for these. The
// writer thread loads this file.
import type { SecondFactor } from '../../../feature/second-factor.ts'
import type { Reader, Transaction } from '../../../storage/database.ts'
import { appFactor } from './app-in-transaction.ts'

/** The names of the login methods that prove a second factor. */
export type FactorName = 'otp'

export const secondFactors: Readonly<Record<FactorName, SecondFactor>> = {
  otp: appFactor,
}

/**
 * Whether logins of this user need a second factor, because the user has set one up. Lock the user
 * first: a factor is set up only under this lock, so a change that finds no factor is committed
 * before the factor is.
 */
export async function hasSecondFactor(db: Reader, subject: string): Promise<boolean> {
  for (const { isSetUp } of Object.values(secondFactors))
    if (await isSetUp(db, subject)) return true
  return false
}

/** When a user has last set up or renewed a second factor, in milliseconds; 0 without any. */
export async function newestFactorAt(db: Reader, subject: string): Promise<number> {
  let newest = 0
  for (const { newestAt } of Object.values(secondFactors))
    newest = Math.max(newest, (await newestAt(db, subject)) ?? 0)
  return newest
}

/**
 * Whether a caller has not proved the second factor that the account has by now. The check of the
 * route is not enough: the factor may be newer than it. Lock the user first.
 */
export async function lacksFactor(
  transaction: Transaction,
  {
    subject,
    by,
  }: {
    readonly subject: string
    readonly by: { readonly actor: string; readonly acr?: string | undefined }
  },
): Promise<boolean> {
  // `nobody` has no token, and has proved the password of this user. An administrator, an operator
  // and the app need no factor of this user.
  const isOwn = by.actor === `user:${subject}` || by.actor === 'nobody'
  return isOwn && by.acr !== 'mfa' && (await hasSecondFactor(transaction, subject))
}

/**
 * Erases all second factors of a user, with the recovery codes.
 *
 * @param options.since erases only what was set up or made since this time
 * @returns whether a factor was erased
 */
export async function eraseSecondFactors(
  transaction: Transaction,
  options: Parameters<SecondFactor['erase']>[1],
): Promise<boolean> {
  let hadFactor = false
  for (const { erase } of Object.values(secondFactors))
    if (await erase(transaction, options)) hadFactor = true
  return hadFactor
}
