import type { StandardSchemaV1 } from '@standard-schema/spec'
import { randomId, type Clock } from 'keystile/internal'
import type { Database } from '../../storage/database.ts'
import type { UserRow } from '../../storage/tables.ts'
import type { EventFeed } from '../events/events.ts'
import { parseEmail, parseUsername, type ComparableName } from './names.ts'
import { disableUser, findUserRow, insertUser, listUserRows, replacePasswordHash } from './store.ts'

/** What anyone may know of a user who may know of them at all; never a hash. Profile fields stand beside these. */
export interface PublicUser {
  /** The subject of their tokens. */
  readonly id: string
  readonly username: string
  readonly email: string | null
  readonly emailVerified: boolean
  readonly createdAt: Date
}

export type Profile = Readonly<Record<string, unknown>>

/** A person's account. */
export interface User {
  readonly public: PublicUser & Profile
  readonly passwordHash: string
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

export interface Users {
  /** Creates an account, or says which field somebody else has. */
  create(user: NewUser): Promise<{ readonly user: User } | { readonly taken: 'username' | 'email' }>
  findBySubject(subject: string): Promise<User | undefined>
  /** By user name, or by e-mail where the login has an `@`, which no user name has. */
  findByLogin(login: string): Promise<User | undefined>
  /** Resolves when this process refuses the user's tokens; other processes follow within a second. */
  disable(subject: string): Promise<void>
  replacePasswordHash(user: User, hash: string): Promise<void>
  /** All users in the order of their names. */
  list(): AsyncIterable<User>
}

export type ProfileSchema<P extends object = object> = StandardSchemaV1<unknown, P>

const cacheMilliseconds = 5_000
const cacheSize = 10_000
const listPageSize = 500

export function createUsers(database: Database, feed: EventFeed, clock: Clock): Users {
  const { reader } = database
  // A read costs microseconds on SQLite and a round trip on PostgreSQL.
  const cache = database.kind === 'postgres' ? createUserCache(clock, feed) : undefined

  return {
    async create({ username, email, passwordHash, scopes, roles, profile }) {
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
      const { taken } = await database.write(insertUser, row)
      return taken ? { taken } : { user: userOf({ ...row, disabled_at: null, email_verified_at: null }) }
    },
    async findBySubject(subject) {
      const cached = cache?.find(subject)
      if (cached) return cached
      const row = await findUserRow(reader, 'id', subject)
      const user = row && userOf(row)
      if (user) cache?.remember(user)
      return user
    },
    async findByLogin(login) {
      const isEmail = login.includes('@')
      const name = isEmail ? parseEmail(login) : parseUsername(login)
      const row = name && (await findUserRow(reader, isEmail ? 'email_key' : 'username_key', name.key))
      return row && userOf(row)
    },
    async disable(subject) {
      await database.write(disableUser, { id: subject, now: clock.now() })
      await feed.tail()
    },
    replacePasswordHash: (user, hash) =>
      database.write(replacePasswordHash, { id: user.public.id, old: user.passwordHash, hash }),
    async *list() {
      let afterKey = ''
      for (;;) {
        const rows = await listUserRows(reader, { afterKey, limit: listPageSize })
        for (const row of rows) yield userOf(row)
        if (rows.length < listPageSize) return
        afterKey = rows.at(-1)!.username_key
      }
    },
  }
}

function userOf(row: UserRow): User {
  return {
    public: {
      ...(JSON.parse(row.profile) as Profile),
      id: row.id,
      username: row.username,
      email: row.email,
      emailVerified: row.email_verified_at !== null,
      createdAt: new Date(row.created_at),
    },
    passwordHash: row.password_hash,
    scopes: JSON.parse(row.scopes) as readonly string[],
    roles: JSON.parse(row.roles) as readonly string[],
    active: row.disabled_at === null,
  }
}

/** Users for 5 s, fewer when an event says that one of them lost access. */
function createUserCache(
  clock: Clock,
  feed: EventFeed,
): { find(subject: string): User | undefined; remember(user: User): void } {
  const users = new Map<string, { readonly user: User; readonly until: number }>()
  feed.onEvent(({ kind, value }) => kind === 'subject' && users.delete(value))
  return {
    find(subject) {
      const cached = users.get(subject)
      if (cached && cached.until > clock.now()) return cached.user
      users.delete(subject)
      return undefined
    },
    remember(user) {
      if (users.size >= cacheSize) users.delete(users.keys().next().value!)
      users.set(user.public.id, { user, until: clock.now() + cacheMilliseconds })
    },
  }
}
