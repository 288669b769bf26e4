import { randomId, type Clock } from 'keystile/internal'
import { isTakenAtTheSameTime, type Database } from '../../storage/database.ts'
import type { By } from '../audit/entry.ts'
import type { EventFeed } from '../events/events.ts'
import type { Rights } from '../scopes/scopes.ts'
import { parseEmail, parseUsername, type ComparableName } from '../directory/names.ts'
import { withoutReserved, type Profile } from './profile.ts'
import { createUserCache, type UserCache } from './user-cache.ts'
import {
  changeEmail,
  changePassword,
  changeUser,
  createUserRowFinder,
  deleteUser,
  insertUser,
  listUserRows,
  replacePasswordHash,
  replaceProfile,
  type NewUserRow,
  type StoredUserChange,
} from './store.ts'
import type { UserRow } from './tables.ts'

/** The fields that every reader of a user gets; never a hash. Profile fields stand beside these. */
export interface PublicUser {
  /** The subject of the user's tokens. */
  readonly id: string
  readonly username: string
  readonly email: string | null
  readonly emailVerified: boolean
  readonly createdAt: Date
}

/** A person's account. */
export interface User {
  readonly publicUser: PublicUser & Profile
  readonly profile: Profile
  readonly passwordHash: string
  /** The session in which the user last set the password; undefined where another set it. */
  readonly passwordSession: string | undefined
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
  /** Whether the user may log in and use tokens. */
  readonly active: boolean
}

export interface NewUser {
  readonly username: ComparableName
  readonly email: ComparableName | undefined
  readonly passwordHash: string
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
  readonly profile: Profile
}

/** A change by an administrator. Members that are left out stay as they are. */
export interface UserChange {
  readonly scopes?: readonly string[] | undefined
  readonly roles?: readonly string[] | undefined
  readonly active?: boolean | undefined
  /** Ends all sessions, so that the change takes effect at once. */
  readonly endsSessions?: boolean | undefined
}

/** Finds accounts. */
export interface UserFinder {
  findBySubject(subject: string): Promise<User | undefined>
  /** Reads the user anew: for a decision that is made once and holds for a while. */
  readBySubject(subject: string): Promise<User | undefined>
  /** Finds by user name, or by e-mail where the login has an `@`, which no user name has. */
  findByLogin(login: string): Promise<User | undefined>
  /**
   * Users in the order of their names: from the first one, or after this name. No user needs to
   * have the name: it is only a place in the order.
   */
  listAfter(username: string | undefined, limit: number): Promise<readonly User[]>
}

/**
 * Changes accounts. A change that ends access resolves when this process refuses the tokens; other
 * processes follow within a second. `outdated` means that the stored account differs from the one
 * that the change was decided on: then nothing is changed.
 */
export interface UserWriter {
  /** Creates an account, or names the field whose value another user has. */
  create(
    user: NewUser,
    by: By,
  ): Promise<{ readonly user: User } | { readonly taken: 'username' | 'email' }>
  replaceProfile(user: User, profile: Profile, by: By): Promise<'changed' | 'outdated'>
  /** Stores another hash of the same password. */
  replacePasswordHash(user: User, hash: string): Promise<'changed' | 'outdated'>
  /** Sets another password, and ends all sessions but the one that asked for it. */
  changePassword(user: User, hash: string, by: By): Promise<'changed' | 'outdated'>
  /** Sets another e-mail address, which is not verified. */
  changeEmail(user: User, email: ComparableName, by: By): Promise<'changed' | 'outdated' | 'taken'>
  /**
   * @param author the caller, as read when the rights of the caller were found to allow the change
   */
  change(
    user: User,
    change: UserChange,
    by: By,
    author?: User,
  ): Promise<'changed' | 'outdated' | 'last-administrator'>
  /** Deletes all but the subject and the name, which no other user can get. */
  delete(user: User, by: By): Promise<'deleted' | 'absent' | 'last-administrator'>
}

/** The accounts. */
export interface Users extends UserFinder, UserWriter {}

export function createUsers(database: Database, feed: EventFeed, clock: Clock): Users {
  const cache = createUserCache(clock)
  feed.onEvent(({ kind, value }) => kind === 'subject' && cache.forget(value))

  return {
    ...createUserFinder(database, cache),
    ...createUserWriter({ database, feed, clock, cache }),
  }
}

function createUserFinder(database: Database, cache: UserCache): UserFinder {
  const findUserRow = createUserRowFinder(database)

  async function readBySubject(subject: string): Promise<User | undefined> {
    const row = await findUserRow('id', subject)
    return row && userOf(row)
  }

  return {
    readBySubject,
    async findBySubject(subject) {
      if (database.hasLocalReads) return readBySubject(subject)

      const row = cache.find(subject) ?? (await findUserRow('id', subject))
      if (row?.disabled_at === null) cache.remember(row)
      return row && userOf(row)
    },
    async findByLogin(login) {
      const isEmail = login.includes('@')
      const name = isEmail ? parseEmail(login) : parseUsername(login)
      const row = name && (await findUserRow(isEmail ? 'email_key' : 'username_key', name.key))
      return row && userOf(row)
    },
    async listAfter(username, limit) {
      const afterKey = username?.toLowerCase() ?? '' // comes before every name
      const rows = await listUserRows(database.reader, { afterKey, limit })
      return rows.map(userOf)
    },
  }
}

