import { inTables, type Transaction } from '../../storage/database.ts'
import { prepare } from '../../storage/prepared.ts'
import type { AppEvent } from '../app-events/app-event.ts'
import { announceEvent } from '../app-events/in-transaction.ts'
import type { By } from '../audit/entry.ts'
import { insertAudit } from '../audit/in-transaction.ts'
import type { StoredRights } from '../scopes/scopes.ts'
import { endSessions } from '../sessions/in-transaction.ts'
import type { ComparableName } from '../directory/names.ts'
import { insertMail, type Addressee } from '../outbox/in-transaction.ts'
import type { NewMail } from '../outbox/new-mail.ts'
import type { AccountEvent } from './audit-events.ts'
import {
  eraseFormerEmails,
  findFormerEmail,
  insertFormerEmail,
  isReserved,
  setAddress,
  spendFormerEmail,
} from './former-email-store.ts'
import type { NewUndo, RestoredAccount } from './new-undo.ts'
import type { AccountTables, UserRow } from './tables.ts'

/** The row of a new user, without the columns that are null for every new user. */
export type NewUserRow = Omit<UserRow, 'disabled_at' | 'deleted_at'>

/**
 * Inserts a user, or returns the field whose value another user has. The database's unique
 * constraints decide, so only one of two concurrent registrations gets a name.
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
    // The address comes first: with a registration whose address is taken by now, a person could
    // ask for many names.
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
  /**
   * The hash that the password was verified against; undefined if an app authenticated the user.
   */
  readonly passwordHash: string | undefined
  /** The stored rights that the session's scopes were computed from. */
  readonly rights: StoredRights | undefined
}

/** The part of a locked account that a notice needs. */
export type LockedAccount = Pick<UserRow, 'email' | 'created_at'>

/**
 * Locks an account until the end of the transaction. So no other request can change the password or
 * the rights while a session starts.
 *
 * @returns the account if the user may still log in, and the stored password hash and rights are
 *   the expected ones
 */
export async function lockAccount(
  transaction: Transaction,
  { subject, passwordHash, rights }: ExpectedAccount,
): Promise<LockedAccount | undefined> {
  const [account] = await lockActiveRow(transaction, { subject })
  if (!account) return undefined

  const isExpected =
    (passwordHash === undefined || account.password_hash === passwordHash) &&
    (rights === undefined || (account.scopes === rights.scopes && account.roles === rights.roles))
  return isExpected ? account : undefined
}

// This update changes no value. It locks the row and returns its newest version, in one statement
// on both databases.
const lockActiveRow = prepare<
  AccountTables,
  { readonly subject: string },
  Pick<UserRow, 'password_hash' | 'scopes' | 'roles'> & LockedAccount
>((db, { subject }) =>
  db
    .updateTable('user')
    .set((row) => ({ password_hash: row.ref('password_hash') }))
    .where('id', '=', subject)
    .where('disabled_at', 'is', null)
    .where('deleted_at', 'is', null)
    .returning(['password_hash', 'scopes', 'roles', 'email', 'created_at']),
)

/** A locked account whose address a mail was sent to. */
export interface MailboxAccount {
  readonly email: string
  /** Whether a person has already proved that they can read mails to this address. */
  readonly isVerified: boolean
}

/**
 * Locks an account until the end of the transaction, if it is active and its address is this
 * mailbox.
 *
 * @param mailbox the address in the form in which mailboxes are compared
 */
export async function lockMailbox(
  transaction: Transaction,
  { subject, mailbox }: { readonly subject: string; readonly mailbox: string },
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
  return { email: account.email, isVerified: account.email_verified_at !== null }
}

