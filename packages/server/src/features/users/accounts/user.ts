// An account as a value, and the row that stores it.
import { deepFreeze, randomId } from 'keystile/internal'
import type { ComparableName } from '../directory/names.ts'
import type { Rights } from '../scopes/scopes.ts'
import { readRights, storedRights } from '../scopes/stored-rights.ts'
import type { Acceptance } from './acceptance.ts'
import { withoutReserved, type Profile } from './profile.ts'
import type { UserRow } from './tables.ts'

/**
 * The fields of a user that may be shown. The password hash must not be shown. The profile fields
 * are added to these fields.
 */
export interface PublicUser {
  /** The subject of the user's tokens. */
  readonly id: string
  readonly username: string
  readonly email: string | null
  readonly emailVerified: boolean
  readonly createdAt: Date
}

export interface User extends Rights {
  readonly publicUser: PublicUser & Profile
  readonly profile: Profile
  readonly passwordHash: string
  /** The session in which the user set the password; undefined if it was set in another way. */
  readonly passwordSession: string | undefined
  /** Whether the user may log in and use tokens. */
  readonly active: boolean
}

export interface NewUser extends Rights {
  /** The subject of the user. Default: a random one. */
  readonly id?: string
  readonly username: ComparableName
  readonly email: ComparableName | undefined
  readonly passwordHash: string
  readonly profile: Profile
  /** Whether the address is known to be the user's. Default: false. */
  readonly emailVerified?: boolean | undefined
  readonly accepted?: Acceptance | undefined
}

/** Returns the row of a new user. */
export function newRowOf(user: NewUser, now: number): UserRow {
  const { username, email } = user
  return {
    id: user.id ?? randomId(),
    username: username.shown,
    username_key: username.key,
    email: email?.shown ?? null,
    email_key: email?.key ?? null,
    email_verified_at: user.emailVerified && email ? now : null,
    password_hash: user.passwordHash,
    password_session: null,
    ...storedRights(user),
    profile: JSON.stringify(user.profile),
    created_at: now,
    disabled_at: null,
    deleted_at: null,
  }
}

/** Returns the user in a row. Requests may share the object, so it is frozen. */
export function userOf(row: UserRow): User {
  const profile = JSON.parse(row.profile) as Profile
  const fields = {
    ...withoutReserved(profile),
    id: row.id,
    username: row.username,
    email: row.email,
    emailVerified: row.email_verified_at !== null,
  }
  return deepFreeze({
    publicUser: withCreatedAt(fields, row.created_at),
    profile,
    passwordHash: row.password_hash,
    passwordSession: row.password_session ?? undefined,
    ...readRights(row),
    active: row.disabled_at === null,
  })
}

/** The key under which a public user keeps its time of creation, in milliseconds. */
const created = Symbol('created')

/**
 * The getter of `createdAt`. It returns a new Date each time, because a Date cannot be frozen. All
 * users share one getter: otherwise V8 would store every user as a slow dictionary.
 */
const createdAt: PropertyDescriptor & ThisType<{ readonly [created]: number }> = {
  enumerable: true,
  get() {
    return new Date(this[created])
  },
}

function withCreatedAt<T extends object>(
  fields: T,
  time: number,
): T & { readonly createdAt: Date } {
  Object.defineProperty(fields, created, { value: time })
  return Object.defineProperty(fields, 'createdAt', createdAt) as T & { readonly createdAt: Date }
}