interface WriterParts {
  readonly database: Database
  readonly feed: EventFeed
  readonly clock: Clock
  readonly cache: UserCache
}

function createUserWriter({ database, feed, clock, cache }: WriterParts): UserWriter {
  /**
   * Follows each write: forgets what is cached, and waits until this process knows of an ended
   * access.
   */
  async function settle(user: User, endsAccess: boolean): Promise<void> {
    cache.forget(user.publicUser.id)
    if (endsAccess) await feed.tail()
  }

  return {
    async create(user, by) {
      const row = newRowOf(user, clock.now())
      const { taken } = await database.write(insertUser, { row, by })
      return taken ? { taken } : { user: userOf({ ...row, ...absentInNewRow }) }
    },
    async replaceProfile(user, profile, by) {
      const [old, text] = [JSON.stringify(user.profile), JSON.stringify(profile)]
      const values = { id: user.publicUser.id, old, profile: text, by, now: clock.now() }
      const { replaced } = await database.write(replaceProfile, values)
      await settle(user, false)
      return replaced ? 'changed' : 'outdated'
    },
    async replacePasswordHash(user, hash) {
      const values = { id: user.publicUser.id, old: user.passwordHash, hash }
      const { replaced } = await database.write(replacePasswordHash, values)
      return replaced ? 'changed' : 'outdated'
    },
    async changePassword(user, hash, by) {
      const values = { id: user.publicUser.id, old: user.passwordHash, hash, by, now: clock.now() }
      const { replaced } = await database.write(changePassword, values)
      await settle(user, true)
      return replaced ? 'changed' : 'outdated'
    },
    async changeEmail(user, { shown, key }, by) {
      const { publicUser, passwordHash } = user
      const values = {
        id: publicUser.id,
        email: shown,
        email_key: key,
        passwordHash,
        by,
        now: clock.now(),
      }
      const { outcome } = await database.write(changeEmail, values).catch(asTaken)
      await settle(user, false)
      return outcome
    },
    async change(user, change, by, author) {
      const values = { ...changeOf(user, change, author), by, now: clock.now() }
      const { outcome } = await database.write(changeUser, values)
      await settle(user, true)
      return outcome
    },
    async delete(user, by) {
      const { outcome } = await database.write(deleteUser, {
        id: user.publicUser.id,
        by,
        now: clock.now(),
      })
      await settle(user, true)
      return outcome
    },
  }
}

function newRowOf(
  { username, email, passwordHash, scopes, roles, profile }: NewUser,
  now: number,
): NewUserRow {
  return {
    id: randomId(),
    username: username.shown,
    username_key: username.key,
    email: email?.shown ?? null,
    email_key: email?.key ?? null,
    password_hash: passwordHash,
    password_session: null,
    scopes: JSON.stringify(scopes),
    roles: JSON.stringify(roles),
    profile: JSON.stringify(profile),
    created_at: now,
  }
}

/** The columns that a new row leaves empty. */
const absentInNewRow = { disabled_at: null, deleted_at: null, email_verified_at: null }

function changeOf(
  user: User,
  {
    scopes = user.scopes,
    roles = user.roles,
    active = user.active,
    endsSessions = false,
  }: UserChange,
  author: User | undefined,
): Omit<StoredUserChange, 'by' | 'now'> {
  return {
    id: user.publicUser.id,
    expected: { ...storedRights(user), disabled: !user.active },
    author: author && { id: author.publicUser.id, ...storedRights(author) },
    ...storedRights({ scopes, roles }),
    disabled: !active,
    endsSessions,
  }
}

function asTaken(error: unknown): { readonly outcome: 'taken' } {
  if (isTakenAtTheSameTime(error)) return { outcome: 'taken' }
  throw error
}

function storedRights({ scopes, roles }: Rights): Pick<UserRow, 'scopes' | 'roles'> {
  return { scopes: JSON.stringify(scopes), roles: JSON.stringify(roles) }
}

function userOf(row: UserRow): User {
  const profile = JSON.parse(row.profile) as Profile
  return {
    publicUser: {
      ...withoutReserved(profile),
      id: row.id,
      username: row.username,
      email: row.email,
      emailVerified: row.email_verified_at !== null,
      createdAt: new Date(row.created_at),
    },
    profile,
    passwordHash: row.password_hash,
    passwordSession: row.password_session ?? undefined,
    scopes: JSON.parse(row.scopes) as readonly string[],
    roles: JSON.parse(row.roles) as readonly string[],
    active: row.disabled_at === null,
  }
}
