import type { CompiledQuery, Kysely } from 'kysely'
import type { JsonObject } from 'keystile/internal'
import {
  command,
  inTables,
  type AnyCommand,
  type Command,
  type Database,
  type Reader,
} from '../../storage/database.ts'
import type { By } from '../audit/entry.ts'
import { insertAudit } from '../audit/in-transaction.ts'
import { insertEvents } from '../events/in-transaction.ts'
import type { SessionEvent } from '../sessions/audit-events.ts'
import { endSessions, findLatestExpiry } from '../sessions/in-transaction.ts'
import type { AccountEvent } from './audit-events.ts'
import type { AccountTables, UserRow } from './tables.ts'

export type NewUserRow = Omit<UserRow, 'disabled_at' | 'deleted_at' | 'email_verified_at'>

/**
 * Inserts a user, or names the field that somebody else has. The constraints decide, so two at once
 * cannot both win.
 */
export const insertUser: Command<
  { readonly row: NewUserRow; readonly by: By },
  { readonly taken?: 'username' | 'email' }
> = command('insertUser', async (transaction, { row, by }) => {
  const db = inTables<AccountTables>(transaction)
  const inserted = await db
    .insertInto('user')
    .values({ ...row, disabled_at: null, deleted_at: null, email_verified_at: null })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst()
  if (inserted) {
    const given = grantNames(row)
    await insertAudit<AccountEvent>(transaction, {
      event: 'user_created',
      at: row.created_at,
      by,
      subject: row.id,
      detail: given.length > 0 ? { given } : undefined,
    })
    return {}
  }
  const sameName = await db
    .selectFrom('user')
    .select('id')
    .where('username_key', '=', row.username_key)
    .executeTakeFirst()
  return { taken: sameName ? 'username' : 'email' }
})

/** Replaces a profile, unless it was changed meanwhile. */
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
  const db = inTables<AccountTables>(transaction)
  const replaced = await db
    .updateTable('user')
    .set({ profile })
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .where('profile', '=', old)
    .returning('id')
    .executeTakeFirst()
  if (!replaced) return { replaced: false }
  const fields = findChangedFields(old, profile)
  if (fields.length > 0)
    await insertAudit<AccountEvent>(transaction, {
      event: 'profile_changed',
      at: now,
      by,
      subject: id,
      detail: { fields },
    })
  return { replaced: true }
})

/**
 * Replaces a hash that was made with lower parameters, unless the password was changed meanwhile.
 */
export const replacePasswordHash: Command<
  { readonly id: string; readonly old: string; readonly hash: string },
  { readonly replaced: boolean }
> = command('replacePasswordHash', (transaction, values) =>
  setPasswordHash(inTables<AccountTables>(transaction), values),
)

/**
 * Sets a new password and ends the sessions of the old one, in one transaction; all but the one
 * that asked for it.
 */
export const changePassword: Command<
  {
    readonly id: string
    /** The hash that the old password was proved against; without one, somebody else decided. */
    readonly old: string | undefined
    readonly hash: string
    readonly by: By
    readonly now: number
  },
  { readonly replaced: boolean }
> = command('changePassword', async (transaction, { by, now, ...values }) => {
  const db = inTables<AccountTables>(transaction)
  const result = await setPasswordHash(db, { ...values, session: by.sessionId ?? null })
  if (!result.replaced) return result
  await endSessions(transaction, { subject: values.id, except: by.sessionId, now })
  await insertAudit<AccountEvent>(transaction, {
    event: 'password_changed',
    at: now,
    by,
    subject: values.id,
  })
  return result
})

/**
 * Sets another e-mail address, which nobody has proved yet, unless somebody has it or the password
 * was changed meanwhile.
 */
export const changeEmail: Command<
  Pick<UserRow, 'id' | 'email' | 'email_key'> & {
    /** The hash that the password was proved against. */
    readonly passwordHash: string
    readonly by: By
    readonly now: number
  },
  { readonly outcome: 'changed' | 'outdated' | 'taken' }
