// The writes by which an administrator changes or deletes an account. These writes share one lock,
// so that two concurrent writes cannot leave the system without an administrator.
import { lacksFactor } from '../../credentials/second-factors/factors-in-transaction.ts'
import { sql, type Kysely } from 'kysely'
import type { OfUser } from '../../../feature/of-user.ts'
import {
  command,
  inTables,
  type Command,
  type Reader,
  type Transaction,
} from '../../../storage/database.ts'
import { insertAudit } from '../../operations/audit/in-transaction.ts'
import { insertEvents } from '../../tokens/events/in-transaction.ts'
import { cancelProofs } from '../../mail/proofs/in-transaction.ts'
import { clearResetMails } from '../../mail/outbox/in-transaction.ts'
import type { NewMail } from '../../mail/outbox/new-mail.ts'
import type { SessionEvent } from '../../tokens/sessions/audit-events.ts'
import {
  endSessions,
  findLatestExpiry,
  hasSessionEnded,
} from '../../tokens/sessions/in-transaction.ts'
import { adminRole, type StoredRights } from '../scopes/scopes.ts'
import { grantNames, recordChange, type UserAct } from './changes-in-transaction.ts'
import { lockUser, notify } from './in-transaction.ts'
import type { AccountTables, UserRow } from './tables.ts'
import { updateUser } from './user-in-transaction.ts'

/** The rights of a user as stored, and whether the user is disabled. */
export interface StoredAccess extends StoredRights {
  readonly disabled: boolean
}

/**
 * A caller, with the rights that allow an act; undefined for an operator or the app. If the stored
 * rights differ, or the caller is disabled or deleted, the result is `outdated`.
 */
type Author = Pick<UserRow, 'id' | keyof StoredRights>

/** A change that an administrator makes to a user. */
interface StoredUserChange extends UserAct {
  /**
   * The state that the administrator read. If the stored state differs, the result is `outdated`.
   */
  readonly expected: StoredAccess
  readonly wanted: StoredAccess
  readonly author: Author | undefined
  /** Whether to end all sessions of the user even if the change does not disable the user. */
  readonly endsSessions: boolean
  /**
   * A mail that tells the user that the account is disabled. It is sent only if this change
   * disables the account.
   */
  readonly notice: NewMail | undefined
}

export type ChangeOutcome = 'changed' | 'outdated' | 'last-administrator'

/**
 * Changes a user's scopes and roles, and disables or enables the user. Disabling ends all sessions
 * and erases the user's proofs in the same transaction: their links and codes must not work again
 * when the user is enabled. Every change of rights takes the same lock. While this function holds
 * the lock, it compares the caller's stored rights with the expected rights. So a caller who has
 * just lost a right can neither give it to another user nor still use it.
 *
 * Does NOT check that the scopes and roles are declared, or that the caller may give them.
 */
export const changeUser: Command<StoredUserChange, ChangeOutcome> = command(
  'changeUser',
  async (transaction, change) => {
    const { subject, now, expected, wanted, author, endsSessions, notice } = change
    const db = inTables<AccountTables>(transaction)

    await lockAdministration(db)
    if (author && !(await hasRights(db, author))) return 'outdated'
    const staysAdministrator = hasAdminRole(wanted.roles) && !wanted.disabled
    if (!staysAdministrator && (await isLastAdministrator(db, subject))) return 'last-administrator'

    const before = await lockUser(transaction, subject)
    if (!before || !isSameAccess(expected, { ...before, disabled: before.disabled_at !== null }))
      return 'outdated'

    const { scopes, roles, disabled } = wanted
    const disabled_at = disabled ? (before.disabled_at ?? now) : null
    await updateUser(transaction, { scopes, roles, disabled_at }, { subject, now })
    const ended = disabled || endsSessions ? await endSessions(transaction, { subject, now }) : 0
    await recordChanges(transaction, change, ended)
    if (disabled && !expected.disabled) {
      await cancelProofs(transaction, subject)
      const { email: recipient } = before
      if (recipient !== null) await clearResetMails(transaction, { subject, recipient, now })
      await notify(transaction, notice, { ...before, subject, now })
    }
    return 'changed'
  },
)

function isSameAccess(a: StoredAccess, b: StoredAccess): boolean {
  return a.scopes === b.scopes && a.roles === b.roles && a.disabled === b.disabled
}

/**
 * Writes the audit entries of a change: one if roles or scopes changed, and one if the user was
 * disabled or enabled. A change that ends the sessions without disabling the user also gets an
 * entry about the sessions. Disabling always ends the sessions, so one entry is enough for both.
 * Enabling ends no sessions, because a disabled user has none.
 *
 * @param ended how many sessions the change ended
 */
async function recordChanges(
  transaction: Transaction,
  { subject, by, now, expected, wanted }: StoredUserChange,
  ended: number,
): Promise<void> {
  const act = { subject, by, now }
  const [had, has] = [grantNames(expected), grantNames(wanted)]
  const given = has.filter((name) => !had.includes(name))
  const taken = had.filter((name) => !has.includes(name))
  if (given.length > 0 || taken.length > 0)
    await recordChange(transaction, 'grants_changed', act, { given, taken })

  if (wanted.disabled !== expected.disabled)
    await recordChange(transaction, wanted.disabled ? 'user_disabled' : 'user_enabled', act)
  else if (ended > 0)
    await insertAudit<SessionEvent>(transaction, { event: 'sessions_ended', at: now, by, subject })
}

