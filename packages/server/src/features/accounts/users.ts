import { randomId, type Clock } from 'keystile/internal'
import { isTakenAtTheSameTime, type Database } from '../../storage/database.ts'
import type { By } from '../audit/entry.ts'
import type { EventFeed } from '../events/events.ts'
import type { Rights } from '../scopes/scopes.ts'
import { parseEmail, parseUsername, type ComparableName } from '../directory/names.ts'
import { withoutReserved, type Profile } from './profile.ts'
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
} from './store.ts'
import type { UserRow } from './tables.ts'

/** What anyone may know of a user who may know of them at all; never a hash. Profile fields stand beside these. */
export interface PublicUser {
  /** The subject of their tokens. */
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
  /** The session in which they set the password themselves, last. */
  readonly passwordSession: string | undefined
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
  /** Whether they may log in and use tokens. */
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

/** What an administrator may change; what is left out stays. */
export interface UserChange {
  readonly scopes?: readonly string[] | undefined
  readonly roles?: readonly string[] | undefined
  readonly active?: boolean | undefined
  /** Ends all sessions, so that the change holds at once. */
  readonly endsSessions?: boolean | undefined
}

/**
 * The accounts. What ends access resolves when this process heeds it; other processes follow within a second. A change
 * that was decided on an account which is not so any more changes nothing and says `outdated`.
 */
export interface Users {
  /** Creates an account, or says which field somebody else has. */
  create(user: NewUser, by: By): Promise<{ readonly user: User } | { readonly taken: 'username' | 'email' }>
  findBySubject(subject: string): Promise<User | undefined>
  /** The same, read anew: for what is decided once and holds for a while. */
  readBySubject(subject: string): Promise<User | undefined>
  /** By user name, or by e-mail where the login has an `@`, which no user name has. */
  findByLogin(login: string): Promise<User | undefined>
  /** Users in the order of their names, after the one with this name; an unknown name is only a place in that order. */
  listAfter(username: string, limit: number): Promise<readonly User[]>
  replaceProfile(user: User, profile: Profile, by: By): Promise<'changed' | 'outdated'>
  /** Sets the same password's hash with other parameters. */
  replacePasswordHash(user: User, hash: string): Promise<'changed' | 'outdated'>
  /** Sets another password, and ends all sessions but the one that asked for it. */
  changePassword(user: User, hash: string, by: By): Promise<'changed' | 'outdated'>
  /** Sets another e-mail address, which is not verified. */
  changeEmail(user: User, email: ComparableName, by: By): Promise<'changed' | 'outdated' | 'taken'>
  /** @param author the caller, as they were read when their rights were found to allow the change */
  change(user: User, change: UserChange, by: By, author?: User): Promise<'changed' | 'outdated' | 'last-administrator'>
  /** Deletes all but the subject and the name, which nobody gets again. */
  delete(user: User, by: By): Promise<'deleted' | 'absent' | 'last-administrator'>
}

const cacheMilliseconds = 5_000
const cacheSize = 10_000

export function createUsers(database: Database, feed: EventFeed, clock: Clock): Users {
  const { reader } = database
  const findUserRow = createUserRowFinder(database)
  const cache = createUserCache(clock)
  feed.onEvent(({ kind, value }) => kind === 'subject' && cache.forget(value))

  /** After a write of ours: what we knew is old, and what it ended is to be heeded before anybody hears of it. */
  async function settle(user: User, endsAccess: boolean): Promise<void> {
    cache.forget(user.publicUser.id)
    if (endsAccess) await feed.tail()
  }

  async function readBySubject(subject: string): Promise<User | undefined> {
    const row = await findUserRow('id', subject)
    return row && userOf(row)
  }

  return {
    async create({ username, email, passwordHash, scopes, roles, profile }, by) {
      const row = {
        id: randomId(),
        username: username.shown,
        username_key: username.key,
        email: email?.shown ?? null,
        email_key: email?.key ?? null,
        password_hash: passwordHash,
        scopes: JSON.stringify(scopes),
        roles: JSON.stringify(roles),
        profile: JSON.stringify(profile),
        created_at: clock.now(),
      }
      const { taken } = await database.write(insertUser, { row, by })
      if (taken) return { taken }
      const absent = { password_session: null, disabled_at: null, deleted_at: null, email_verified_at: null }
      return { user: userOf({ ...row, ...absent }) }
    },
    async findBySubject(subject) {
      if (database.hasLocalReads) return readBySubject(subject)
      const row = cache.find(subject) ?? (await findUserRow('id', subject))
      if (row?.disabled_at === null) cache.remember(row)
      return row && userOf(row)
    },
    readBySubject,
    async findByLogin(login) {
      const isEmail = login.includes('@')
      const name = isEmail ? parseEmail(login) : parseUsername(login)
      const row = name && (await findUserRow(isEmail ? 'email_key' : 'username_key', name.key))
      return row && userOf(row)
    },
    async listAfter(username, limit) {
      return (await listUserRows(reader, { afterKey: username.toLowerCase(), limit })).map(userOf)
    },
    async replaceProfile(user, profile, by) {
      const values = {
        id: user.publicUser.id,
        old: JSON.stringify(user.profile),
        profile: JSON.stringify(profile),
        by,
        now: clock.now(),
      }
      const { replaced } = await database.write(replaceProfile, values)
      await settle(user, false)
      return replaced ? 'changed' : 'outdated'
    },
    async replacePasswordHash(user, hash) {
      const { replaced } = await database.write(replacePasswordHash, {
        id: user.publicUser.id,
        old: user.passwordHash,
        hash,
      })
      return replaced ? 'changed' : 'outdated'
    },
    async changePassword(user, hash, by) {
      const values = { id: user.publicUser.id, old: user.passwordHash, hash, by, now: clock.now() }
      const { replaced } = await database.write(changePassword, values)
      await settle(user, true)
      return replaced ? 'changed' : 'outdated'
    },
    async changeEmail(user, { shown, key }, by) {
      const { id } = user.publicUser
      const values = { id, email: shown, email_key: key, passwordHash: user.passwordHash, by, now: clock.now() }
      const { outcome } = await database.write(changeEmail, values).catch(asTaken)
      await settle(user, false)
      return outcome
    },
    async change(user, change, by, author) {
      const { scopes = user.scopes, roles = user.roles, active = user.active, endsSessions = false } = change
      const { outcome } = await database.write(changeUser, {
        id: user.publicUser.id,
        expected: { ...storedRights(user), disabled: !user.active },
        author: author && { id: author.publicUser.id, ...storedRights(author) },
        ...storedRights({ scopes, roles }),
        disabled: !active,
        endsSessions,
        by,
        now: clock.now(),
      })
      await settle(user, true)
      return outcome
    },
    async delete(user, by) {
      const { outcome } = await database.write(deleteUser, { id: user.publicUser.id, by, now: clock.now() })
      await settle(user, true)
      return outcome
    },
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

interface UserCache {
  find(subject: string): UserRow | undefined
  remember(row: UserRow): void
  forget(subject: string): void
}

/**
 * The rows of users who may log in, for 5 s after they were read. Who loses access loses their sessions as well, which
 * no cache holds back. Rows, not users: an app may change the user that its handler is given, and each request gets one
 * of its own.
 */
function createUserCache(clock: Clock): UserCache {
  const rows = new Map<string, { readonly row: UserRow; readonly until: number }>()
  return {
    find(subject) {
      const cached = rows.get(subject)
      if (cached && cached.until > clock.now()) return cached.row
      rows.delete(subject)
      return undefined
    },
    remember(row) {
      if (rows.has(row.id)) return
      const [oldest] = rows.keys()
      if (rows.size >= cacheSize && oldest !== undefined) rows.delete(oldest)
      rows.set(row.id, { row, until: clock.now() + cacheMilliseconds })
    },
    forget: (subject) => void rows.delete(subject),
  }
}