> = command('changeEmail', async (transaction, { id, email, email_key, passwordHash, by, now }) => {
  const db = inTables<AccountTables>(transaction)
  const holder = await db
    .selectFrom('user')
    .select('id')
    .where('email_key', '=', email_key)
    .executeTakeFirst()
  if (holder && holder.id !== id) return { outcome: 'taken' }
  const changed = await db
    .updateTable('user')
    .set({ email, email_key, email_verified_at: null })
    .where('id', '=', id)
    .where('password_hash', '=', passwordHash)
    .where('deleted_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  if (!changed) return { outcome: 'outdated' }
  await insertAudit<AccountEvent>(transaction, { event: 'email_changed', at: now, by, subject: id })
  return { outcome: 'changed' }
})

/** What an administrator changes of a user. */
export interface StoredUserChange {
  readonly id: string
  /** The user that the change was decided on. Where the stored user differs, nothing is changed. */
  readonly expected: { readonly scopes: string; readonly roles: string; readonly disabled: boolean }
  /**
   * The stored rights of the caller that allow the change. Where they differ, nothing is changed.
   */
  readonly author: Pick<UserRow, 'id' | 'scopes' | 'roles'> | undefined
  readonly scopes: string
  readonly roles: string
  readonly disabled: boolean
  /** Ends all sessions, also where nothing else would. */
  readonly endsSessions: boolean
  readonly by: By
  readonly now: number
}

/**
 * Changes scopes, roles and whether a user may log in. Disabling ends all sessions in the same
 * transaction. The rights of the caller are compared under the lock that every change of rights
 * takes, so that they hold until the commit.
 */
export const changeUser: Command<
  StoredUserChange,
  { readonly outcome: 'changed' | 'outdated' | 'last-administrator' }
> = command('changeUser', async (transaction, change) => {
  const { id, expected, author, scopes, roles, disabled, endsSessions, by, now } = change
  const db = inTables<AccountTables>(transaction)
  await lockAdministration(db)
  if (author && !(await hasRights(db, author))) return { outcome: 'outdated' }
  const staysAdministrator = hasAdminRole(roles) && !disabled
  if (!staysAdministrator && (await isLastAdministrator(db, id)))
    return { outcome: 'last-administrator' }
  // Takes the row, so that what it says is so until the commit.
  const before = await db
    .updateTable('user')
    .set((row) => ({ scopes: row.ref('scopes') }))
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .where('scopes', '=', expected.scopes)
    .where('roles', '=', expected.roles)
    .where('disabled_at', expected.disabled ? 'is not' : 'is', null)
    .returning(['scopes', 'roles', 'disabled_at'])
    .executeTakeFirst()
  if (!before) return { outcome: 'outdated' }
  const wasDisabled = before.disabled_at !== null
  await db
    .updateTable('user')
    .set({ scopes, roles, disabled_at: disabled ? (before.disabled_at ?? now) : null })
    .where('id', '=', id)
    .execute()
  const ended = disabled || endsSessions ? await endSessions(transaction, { subject: id, now }) : 0
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
  if (given.length > 0 || taken.length > 0) await record('grants_changed', { given, taken })
  if (disabled && !wasDisabled) await record('user_disabled')
  else if (!disabled && wasDisabled) await record('user_enabled')
  else if (ended > 0) await record('sessions_ended')
  return { outcome: 'changed' }
})

/**
 * Deletes a user with all that is known of them, and ends their sessions, in one transaction. Their
 * name and subject stay behind, so that nobody is ever taken for them.
 */
export const deleteUser: Command<
  { readonly id: string; readonly by: By; readonly now: number },
  { readonly outcome: 'deleted' | 'absent' | 'last-administrator' }
> = command('deleteUser', async (transaction, { id, by, now }) => {
  const db = inTables<AccountTables>(transaction)
  await lockAdministration(db)
  if (await isLastAdministrator(db, id)) return { outcome: 'last-administrator' }
  const deleted = await db
    .updateTable('user')
    .set({
      username: '',
      email: null,
      email_key: null,
      email_verified_at: null,
      password_hash: '',
      password_session: null,
      scopes: '[]',
      roles: '[]',
      profile: '{}',
      deleted_at: now,
    })
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  if (!deleted) return { outcome: 'absent' }
  await endSessions(transaction, { subject: id, now })
  await insertEvents(
    transaction,
    [{ kind: 'subject', value: id, tokensExpireAt: await findLatestExpiry(transaction, id) }],
    now,
  )
  await insertAudit<AccountEvent>(transaction, { event: 'user_deleted', at: now, by, subject: id })
  return { outcome: 'deleted' }
})

/**
 * Finds users by a column that no two share. The queries are compiled once: a guard asks with each
 * request.
 */
export function createUserRowFinder({
  reader,
  find,
}: Pick<Database, 'reader' | 'find'>): (
  by: 'id' | 'username_key' | 'email_key',
  value: string,
) => Promise<UserRow | undefined> {
  const compile = (column: 'id' | 'username_key' | 'email_key'): CompiledQuery<UserRow> =>
    inTables<AccountTables>(reader)
      .selectFrom('user')
      .selectAll()
      .where(column, '=', '')
      .where('deleted_at', 'is', null)
      .compile()
  const queries = {
    id: compile('id'),
    username_key: compile('username_key'),
    email_key: compile('email_key'),
  }
  return (by, value) => find({ ...queries[by], parameters: [value] })
}

/** Users in the order of their names, from after one name on. */
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

async function setPasswordHash(
  db: Kysely<AccountTables>,
  {
    id,
    old,
    hash,
    session,
  }: {
    readonly id: string
    readonly old: string | undefined
    readonly hash: string
    /** In which a new password is set; `null` where its owner does not set it. */
    readonly session?: string | null
  },
): Promise<{ readonly replaced: boolean }> {
  const replaced = await db
    .updateTable('user')
    .set({ password_hash: hash, ...(session !== undefined && { password_session: session }) })
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .$if(old !== undefined, (query) => query.where('password_hash', '=', old ?? ''))
    .returning('id')
    .executeTakeFirst()
  return { replaced: replaced !== undefined }
}

/** Takes the lock under which nobody else changes the rights of users, or deletes one. */
async function lockAdministration(db: Kysely<AccountTables>): Promise<void> {
  await db
    .updateTable('setting')
    .set((row) => ({ value: row.ref('value') }))
    .where('name', '=', 'administration')
    .execute()
}

/** Whether a user has these rights and may log in. Asked under the lock of `lockAdministration`. */
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

/**
 * Whether no administrator would be left without this user. Asked under the lock of
 * `lockAdministration`.
 */
async function isLastAdministrator(db: Kysely<AccountTables>, id: string): Promise<boolean> {
  const administrators = await db
    .selectFrom('user')
    .select(['id', 'roles'])
    .where('roles', 'like', '%admin%')
    .where('disabled_at', 'is', null)
    .where('deleted_at', 'is', null)
    .execute()
  const ids = administrators.filter(({ roles }) => hasAdminRole(roles)).map((row) => row.id)
  return ids.length === 1 && ids[0] === id
}

/** What a user was given, as `keystile user list` names it. */
function grantNames({ scopes, roles }: Pick<UserRow, 'scopes' | 'roles'>): readonly string[] {
  const parse = (names: string): readonly string[] => JSON.parse(names) as readonly string[]
  return [...parse(roles).map((role) => `role:${role}`), ...parse(scopes)]
}

const maxFieldNames = 50
const maxFieldNameLength = 64

/**
 * The names of the fields in which two profiles differ, as far as a line of the record holds them.
 */
function findChangedFields(old: string, profile: string): readonly string[] {
  const [before, after] = [JSON.parse(old) as JsonObject, JSON.parse(profile) as JsonObject]
  const names = Object.keys({ ...before, ...after })
  const changed = names.filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  )
  // A schema may take fields of any name, which are then the person's own words.
  return changed
    .slice(0, maxFieldNames)
    .map((name) => name.slice(0, maxFieldNameLength).toWellFormed())
}

/** The role that is built in; `roles` is JSON. */
function hasAdminRole(roles: string): boolean {
  return (JSON.parse(roles) as readonly string[]).includes('admin')
}

export const commands: readonly AnyCommand[] = [
  insertUser,
  replaceProfile,
  replacePasswordHash,
  changePassword,
  changeEmail,
  changeUser,
  deleteUser,
]
