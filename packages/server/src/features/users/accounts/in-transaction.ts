import { inTables, type Transaction } from '../../../storage/database.ts'
import { prepare } from '../../../storage/prepared.ts'
import type { AppEvent } from '../../operations/app-events/app-event.ts'
import { announceEvent } from '../../operations/app-events/in-transaction.ts'
import type { By } from '../../operations/audit/entry.ts'
import { insertAudit } from '../../operations/audit/in-transaction.ts'
import { clearWrongCodes } from '../../credentials/second-factors/in-transaction.ts'
import { isSameMailbox } from '../directory/names.ts'
import type { StoredRights } from '../scopes/scopes.ts'
import { endSessions } from '../../tokens/sessions/in-transaction.ts'
import type { AccountEvent } from './audit-events.ts'
import { eraseFormerEmails, isReserved } from './former-email-store.ts'
import type { AccountTables, UserRow } from './tables.ts'
import { updateUser } from './user-in-transaction.ts'

/** The row of a new user, without the columns that are null for every new user. */
export type NewUserRow = Omit<UserRow, 'disabled_at' | 'deleted_at'>

/**
 * Inserts a user. If another user has the name or the e-mail address, inserts nothing and returns
 * which of them is `taken`. The unique constraints of the database decide, so only one of two
 * concurrent registrations gets a name.
 */
export async function insertAccount(
  transaction: Transaction,
  { row, by }: { readonly row: NewUserRow; readonly by: By },
): Promise<{ readonly taken?: 'username' | 'email' }> {
  const db = inTables<AccountTables>(transaction)
  const inserted = await db
    .insertInto('user')
    .values({ ...row, disabled_at: null, deleted_at: null })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst()

  const { id: subject, email_key: key, created_at: now } = row
  if (!inserted) {
    // Checks the address first. Otherwise a person with a registration whose address is taken by
    // now could test whether many names are taken.
    const isSameEmail = key !== null && (await isTaken(transaction, { mailbox: key, subject, now }))
    return { taken: isSameEmail ? 'email' : 'username' }
  }

  // This check comes after the insertion: the insertion has waited for a user who gives the address
  // away at this moment, and only now is the reservation of that user visible.
  if (key !== null && (await isReserved(transaction, { key, subject, now }))) {
    await db.deleteFrom('user').where('id', '=', subject).execute()
    return { taken: 'email' }
  }

  const given = grantNames(row)
  await insertAudit<AccountEvent>(transaction, {
    event: 'user_created',
    at: row.created_at,
    by,
    subject: row.id,
    detail: given.length > 0 ? { given } : undefined,
  })
  await announceEvent(transaction, {
    type: 'registered',
    subject: row.id,
    actor: by.actor,
    at: new Date(row.created_at),
  })
  return {}
}

/** An account as it was when the login was checked. */
export interface ExpectedAccount {
  readonly subject: string
  /** The stored rights that the session's scopes were computed from. */
  readonly rights: StoredRights | undefined
}

/** What a login needs of a locked account. */
export type LockedAccount = Pick<
  UserRow,
  'password_hash' | 'email' | 'email_verified_at' | 'created_at'
>

/**
 * Locks an account until the end of the transaction. So no other request can change the password or
 * the rights while a session starts.
 *
 * @returns the account, or undefined if the user may not log in any more, or if the rights have
 *   changed
 */
export async function lockAccount(
  transaction: Transaction,
  { subject, rights }: ExpectedAccount,
): Promise<LockedAccount | undefined> {
  const [account] = await lockActiveRow(transaction, { subject })
  if (!account) return undefined

  const isExpected =
    rights === undefined || (account.scopes === rights.scopes && account.roles === rights.roles)
  return isExpected ? account : undefined
}

// This update changes no value. It locks the row and returns its newest version, in one statement
// on both databases.
const lockActiveRow = prepare<
  AccountTables,
  { readonly subject: string },
  Pick<UserRow, 'scopes' | 'roles'> & LockedAccount
>((db, { subject }) =>
  db
    .updateTable('user')
    .set((row) => ({ password_hash: row.ref('password_hash') }))
    .where('id', '=', subject)
    .where('disabled_at', 'is', null)
    .where('deleted_at', 'is', null)
    .returning(['password_hash', 'scopes', 'roles', 'email', 'email_verified_at', 'created_at']),
)

/** An account that `lockMailbox()` has locked until the end of the transaction. */
export interface MailboxAccount {
  readonly email: string
  /** Whether a person has already proved that they can read mails to this address. */
  readonly isVerified: boolean
}

/**
 * Locks an account until the end of the transaction. Returns undefined if the account is not
 * active, or if its address is not this mailbox.
 *
 * @param mailbox the address in the form in which mailboxes are compared
 * @param recipient where a mail goes: another mailbox of the same form gets none
 */