interface Deletion extends UserAct {
  /** Left out if the users themselves delete their accounts. */
  readonly author?: Author | undefined
  /** The mail that tells the user. It is sent only to a verified address. */
  readonly notice?: NewMail | undefined
  /**
   * The same for the oldest former address that can still be restored: a thief may have changed the
   * address.
   */
  readonly formerNotice?: NewMail | undefined
}

/**
 * Creates the command that deletes a user's data and ends the sessions, in one transaction. The row
 * keeps the subject and the name, so that another person cannot register the name and be mistaken
 * for this user. `outdated` means that the author has lost the rights, or that the request has lost
 * its session or lacks the factor by now.
 *
 * @param ofUser what all features store about users
 */
export function createDeleteUser(
  ofUser: readonly OfUser[],
): Command<Deletion, 'deleted' | 'absent' | 'outdated' | 'last-administrator'> {
  return command('deleteUser', async (transaction, { notice, formerNotice, author, ...act }) => {
    const { subject, now } = act
    const db = inTables<AccountTables>(transaction)

    await lockAdministration(db)
    if (author && !(await hasRights(db, author))) return 'outdated'
    if (await isLastAdministrator(db, subject)) return 'last-administrator'
    const account = await lockUser(transaction, subject)
    if (!account) return 'absent'
    if (await hasSessionEnded(transaction, act)) return 'outdated'
    if (await lacksFactor(transaction, act)) return 'outdated'

    const former = await listFormerAddresses(db, act)
    // The owner of an address that is not verified may be another person, who keeps an invitation
    // to it, and gets no mail.
    const isVerified = account.email_verified_at !== null
    const mailboxes = [...(isVerified ? [account] : []), ...former]
      .map(({ email_key }) => email_key)
      .filter((key) => key !== null)
    await updateUser(transaction, { ...erased, deleted_at: now }, { subject, now })
    for (const { erase } of ofUser) await erase?.(transaction, { subject, mailboxes })
    await endSessions(transaction, { subject, now })
    // Verifiers in other processes must refuse the user's tokens until the last token has expired.
    const tokensExpireAt = await findLatestExpiry(transaction, subject)
    await insertEvents(transaction, [{ kind: 'subject', value: subject, tokensExpireAt }], now)
    await recordChange(transaction, 'user_deleted', act)
    if (isVerified) await notify(transaction, notice, { ...account, subject, now }, 'removal')
    const oldest = former.find(({ email_key }) => email_key !== account.email_key)
    if (oldest) await notify(transaction, formerNotice, { ...oldest, subject, now }, 'removal')
    return 'deleted'
  })
}

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

type FormerAddress = Pick<UserRow, 'email' | 'email_key' | 'email_verified_at'>

/** Returns the verified addresses that a locked user can still restore, the oldest first. */
function listFormerAddresses(
  db: Kysely<AccountTables>,
  { subject, now }: Pick<Deletion, 'subject' | 'now'>,
): Promise<readonly FormerAddress[]> {
  return db
    .selectFrom('former_email')
    .select(['email', 'email_key', 'email_verified_at'])
    .where('subject', '=', subject)
    .where('email_verified_at', 'is not', null)
    .where('expires_at', '>', now)
    .orderBy('created_at')
    .execute()
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
  { id, scopes, roles }: Author,
): Promise<boolean> {
  const found = await db
    .selectFrom('user')
    .select('id')
    .where((row) => row.and({ id, scopes, roles }))
    .where('disabled_at', 'is', null)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
  return found !== undefined
}

/** Whether this user is the only active administrator. Call it after `lockAdministration()`. */
async function isLastAdministrator(db: Kysely<AccountTables>, id: string): Promise<boolean> {
  const ids = await findAdministrators(db)
  return ids.length === 1 && ids[0] === id
}

/** Returns the ids of the active administrators. */
async function findAdministrators(db: Kysely<AccountTables>): Promise<readonly string[]> {
  const administrators = await db
    .selectFrom('user')
    .select(['id', 'roles'])
    // Also finds `admins`: filtered below. PostgreSQL and SQLite use the index `user_administrator`
    // only if the statement contains this text, and not a placeholder.
    .where('roles', 'like', sql.lit(`%${adminRole}%`))
    .where('disabled_at', 'is', null)
    .where('deleted_at', 'is', null)
    .execute()

  return administrators.filter(({ roles }) => hasAdminRole(roles)).map((row) => row.id)
}

/** Whether an active account has the role `admin`. */
export async function hasAdministrator(reader: Reader): Promise<boolean> {
  return (await findAdministrators(inTables<AccountTables>(reader))).length > 0
}

/** @param roles the value of the column `roles`: a JSON array of role names */
function hasAdminRole(roles: string): boolean {
  return (JSON.parse(roles) as readonly string[]).includes(adminRole)
}