/**
 * Sets the password of a user who has proved that they read the mailbox of the account, and ends
 * all sessions and devices. If no user had proved that before, another person may have registered
 * the address: the mailbox is verified now, and the profile is cleared, so that this person keeps
 * nothing. Links to addresses that were never verified end in both cases. Does NOT write the audit
 * entry.
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
  await inTables<AccountTables>(transaction)
    .updateTable('user')
    .set({
      password_hash: hash,
      // A device that is known by a session is forgotten with the session.
      password_session: null,
      ...(!isVerified && { email_verified_at: now, profile: '{}' }),
    })
    .where('id', '=', subject)
    .execute()

  await endSessions(transaction, { subject, now })
  await eraseFormerEmails(transaction, { subject, which: 'unverified' })
  await announceChange(transaction, 'password', { subject, by, now })
  if (!isVerified) {
    await announceChange(transaction, 'profile', { subject, by, now })
    await announceChange(transaction, 'email', { subject, by, now })
  }
}

/** An account that is locked to change its address. */
export type AddressAccount = Pick<UserRow, 'id' | 'email' | 'email_key' | 'email_verified_at'>

/**
 * Locks an account until the end of the transaction, to change its address.
 *
 * @param expected.passwordHash the hash that was stored when the change was allowed
 * @returns undefined if the account is disabled or deleted, or has another password by now
 */
export async function lockAddress(
  transaction: Transaction,
  { subject, passwordHash }: { readonly subject: string; readonly passwordHash: string },
): Promise<AddressAccount | undefined> {
  return inTables<AccountTables>(transaction)
    .updateTable('user')
    .set((row) => ({ email_key: row.ref('email_key') }))
    .where('id', '=', subject)
    .where('password_hash', '=', passwordHash)
    .where('disabled_at', 'is', null)
    .where('deleted_at', 'is', null)
    .returning(['id', 'email', 'email_key', 'email_verified_at'])
    .executeTakeFirst()
}

/**
 * Changes the address of an account that `lockAddress()` has locked, and tells the old mailbox. A
 * verified old address stays reserved for the user while the link in this mail works. If the new
 * address is verified and the old one never was, the mail has no link: the old one may be a typo.
 * If only the spelling changes, the address stays as verified as it was.
 *
 * @param change.verifiedAt when the user confirmed the new address, or null
 * @param change.undo undefined if no mails are sent
 * @returns `taken` if another user has the address, or had it until now
 * @throws the error of the unique constraint if another transaction sets the address at the same
 *   time
 */
export async function changeAddress(
  transaction: Transaction,
  account: AddressAccount,
  {
    email,
    verifiedAt,
    undo,
    by,
    now,
  }: {
    readonly email: ComparableName
    readonly verifiedAt: number | null
    readonly undo: NewUndo | undefined
    readonly by: By
    readonly now: number
  },
): Promise<'changed' | 'taken'> {
  const { id: subject, ...old } = account
  const holder = await findHolder(transaction, email.key)
  if (holder !== undefined && holder !== subject) return 'taken'

  const isSame = old.email_key === email.key
  const email_verified_at = verifiedAt ?? (isSame ? old.email_verified_at : null)
  const fresh = { email: email.shown, email_key: email.key, email_verified_at }
  await setAddress(transaction, subject, fresh)
  // As in `insertAccount()`, a reservation may become visible only now.
  if (await isReserved(transaction, { key: email.key, subject, now })) {
    await setAddress(transaction, subject, old)
    return 'taken'
  }

  await insertAudit<AccountEvent>(transaction, { event: 'email_changed', at: now, by, subject })
  await announceChange(transaction, 'email', { subject, by, now })
  if (verifiedAt !== null) await eraseFormerEmails(transaction, { subject, which: 'unverified' })
  const { email: recipient, email_key } = old
  if (!undo || recipient === null || email_key === null || isSame) return 'changed'

  if (verifiedAt !== null && old.email_verified_at === null) {
    await insertRemovalNotice(transaction, undo.notice, { subject, recipient, now })
    return 'changed'
  }

  await insertFormerEmail(transaction, {
    ...old,
    email: recipient,
    email_key,
    token_hash: undo.tokenHash,
    subject,
    created_at: now,
    expires_at: undo.expiresAt,
  })
  // Its own allowance: an attacker could cause so many other mails that this one is not sent.
  const allowance = undo.mail.template
  await insertMail(transaction, undo.mail, { subject, recipient, allowance, now })
  return 'changed'
}