export async function lockMailbox(
  transaction: Transaction,
  {
    subject,
    mailbox,
    recipient,
  }: { readonly subject: string; readonly mailbox: string; readonly recipient?: string },
): Promise<MailboxAccount | undefined> {
  const account = await inTables<AccountTables>(transaction)
    .updateTable('user')
    .set((row) => ({ email_key: row.ref('email_key') }))
    .where('id', '=', subject)
    .where('email_key', '=', mailbox)
    .where('disabled_at', 'is', null)
    .where('deleted_at', 'is', null)
    .returning(['email', 'email_verified_at'])
    .executeTakeFirst()
  if (!account || account.email === null) return undefined
  if (recipient !== undefined && !isSameMailbox(account.email, recipient)) return undefined
  return { email: account.email, isVerified: account.email_verified_at !== null }
}

/**
 * Sets the password of a user who has proved that they read the mailbox of the account. Ends all
 * sessions of the user, and forgets all devices of the user. A link that restores a former address
 * stops working if that address was never verified. If the mailbox was not verified before, a
 * stranger may have registered the account and filled in the profile. In this case, the function
 * clears the profile and marks the mailbox as verified. Does NOT write the audit entry.
 *
 * @param account the result of `lockMailbox()` in the same transaction
 */
export async function setPasswordByMail(
  transaction: Transaction,
  {
    subject,
    hash,
    account: { isVerified },
    by,
    now,
  }: {
    readonly subject: string
    readonly hash: string
    readonly account: MailboxAccount
    readonly by: By
    readonly now: number
  },
): Promise<void> {
  const values = {
    password_hash: hash,
    // The session that set the old password ends, so its device must not stay known.
    password_session: null,
    ...(!isVerified && { email_verified_at: now, profile: '{}' }),
  }
  await updateUser(transaction, values, { subject, now })

  await clearWrongCodes(transaction, subject)
  await endSessions(transaction, { subject, now })
  await eraseFormerEmails(transaction, { subject, which: 'unverified' })
  await announceChange(transaction, 'password', { subject, by, now })
  if (!isVerified) {
    await announceChange(transaction, 'profile', { subject, by, now })
    await announceChange(transaction, 'email', { subject, by, now })
  }
}

/**
 * Whether a user has an address, or had it as a verified address and can still restore it by a
 * link.
 *
 * @param options.mailbox the address in the form in which mailboxes are compared
 * @param options.subject the id of the new user who wants the address
 */
export async function isTaken(
  transaction: Transaction,
  { mailbox, subject, now }: { readonly mailbox: string; readonly subject: string; now: number },
): Promise<boolean> {
  const holder = await findHolder(transaction, mailbox)
  if (holder !== undefined) return true
  return isReserved(transaction, { key: mailbox, subject, now })
}

/**
 * Marks the address of an account as verified. Links can no longer restore former addresses that
 * were never verified. `lockMailbox()` must have locked the account in the same transaction. Does
 * NOT write the audit entry.
 */
export async function verifyMailbox(
  transaction: Transaction,
  { subject, by, now }: { readonly subject: string; readonly by: By; readonly now: number },
): Promise<void> {
  await updateUser(transaction, { email_verified_at: now }, { subject, now })
  await eraseFormerEmails(transaction, { subject, which: 'unverified' })
  await announceChange(transaction, 'email', { subject, by, now })
}

/**
 * Returns the subject of the account with this address, or undefined.
 *
 * @param mailbox the address in the form in which mailboxes are compared
 */
export async function findHolder(
  transaction: Transaction,
  mailbox: string,
): Promise<string | undefined> {
  const holder = await inTables<AccountTables>(transaction)
    .selectFrom('user')
    .select('id')
    .where('email_key', '=', mailbox)
    .executeTakeFirst()
  return holder?.id
}

export async function announceChange(
  transaction: Transaction,
  what: Extract<AppEvent, { type: 'changed' }>['what'],
  { subject, by, now }: { readonly subject: string; readonly by: By; readonly now: number },
): Promise<void> {
  await announceEvent(transaction, {
    type: 'changed',
    what,
    subject,
    actor: by.actor,
    at: new Date(now),
  })
}

/**
 * Returns the names of a user's roles and scopes in the form of the audit record, such as
 * `role:admin`.
 */
export function grantNames({
  scopes,
  roles,
}: Pick<UserRow, 'scopes' | 'roles'>): readonly string[] {
  const parse = (names: string): readonly string[] => JSON.parse(names) as readonly string[]
  return [...parse(roles).map((role) => `role:${role}`), ...parse(scopes)]
}
