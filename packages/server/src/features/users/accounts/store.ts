// The changes that users make to their own accounts. Changes by administrators are in
// management-store.ts, deletions in deletion-store.ts, and what reads accounts in
// user-rows-store.ts.
import type { JsonObject } from 'keystile/internal'
import { command, type Command } from '../../../storage/database.ts'
import { clearWrongCodes } from '../../credentials/second-factors/app-in-transaction.ts'
import { lacksFactor } from '../../credentials/second-factors/factors-in-transaction.ts'
import { clearEnrolmentMails, clearResetMails } from '../../mail/outbox/in-transaction.ts'
import type { NewMail } from '../../mail/outbox/new-mail.ts'
import { insertProof } from '../../mail/proofs/bind-in-transaction.ts'
import { eraseProofsFor } from '../../mail/proofs/erase-in-transaction.ts'
import { proofKinds } from '../../mail/proofs/kinds.ts'
import type { PreparedRequest } from '../../mail/proofs/proofs.ts'
import { endSessions, hasSessionEnded } from '../../tokens/sessions/in-transaction.ts'
import { clearGuesses } from '../directory/guesses-in-transaction.ts'
import { isSameMailbox, type ComparableName } from '../directory/names.ts'
import { changeAddress, lockAddress, type NewUndo } from './change-address-in-transaction.ts'
import { recordChange, type UserAct } from './changes-in-transaction.ts'
import { lockUser } from './lock-in-transaction.ts'
import { insertAccount, type NewAccount, type TakenField } from './new-account-in-transaction.ts'
import { notify } from './notify-in-transaction.ts'
import { updateUser } from './update-user-in-transaction.ts'

/**
 * Inserts a user, or returns the field whose value another user has.
 *
 * @param values.proof a row to insert too: the request for the mail that verifies the address
 */
export const insertUser: Command<
  NewAccount & { readonly proof: PreparedRequest['row'] | undefined },
  'created' | TakenField
> = command('insertUser', async (transaction, { proof, ...account }) => {
  const outcome = await insertAccount(transaction, account)
  if (proof && outcome === 'created') await insertProof(transaction, proof)
  return outcome
})

/** `outdated`: the stored account differs from the account that the caller read. */
export type Outcome = 'changed' | 'outdated'
export type EmailOutcome = Outcome | 'taken' | 'too-many-mails'

/**
 * Replaces a profile if the stored profile is still `old`. The audit entry names the changed
 * fields.
 */
export const replaceProfile: Command<
  UserAct & { readonly old: string; readonly profile: string },
  Outcome
> = command('replaceProfile', async (transaction, { old, profile, ...act }) => {
  const options = { ...act, expected: { profile: old } }
  if (!(await updateUser(transaction, { profile }, options))) return 'outdated'

  const fields = findChangedFields(old, profile)
  if (fields.length > 0) await recordChange(transaction, 'profile_changed', act, { fields })
  return 'changed'
})

/**
 * Replaces the hash of a password by a stronger hash of the same password, if the stored hash is
 * still `old`. Ends no session and writes no audit entry.
 */
export const replacePasswordHash: Command<
  Omit<UserAct, 'by'> & { readonly old: string; readonly hash: string },
  Outcome
> = command('replacePasswordHash', async (transaction, { old, hash, ...act }) => {
  const options = { ...act, expected: { password_hash: old } }
  return (await updateUser(transaction, { password_hash: hash }, options)) ? 'changed' : 'outdated'
})

/**
 * Sets a new password and ends all sessions of the user except the caller's, in one transaction. So
 * an attacker who knows the old password is logged out. Reset links that were mailed before become
 * invalid, but not if a session changes the password of an account with a verified address: a thief
 * with the password could otherwise keep the owner from every link
 * (decisions/0073-a-changed-password-leaves-the-links-of-the-mailbox.md). If an operator sets the
 * password, the counts of guesses and of mails for a new password are cleared too. Changes nothing
 * if the stored hash is not `old`.
 */
export const changePassword: Command<
  UserAct & { readonly old: string; readonly hash: string; readonly notice: NewMail | undefined },
  Outcome
> = command('changePassword', async (transaction, { old, hash, notice, ...act }) => {
  const { subject, by, now } = act
  // Logins and the set-up of a factor lock this row first, too: one order prevents deadlocks.
  const account = await lockUser(transaction, subject)
  if (await hasSessionEnded(transaction, act)) return 'outdated'
  if (await lacksFactor(transaction, act)) return 'outdated'
  const values = { password_hash: hash, password_session: by.sessionId ?? null }
  const changed = await updateUser(transaction, values, {
    ...act,
    expected: { password_hash: old },
  })
  if (!changed) return 'outdated'

  await clearWrongCodes(transaction, subject)
  await endSessions(transaction, { subject, except: by.sessionId, now })
  if (by.sessionId === undefined || changed.email_verified_at === null)
    await eraseProofsFor(transaction, { subject, purpose: proofKinds.passwordReset.purpose })
  await recordChange(transaction, 'password_changed', act)
  const isByOperator = by.actor === 'operator'
  const { email } = changed
  if (isByOperator) await clearGuesses(transaction, { subject, names: [account?.username, email] })
  await notify(transaction, notice, { ...changed, subject, now })
  if (isByOperator && email !== null) {
    await clearEnrolmentMails(transaction, { subject, recipient: email, now })
    await clearResetMails(transaction, { subject, recipient: email, now })
  }
  return 'changed'
})

/**
 * Sets a new e-mail address and marks it as not verified. Changes nothing if another user has the
 * address (`taken`), or if the password was changed after the caller had entered it (`outdated`).
 * If Keystile sends mails, a verified address is not replaced (`outdated`): the new mailbox must
 * confirm the change first.
 */
export const changeEmail: Command<
  UserAct & {
    readonly email: ComparableName
    /** The hash that the password was verified against. */
    readonly passwordHash: string
    readonly undo: NewUndo | undefined
  },
  EmailOutcome
> = command('changeEmail', async (transaction, change) => {
  const account = await lockAddress(transaction, change)
  if (!account || (await hasSessionEnded(transaction, change))) return 'outdated'
  if (await lacksFactor(transaction, change)) return 'outdated'
  const isVerified = account.email_verified_at !== null
  if (change.undo && isVerified && !isSameMailbox(account.email, change.email.shown))
    return 'outdated'
  return changeAddress(transaction, account, { ...change, verifiedAt: null })
})

/**
 * The largest number of field names in an audit entry. A profile of 64 KiB may have thousands of
 * fields.
 */
const maxFieldNames = 50
const maxFieldNameLength = 64

/**
 * Returns the names of the fields that differ between two profiles. To fit into an audit entry, it
 * returns at most 50 names and cuts each name to 64 characters.
 */
function findChangedFields(old: string, profile: string): readonly string[] {
  const [before, after] = [JSON.parse(old) as JsonObject, JSON.parse(profile) as JsonObject]
  const names = Object.keys({ ...before, ...after })
  const changed = names.filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  )
  // A schema may allow fields of any name, so the user may have chosen these names, and they may be
  // long.
  return changed
    .slice(0, maxFieldNames)
    .map((name) => name.slice(0, maxFieldNameLength).toWellFormed())
}
