// Reads accounts, and writes the changes that users make to their own accounts. Changes by
// administrators are in management-store.ts.
import { clearWrongCodes } from '../../credentials/second-factors/in-transaction.ts'
import type { CompiledQuery } from 'kysely'
import type { JsonObject } from 'keystile/internal'
import {
  command,
  inTables,
  type AnyCommand,
  type Command,
  type Database,
  type Reader,
  type Transaction,
} from '../../../storage/database.ts'
import type { By } from '../../operations/audit/entry.ts'
import { insertAudit } from '../../operations/audit/in-transaction.ts'
import { isSameMailbox, type ComparableName } from '../directory/names.ts'
import { eraseProofs, insertProof } from '../../mail/proofs/in-transaction.ts'
import type { PreparedRequest } from '../../mail/proofs/proofs.ts'
import { passwordReset } from '../../mail/proofs/purposes.ts'
import { insertMail } from '../../mail/outbox/in-transaction.ts'
import type { NewMail } from '../../mail/outbox/new-mail.ts'
import { endSessions } from '../../tokens/sessions/in-transaction.ts'
import { changeAddress, lockAddress } from './address-in-transaction.ts'
import type { AccountEvent } from './audit-events.ts'
import { announceChange, insertAccount, type NewUserRow } from './in-transaction.ts'
import type { NewUndo } from './new-undo.ts'
import type { AccountTables, UserRow } from './tables.ts'
import { updateUser } from './user-in-transaction.ts'

/**
 * Inserts a user, or returns the field whose value another user has.
 *
 * @param values.proof a row to insert too: the request for the mail that verifies the address
 */
export const insertUser: Command<
  { readonly row: NewUserRow; readonly by: By; readonly proof: PreparedRequest['row'] | undefined },
  { readonly taken?: 'username' | 'email' }
> = command('insertUser', async (transaction, { row, by, proof }) => {
  const { taken } = await insertAccount(transaction, { row, by })
  if (taken) return { taken }

  if (proof) await insertProof(transaction, proof)
  return {}
})

/**
 * Replaces a profile if the stored profile is still `old`. The audit entry names the changed
 * fields.
 */
export const replaceProfile: Command<
  {
    readonly id: string
    readonly old: string
    readonly profile: string
    readonly by: By
    readonly now: number
  },
  { readonly replaced: boolean }
> = command('replaceProfile', async (transaction, { id, old, profile, by, now }) => {
  const expected = { profile: old }
  const replaced = await updateUser(transaction, { profile }, { subject: id, expected, now })
  if (!replaced) return { replaced: false }

  const fields = findChangedFields(old, profile)
  if (fields.length > 0) {
    await insertAudit<AccountEvent>(transaction, {
      event: 'profile_changed',
      at: now,
      by,
      subject: id,
      detail: { fields },
    })
    await announceChange(transaction, 'profile', { subject: id, by, now })
  }
  return { replaced: true }
})

/**
 * Replaces the hash of a password by a stronger hash of the same password, if the stored hash is
 * still `old`. Ends no session and writes no audit entry.
 */
export const replacePasswordHash: Command<
  { readonly id: string; readonly old: string; readonly hash: string; readonly now: number },
  { readonly replaced: boolean }
> = command('replacePasswordHash', async (transaction, { id, old, hash, now }) => {
  const options = { subject: id, expected: { password_hash: old }, now }
  const replaced = await updateUser(transaction, { password_hash: hash }, options)
  return { replaced: replaced !== undefined }
})

/**
 * Sets a new password and ends all sessions of the user except the caller's, in one transaction. So
 * an attacker who knows the old password is logged out. Reset links that were mailed before become
 * invalid.
 */
export const changePassword: Command<
  {
    readonly id: string
    /**
     * The expected stored hash. If the stored hash differs, nothing changes. Undefined skips this
     * check.
     */
    readonly old: string | undefined
    readonly hash: string
    readonly notice: NewMail | undefined
    readonly by: By
    readonly now: number
  },
  { readonly replaced: boolean }
