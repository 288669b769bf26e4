// The writes by which an administrator changes or deletes an account. These writes share one lock,
// so that two concurrent writes cannot leave the system without an administrator.
import { sql, type Kysely } from 'kysely'
import type { JsonObject } from 'keystile/internal'
import type { OfUser } from '../../../feature/of-user.ts'
import {
  command,
  inTables,
  type AnyCommand,
  type Command,
  type Transaction,
} from '../../../storage/database.ts'
import { announceEvent } from '../../operations/app-events/in-transaction.ts'
import type { By } from '../../operations/audit/entry.ts'
import { insertAudit } from '../../operations/audit/in-transaction.ts'
import { insertEvents } from '../../tokens/events/in-transaction.ts'
import { eraseProofs } from '../../mail/proofs/in-transaction.ts'
import type { NewMail } from '../../mail/outbox/new-mail.ts'
import type { SessionEvent } from '../../tokens/sessions/audit-events.ts'
import { endSessions, findLatestExpiry } from '../../tokens/sessions/in-transaction.ts'
import { adminRole } from '../scopes/scopes.ts'
import type { AccountEvent } from './audit-events.ts'
import { announceChange, grantNames } from './in-transaction.ts'
import { notify } from './store.ts'
import type { AccountTables, UserRow } from './tables.ts'
import { updateUser } from './user-in-transaction.ts'

/** A change that an administrator makes to a user, and the state that the administrator read. */
export interface StoredUserChange {
  readonly id: string
  /**
   * The state that the administrator read. If the stored state differs, the result is `outdated`.
   */
  readonly expected: { readonly scopes: string; readonly roles: string; readonly disabled: boolean }
  /**
   * The caller, with the rights that allow the change; undefined if the change only removes rights,
   * because every caller of the route may remove rights. If the caller's stored rights differ, the
   * result is `outdated`.
   */
  readonly author: Pick<UserRow, 'id' | 'scopes' | 'roles'> | undefined
  readonly scopes: string
  readonly roles: string
  readonly disabled: boolean
  /** Whether to end all sessions of the user even if the change does not disable the user. */
  readonly endsSessions: boolean
  /**
   * A mail that tells the user that the account is disabled. It is sent only if this change
   * disables the account.
   */
  readonly notice: NewMail | undefined
  readonly by: By
  readonly now: number
}

/**
 * Changes a user's scopes and roles, and disables or enables the user. Disabling ends all sessions
 * and erases the user's proofs in the same transaction: their links and codes must not work again
 * when the user is enabled. Every change of rights takes the same lock. While this function holds
 * the lock, it compares the caller's stored rights with the expected rights. So a caller who has
 * just lost a right cannot give it to another user.
 *
 * Does NOT check that the scopes and roles are declared, or that the caller may give them.
 */
export const changeUser: Command<
  StoredUserChange,
  { readonly outcome: 'changed' | 'outdated' | 'last-administrator' }
> = command('changeUser', async (transaction, change) => {
  const { id, expected, author, scopes, roles, disabled, endsSessions, now } = change
  const db = inTables<AccountTables>(transaction)

  await lockAdministration(db)
  if (author && !(await hasRights(db, author))) return { outcome: 'outdated' }
  const staysAdministrator = hasAdminRole(roles) && !disabled
  if (!staysAdministrator && (await isLastAdministrator(db, id)))
    return { outcome: 'last-administrator' }

  // This update changes no value. It locks the row until the commit.
  const before = await db
    .updateTable('user')
    .set((row) => ({ scopes: row.ref('scopes') }))
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .where('scopes', '=', expected.scopes)
    .where('roles', '=', expected.roles)
    .where('disabled_at', expected.disabled ? 'is not' : 'is', null)
    .returning(['email', 'email_verified_at', 'scopes', 'roles', 'disabled_at'])
    .executeTakeFirst()
  if (!before) return { outcome: 'outdated' }

  const disabled_at = disabled ? (before.disabled_at ?? now) : null
  await updateUser(transaction, { scopes, roles, disabled_at }, { subject: id, now })
  const ended = disabled || endsSessions ? await endSessions(transaction, { subject: id, now }) : 0
  await recordChange(transaction, { before, change, ended })
  if (disabled && before.disabled_at === null) {
    await eraseProofs(transaction, { subject: id })
    await notify(transaction, change.notice, { ...before, id, now })
  }
  return { outcome: 'changed' }
})

/**
 * Writes the audit entries of a change: one if roles or scopes changed, and one if the user was
 * disabled or enabled. A change that ends the sessions without disabling the user also gets an
 * entry about the sessions. Disabling always ends the sessions, so one entry is enough for both.
 * Enabling ends no sessions, because a disabled user has none.
 */
