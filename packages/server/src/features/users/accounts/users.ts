// The functions by which other features find, create and change accounts. The routes of this room,
// `keystile user` (`cli.ts`) and `keystile.users` (`create-app-users.ts`) all use them, and share
// the checks in `account-fields.ts`, `profile.ts` and features/credentials/password-policy. The
// commands are in `store.ts`, `deletion-store.ts` and, for administrators, `management-store.ts`.
import type { Clock } from 'keystile/internal'
import type { OfUser } from '../../../feature/of-user.ts'
import type { Command, Database } from '../../../storage/database.ts'
import { isTakenAtTheSameTime } from '../../../storage/portable-sql.ts'
import { noNotices, type Notices } from '../../mail/messages/notices.ts'
import type { PreparedRequest } from '../../mail/proofs/proofs.ts'
import type { By } from '../../operations/audit/entry.ts'
import type { EventFeed } from '../../tokens/events/events.ts'
import { parseEmail, parseUsername, type ComparableName } from '../directory/names.ts'
import type { Rights } from '../scopes/scopes.ts'
import { storedRights, type StoredRights } from '../scopes/stored-rights.ts'
import { isTaken } from './address-holder-in-transaction.ts'
import { hasAdministrator } from './administrator-store.ts'
import type { NewUndo } from './change-address-in-transaction.ts'
import type { UserAct } from './changes-in-transaction.ts'
import { createDeleteUser } from './deletion-store.ts'
import { changeUser, type ChangeOutcome, type StoredAccess } from './management-store.ts'
import type { TakenField } from './new-account-in-transaction.ts'
import type { Profile } from './profile.ts'
import {
  changeEmail,
  changePassword,
  insertUser,
  replacePasswordHash,
  replaceProfile,
  type EmailOutcome,
  type Outcome,
} from './store.ts'
import type { UserRow } from './tables.ts'
import { createUserRowFinder, listUserRows } from './user-rows-store.ts'
import { newRowOf, userOf, type NewUser, type User } from './user.ts'

export type Created = { readonly user: User } | { readonly taken: TakenField }

/** A change by an administrator. Members that are left out stay as they are. */
export interface UserChange {
  readonly scopes?: readonly string[] | undefined
  readonly roles?: readonly string[] | undefined
  readonly active?: boolean | undefined
  /** Ends all sessions of the user, so that the change takes effect immediately. */
  readonly endsSessions?: boolean | undefined
}

/**
 * Reads and changes accounts. If a change ends the user's access, this process already refuses the
 * user's tokens when the promise resolves. Other processes refuse the tokens within a second. If
 * the stored account differs from the account that the caller read, nothing changes and the outcome
 * is `outdated`.
 */
export interface Users {
  /**
   * Reads the user from the database. Guards cache users, so most requests do not cause a call of
   * this method.
   */
  readBySubject(subject: string): Promise<User | undefined>
  /**
   * Finds a user by e-mail address if the login has an `@`, otherwise by name. Names never have an
   * `@`.
   */
  findByLogin(login: string): Promise<User | undefined>
  /**
   * Whether a user other than `subject` has this e-mail address, or had it as a verified address
   * and can still restore it by a link.
   */
  isTaken(email: ComparableName, subject: string): Promise<boolean>
  /**
   * Returns at most `limit` users in the order of their names. Begins with the first name after
   * `username`, or with the first user if `username` is undefined. A user with the name `username`
   * need not exist: the name only marks a place in the order.
   */
  listAfter(username: string | undefined, limit: number): Promise<readonly User[]>
  /** Whether an active account has the role `admin`. */
  hasAdministrator(): Promise<boolean>
  /**
   * Creates an account. If another user has the name or the e-mail address, creates nothing and
   * returns which of them is `taken`.
   *
   * @param request the request for the mail by which the user verifies the address. It is stored
   *   with the account
   */
  create(user: NewUser, by: By, request?: PreparedRequest): Promise<Created>
  replaceProfile(user: User, profile: Profile, by: By): Promise<Outcome>
  /** Stores another hash of the same password. Sessions stay valid. */
  replacePasswordHash(user: User, hash: string): Promise<Outcome>
  /** Sets a new password, and ends all sessions of the user except the caller's session. */
  changePassword(user: User, hash: string, by: By): Promise<Outcome>
  /**
   * Sets a new e-mail address and marks it as not verified. Changes nothing if the old mailbox
   * already got too many mails with a link that restores it.
   *
   * @param undo the mail to the old mailbox, with a link that restores the old address
   */
  changeEmail(user: User, email: ComparableName, by: By, undo?: NewUndo): Promise<EmailOutcome>
  /**
   * Changes rights and access. Does NOT check whether the caller may give the rights.
   *
   * @param author the caller, with the rights that were checked. If the caller's stored rights
   *   differ, the outcome is `outdated`
   */
  change(user: User, change: UserChange, by: By, author?: User): Promise<ChangeOutcome>
  /**
   * Deletes all data except the subject and the name. No other user can get this subject or name.
   *
   * @param author as for `change()`
   */
  delete(
    user: User,
    by: By,
    author?: User,
  ): Promise<'deleted' | 'absent' | 'outdated' | 'last-administrator'>
  /**
   * Waits until this process refuses the tokens of all sessions that ended before the call. Other
   * features call `settle()` after they have committed a change of an account.
   */
  settle(): Promise<void>
}

