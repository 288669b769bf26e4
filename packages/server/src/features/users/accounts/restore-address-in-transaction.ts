// The undo of a change of the address, inside of a transaction: the link in the mail to the former
// address restores it.
import { minuteMilliseconds } from '../../../feature/limit-rate.ts'
import { inTables, type Reader, type Transaction } from '../../../storage/database.ts'
import { noPassword } from '../../credentials/password/stored-hash.ts'
import { eraseSecondFactors } from '../../credentials/second-factors/factors-in-transaction.ts'
import { eraseRecoveryCodes } from '../../credentials/second-factors/recovery-in-transaction.ts'
import { proofKinds } from '../../mail/proofs/kinds.ts'
import { hasProof } from '../../mail/proofs/spend-in-transaction.ts'
import type { Act } from '../../operations/audit/entry.ts'
import { endSessions } from '../../tokens/sessions/in-transaction.ts'
import { findHolder } from './address-holder-in-transaction.ts'
import { addressOf } from './change-address-in-transaction.ts'
import { announceChange } from './changes-in-transaction.ts'
import { isReserved } from './former-email-store.ts'
import { lockUser, type LockedAccount } from './lock-in-transaction.ts'
import type { AccountTables, FormerEmailRow } from './tables.ts'
import { updateUser } from './update-user-in-transaction.ts'

/** Finds the former address that a link restores, by the hash of the token in the link. */
export function findFormerEmail(
  db: Reader,
  { tokenHash, now }: { readonly tokenHash: string; readonly now: number },
): Promise<FormerEmailRow | undefined> {
  return inTables<AccountTables>(db)
    .selectFrom('former_email')
    .selectAll()
    .where('token_hash', '=', tokenHash)
    .where('expires_at', '>', now)
    .executeTakeFirst()
}

interface RestoredAccount {
  /** The address that was restored. */
  readonly former: FormerEmailRow
  /** The account as it was before. */
  readonly replaced: LockedAccount
  /** Whether an authenticator app was erased. */
  readonly isFactorErased: boolean
}

/**
 * Restores the former address of an account. `tokenHash` is the hash of the token in the link that
 * was mailed to this address. If the former address was verified, it is verified again. Cancels all
 * later changes of the address, ends all sessions of the user and disables the password, because
 * the person who changed the address may know the password. Erases second factors that this person
 * may have added.
 *
 * @returns undefined if the link was used, has expired or was cancelled, if the account was
 *   deleted, if another user has the address, or if another user had it as a verified address and
 *   can restore it by a link
 * @throws the error of the unique constraint if another user takes the address at the same time
 */
export async function restoreAddress(
  transaction: Transaction,
  { tokenHash, by, now }: Act & { readonly tokenHash: string },
): Promise<RestoredAccount | undefined> {
  const former = await findFormerEmail(transaction, { tokenHash, now })
  if (!former) return undefined

  const { subject, email, email_key, email_verified_at } = former
  const replaced = await lockUser(transaction, subject)
  if (!replaced) return undefined

  // An address that was never verified is not reserved, so another user may have it, or had it.
  const holder = await findHolder(transaction, email_key)
  if (holder !== undefined && holder !== subject) return undefined
  await updateUser(transaction, { email, email_key, email_verified_at }, { subject, now })
  const isLost = await isReserved(transaction, { key: email_key, subject, now })
  if (isLost || !(await spendFormerEmail(transaction, former))) {
    await updateUser(transaction, addressOf(replaced), { subject, now })
    return undefined
  }

  const values = { password_hash: noPassword, password_session: null }
  await updateUser(transaction, values, { subject, now })
  const isFactorErased = await eraseNewFactors(transaction, former, now)
  await endSessions(transaction, { subject, now })
  await announceChange(transaction, 'email_changed', { subject, by, now })
  await announceChange(transaction, 'password_changed', { subject, by, now })
  return { former, replaced, isFactorErased }
}

/** How long before a change of the address its undo looks for recovery codes of a thief. */
const codeMilliseconds = proofKinds.emailUndo.lifetimeHours * 60 * minuteMilliseconds

/**
 * Erases the second factors that were added since a change of the address: the person who changed
 * it may have added them. A first factor from before the change is erased too, as long as the link
 * that undoes it works in the old mailbox: a thief may add a factor first, and then change the
 * address. For the same reason, the recovery codes from the last days before the change are erased,
 * also if the app stays. Returns whether an app was erased.
 */
async function eraseNewFactors(
  transaction: Transaction,
  { subject, email_key: mailbox, created_at: changedAt }: FormerEmailRow,
  now: number,
): Promise<boolean> {
  const first = { subject, mailbox, purpose: proofKinds.factorUndo.purpose, now }
  const isUndoable = await hasProof(transaction, first)
  const since = isUndoable ? 0 : changedAt
  const isErased = await eraseSecondFactors(transaction, { subject, since })
  await eraseRecoveryCodes(transaction, { subject, since: changedAt - codeMilliseconds })
  return isErased
}

/**
 * Erases a former address of a user, and all addresses that the user had after it. Erases nothing
 * and returns false if the former address does not exist any more.
 */
async function spendFormerEmail(
  transaction: Transaction,
  { token_hash, subject, created_at }: FormerEmailRow,
): Promise<boolean> {
  const db = inTables<AccountTables>(transaction)
  const spent = await db
    .deleteFrom('former_email')
    .where('token_hash', '=', token_hash)
    .returning('token_hash')
    .executeTakeFirst()
  if (!spent) return false

  await db
    .deleteFrom('former_email')
    .where('subject', '=', subject)
    .where('created_at', '>=', created_at)
    .execute()
  return true
}