/** Tells a mailbox that an account does not have its address any more. */
export async function insertRemovalNotice(
  transaction: Transaction,
  notice: NewMail | undefined,
  addressee: Addressee & { readonly now: number },
): Promise<void> {
  // Its own allowance: an attacker could cause so many other mails that this one is not sent.
  if (notice) await insertMail(transaction, notice, { ...addressee, allowance: notice.template })
}

/** A password hash that no password matches. */
const noPassword = '-'

/**
 * Restores the address that an account had before, as verified as it was, by the link in a mail.
 * Cancels all later changes of the address, ends all sessions and disables the password: whoever
 * changed the address may know it.
 *
 * @returns the account, or undefined if the link was used, has expired or was cancelled, or another
 *   user has the address or may restore it
 * @throws the error of the unique constraint if another user takes the address at the same time
 */
export async function restoreAddress(
  transaction: Transaction,
  { tokenHash, by, now }: { readonly tokenHash: string; readonly by: By; readonly now: number },
): Promise<RestoredAccount | undefined> {
  const former = await findFormerEmail(transaction, { tokenHash, now })
  if (!former) return undefined

  const { subject, email, email_key, email_verified_at } = former
  const db = inTables<AccountTables>(transaction)
  const account = await db
    .updateTable('user')
    .set((row) => ({ email_key: row.ref('email_key') }))
    .where('id', '=', subject)
    .where('deleted_at', 'is', null)
    .returning(['email', 'email_key', 'email_verified_at', 'disabled_at'])
    .executeTakeFirst()
  if (!account) return undefined

  // An address that was never verified is not reserved, so another user may have it, or had it.
  const holder = await findHolder(transaction, email_key)
  if (holder !== undefined && holder !== subject) return undefined
  const { disabled_at, ...replaced } = account
  await setAddress(transaction, subject, { email, email_key, email_verified_at })
  const isLost = await isReserved(transaction, { key: email_key, subject, now })
  if (isLost || !(await spendFormerEmail(transaction, former))) {
    await setAddress(transaction, subject, replaced)
    return undefined
  }

  await db
    .updateTable('user')
    .set({ password_hash: noPassword, password_session: null })
    .where('id', '=', subject)
    .execute()
  await endSessions(transaction, { subject, now })
  await announceChange(transaction, 'email', { subject, by, now })
  await announceChange(transaction, 'password', { subject, by, now })
  return {
    subject,
    email,
    mailbox: email_key,
    replaced: replaced.email_key === email_key ? null : replaced.email,
    isActive: disabled_at === null,
  }
}

/**
 * Whether another user has an address, or had it until now.
 *
 * @param mailbox the address in the form in which mailboxes are compared
 */
export async function isTaken(
  transaction: Transaction,
  { mailbox, subject, now }: { readonly mailbox: string; readonly subject: string; now: number },
): Promise<boolean> {
  const holder = await findHolder(transaction, mailbox)
  if (holder !== undefined && holder !== subject) return true
  return isReserved(transaction, { key: mailbox, subject, now })
}

/**
 * Marks the address of an account as verified. From now on, a link to an address that was never
 * verified restores nothing. `lockMailbox()` must have locked the account in the same transaction.
 * Does NOT write the audit entry.
 */
export async function verifyMailbox(
  transaction: Transaction,
  { subject, by, now }: { readonly subject: string; readonly by: By; readonly now: number },
): Promise<void> {
  await inTables<AccountTables>(transaction)
    .updateTable('user')
    .set({ email_verified_at: now })
    .where('id', '=', subject)
    .execute()
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

/** Announces to the app that a user was changed. */
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