> = command('changePassword', async (transaction, { id: subject, old, hash, notice, by, now }) => {
  const values = { password_hash: hash, password_session: by.sessionId ?? null }
  const expected = old === undefined ? {} : { password_hash: old }
  const changed = await updateUser(transaction, values, { subject, expected, now })
  if (!changed) return { replaced: false }

  await clearWrongCodes(transaction, subject)
  await endSessions(transaction, { subject, except: by.sessionId, now })
  await eraseProofs(transaction, { subject, purposes: [passwordReset] })
  await insertAudit<AccountEvent>(transaction, {
    event: 'password_changed',
    at: now,
    by,
    subject,
  })
  await announceChange(transaction, 'password', { subject, by, now })
  await notify(transaction, notice, { ...changed, id: subject, now })
  return { replaced: true }
})

/**
 * Sets a new e-mail address and marks it as not verified. Changes nothing if another user has the
 * address (`taken`), or if the password was changed after the caller had entered it (`outdated`).
 * If Keystile sends mails, a verified address is not replaced (`outdated`): the new mailbox must
 * confirm the change first.
 */
export const changeEmail: Command<
  {
    readonly subject: string
    readonly email: ComparableName
    /** The hash that the password was verified against. */
    readonly passwordHash: string
    readonly undo: NewUndo | undefined
    readonly by: By
    readonly now: number
  },
  { readonly outcome: 'changed' | 'outdated' | 'taken' | 'too-many-mails' }
> = command('changeEmail', async (transaction, change) => {
  const account = await lockAddress(transaction, change)
  if (!account) return { outcome: 'outdated' }
  const isVerified = account.email_verified_at !== null
  if (change.undo && isVerified && !isSameMailbox(account.email, change.email.shown))
    return { outcome: 'outdated' }
  return { outcome: await changeAddress(transaction, account, { ...change, verifiedAt: null }) }
})

/**
 * Returns a function that finds a user by a unique column. Deleted users are not found. The queries
 * are compiled once, because a guard calls the function for each request.
 */
export function createUserRowFinder({
  reader,
  find,
}: Pick<Database, 'reader' | 'find'>): (
  by: 'id' | 'username_key' | 'email_key',
  value: string,
) => Promise<UserRow | undefined> {
  const noValue = ''
  const compile = (column: 'id' | 'username_key' | 'email_key'): CompiledQuery<UserRow> =>
    inTables<AccountTables>(reader)
      .selectFrom('user')
      .selectAll()
      .where(column, '=', noValue)
      .where('deleted_at', 'is', null)
      .compile()
  const queries = {
    id: compile('id'),
    username_key: compile('username_key'),
    email_key: compile('email_key'),
  }

  return (by, value) => find({ ...queries[by], parameters: [value] })
}

/** Returns a page of users in the order of their names, beginning after `afterKey`. */
export function listUserRows(
  reader: Reader,
  page: { readonly afterKey: string; readonly limit: number },
): Promise<readonly UserRow[]> {
  return inTables<AccountTables>(reader)
    .selectFrom('user')
    .selectAll()
    .where('username_key', '>', page.afterKey)
    .where('deleted_at', 'is', null)
    .orderBy('username_key')
    .limit(page.limit)
    .execute()
}

/** Stores the mail that tells a user about a change. Stores nothing if the user has no address. */
export async function notify(
  transaction: Transaction,
  notice: NewMail | undefined,
  {
    id,
    email,
    email_verified_at,
    now,
  }: Pick<UserRow, 'id' | 'email' | 'email_verified_at'> & { readonly now: number },
): Promise<void> {
  if (notice && email !== null)
    await insertMail(transaction, notice, {
      subject: id,
      recipient: email,
      share: 'notice',
      isVerified: email_verified_at !== null,
      now,
    })
}

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

export const commands: readonly AnyCommand[] = [
  insertUser,
  replaceProfile,
  replacePasswordHash,
  changePassword,
  changeEmail,
]