async function recordChange(
  transaction: Transaction,
  {
    before,
    change: { id, scopes, roles, disabled, by, now },
    ended,
  }: {
    readonly before: Pick<UserRow, 'scopes' | 'roles' | 'disabled_at'>
    readonly change: StoredUserChange
    /** How many sessions the change ended. */
    readonly ended: number
  },
): Promise<void> {
  const record = (event: AccountEvent | SessionEvent, detail?: JsonObject): Promise<void> =>
    insertAudit<AccountEvent | SessionEvent>(transaction, {
      event,
      at: now,
      by,
      subject: id,
      detail,
    })

  const [had, has] = [grantNames(before), grantNames({ scopes, roles })]
  const given = has.filter((name) => !had.includes(name))
  const taken = had.filter((name) => !has.includes(name))
  if (given.length > 0 || taken.length > 0) {
    await record('grants_changed', { given, taken })
    await announceChange(transaction, 'rights', { subject: id, by, now })
  }

  const wasDisabled = before.disabled_at !== null
  const happened = { subject: id, actor: by.actor, at: new Date(now) }
  if (disabled && !wasDisabled) {
    await record('user_disabled')
    await announceEvent(transaction, { ...happened, type: 'disabled' })
  } else if (!disabled && wasDisabled) {
    await record('user_enabled')
    await announceEvent(transaction, { ...happened, type: 'enabled' })
  } else if (ended > 0) await record('sessions_ended')
}

/** The command that deletes a user. */
export type DeleteUser = Command<
  { readonly id: string; readonly by: By; readonly now: number },
  { readonly outcome: 'deleted' | 'absent' | 'last-administrator' }
>

/**
 * Creates the command that deletes a user's data and ends the sessions, in one transaction. The row
 * keeps the subject and the name, so that another person cannot register the name and be mistaken
 * for this user.
 *
 * @param ofUser what all features store about users
 */
export function createDeleteUser(ofUser: readonly OfUser[]): DeleteUser {
  return command('deleteUser', (transaction, values) => eraseUser(transaction, values, ofUser))
}

async function eraseUser(
  transaction: Transaction,
  { id, by, now }: Parameters<DeleteUser['run']>[1],
  ofUser: readonly OfUser[],
): ReturnType<DeleteUser['run']> {
  const db = inTables<AccountTables>(transaction)

  await lockAdministration(db)
  if (await isLastAdministrator(db, id)) return { outcome: 'last-administrator' }

  const mailboxes = await listMailboxes(db, id)
  const erased = {
    username: '',
    email: null,
    email_key: null,
    email_verified_at: null,
    password_hash: '',
    password_session: null,
    scopes: '[]',
    roles: '[]',
    profile: '{}',
  }
  const deleted = await updateUser(
    transaction,
    { ...erased, deleted_at: now },
    { subject: id, now },
  )
  if (!deleted) return { outcome: 'absent' }

  for (const { erase } of ofUser) await erase?.(transaction, { subject: id, mailboxes })
  await endSessions(transaction, { subject: id, now })
  // Verifiers in other processes must refuse the user's tokens until the last token has expired.
  await insertEvents(
    transaction,
    [{ kind: 'subject', value: id, tokensExpireAt: await findLatestExpiry(transaction, id) }],
    now,
  )
  await insertAudit<AccountEvent>(transaction, { event: 'user_deleted', at: now, by, subject: id })
  await announceEvent(transaction, {
    type: 'deleted',
    subject: id,
    actor: by.actor,
    at: new Date(now),
  })
  return { outcome: 'deleted' }
}

/**
 * Locks a user. Returns the user's address and the verified former addresses, in the form in which
 * mailboxes are compared.
 */
async function listMailboxes(db: Kysely<AccountTables>, id: string): Promise<readonly string[]> {
  const current = await db
    .updateTable('user')
    .set((row) => ({ email_key: row.ref('email_key') }))
    .where('id', '=', id)
    .returning('email_key')
    .execute()
  const former = await db
    .selectFrom('former_email')
    .select('email_key')
    .where('subject', '=', id)
    .where('email_verified_at', 'is not', null)
    .execute()
  return [...current, ...former].map((row) => row.email_key).filter((key) => key !== null)
}

/**
 * Takes the lock `administration`. Every change of rights and every deletion of a user takes this
 * lock.
 */
async function lockAdministration(db: Kysely<AccountTables>): Promise<void> {
  await db
    .updateTable('setting')
    .set((row) => ({ value: row.ref('value') }))
    .where('name', '=', 'administration')
    .execute()
}

/** Whether a user has these rights and may log in. Call it after `lockAdministration()`. */
async function hasRights(
  db: Kysely<AccountTables>,
  { id, scopes, roles }: Pick<UserRow, 'id' | 'scopes' | 'roles'>,
): Promise<boolean> {
  const found = await db
    .selectFrom('user')
    .select('id')
    .where('id', '=', id)
    .where('scopes', '=', scopes)
    .where('roles', '=', roles)
    .where('disabled_at', 'is', null)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
  return found !== undefined
}

/** Whether this user is the only active administrator. Call it after `lockAdministration()`. */
async function isLastAdministrator(db: Kysely<AccountTables>, id: string): Promise<boolean> {
  const administrators = await db
    .selectFrom('user')
    .select(['id', 'roles'])
    // Also finds `admins`: filtered below. PostgreSQL and SQLite use the index `user_administrator`
    // only if the statement contains this text, and not a placeholder.
    .where('roles', 'like', sql.lit(`%${adminRole}%`))
    .where('disabled_at', 'is', null)
    .where('deleted_at', 'is', null)
    .execute()

  const ids = administrators.filter(({ roles }) => hasAdminRole(roles)).map((row) => row.id)
  return ids.length === 1 && ids[0] === id
}

/** @param roles the value of the column `roles`: a JSON array of role names */
function hasAdminRole(roles: string): boolean {
  return (JSON.parse(roles) as readonly string[]).includes(adminRole)
}

export const commands: readonly AnyCommand[] = [changeUser]