export function createUsers(
  database: Database,
  feed: EventFeed,
  clock: Clock,
  parts: {
    /** What all features store about users. */
    readonly ofUser: readonly OfUser[]
    readonly notices?: Notices | undefined
  },
): Users {
  const { ofUser, notices = noNotices } = parts
  const findUserRow = createUserRowFinder(database)
  const deleteUser = createDeleteUser(ofUser)

  /** Runs a command, and waits until this process refuses the tokens of the ended sessions. */
  async function settled<Values, Result>(
    command: Command<Values, Result>,
    values: Values,
  ): Promise<Result> {
    const result = await database.write(command, values)
    await feed.tail()
    return result
  }

  function actOn({ publicUser }: User, by: By): UserAct {
    return { subject: publicUser.id, by, now: clock.now() }
  }

  return {
    async readBySubject(subject) {
      const row = await findUserRow('id', subject)
      return row && userOf(row)
    },
    async findByLogin(login) {
      const isEmail = login.includes('@')
      const name = isEmail ? parseEmail(login) : parseUsername(login)
      const row = name && (await findUserRow(isEmail ? 'email_key' : 'username_key', name.key))
      return row && userOf(row)
    },
    isTaken: ({ key: mailbox }, subject) =>
      isTaken(database.reader, { mailbox, subject, now: clock.now() }),
    async listAfter(username, limit) {
      const afterKey = username?.toLowerCase() ?? '' // sorts before every name
      return (await listUserRows(database.reader, afterKey, limit)).map(userOf)
    },
    hasAdministrator: () => hasAdministrator(database.reader),
    async create(user, by, request) {
      const row = newRowOf(user, clock.now())
      const { accepted } = user
      const outcome = await database.write(insertUser, { row, by, accepted, proof: request?.row })
      return outcome === 'created' ? { user: userOf(row) } : { taken: outcome }
    },
    async replaceProfile(user, profile, by) {
      const [old, text] = [JSON.stringify(user.profile), JSON.stringify(profile)]
      return database.write(replaceProfile, { ...actOn(user, by), old, profile: text })
    },
    async replacePasswordHash({ publicUser: { id: subject }, passwordHash: old }, hash) {
      return database.write(replacePasswordHash, { subject, old, hash, now: clock.now() })
    },
    async changePassword(user, hash, by) {
      const notice = notices('password_changed', by)
      return settled(changePassword, { ...actOn(user, by), old: user.passwordHash, hash, notice })
    },
    async changeEmail(user, email, by, undo) {
      const values = { ...actOn(user, by), email, passwordHash: user.passwordHash, undo }
      return database.write(changeEmail, values).catch(asTaken)
    },
    async change(user, { endsSessions = false, ...change }, by, author) {
      const { scopes = user.scopes, roles = user.roles, active = user.active } = change
      return settled(changeUser, {
        ...actOn(user, by),
        expected: storedAccess(user),
        wanted: storedAccess({ scopes, roles, active }),
        author: author && storedAuthor(author),
        endsSessions,
        notice: notices('account_disabled'),
      })
    },
    async delete(user, by, author) {
      const act = { ...actOn(user, by), author: author && storedAuthor(author) }
      const isOwn = by.actor === `user:${act.subject}`
      const prepare = () => notices('account_deleted', isOwn ? by : undefined)
      return settled(deleteUser, { ...act, notice: prepare(), formerNotice: prepare() })
    },
    settle: feed.tail,
  }
}

/**
 * Returns `taken` for the error that the database throws if two requests set the same address at
 * the same time. Rethrows every other error.
 */
function asTaken(error: unknown): 'taken' {
  if (isTakenAtTheSameTime(error)) return 'taken'
  throw error
}

function storedAuthor(author: User): Pick<UserRow, 'id'> & StoredRights {
  return { id: author.publicUser.id, ...storedRights(author) }
}

function storedAccess(user: Rights & Pick<User, 'active'>): StoredAccess {
  return { ...storedRights(user), disabled: !user.active }
}
