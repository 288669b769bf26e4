// Every change of rights and every deletion of a user takes one lock, so that two concurrent writes
// cannot leave the system without an administrator.
import { sql, type Kysely } from 'kysely'
import { inTables, type Reader } from '../../../storage/database.ts'
import { adminRole } from '../scopes/scopes.ts'
import type { StoredRights } from '../scopes/stored-rights.ts'
import type { AccountTables, UserRow } from './tables.ts'

/**
 * A caller, with the rights that allow an act; undefined for an operator or the app. If the stored
 * rights differ, or the caller is disabled or deleted, the result is `outdated`.
 */
export type Author = Pick<UserRow, 'id' | keyof StoredRights>

/** Takes the lock `administration`. */
export async function lockAdministration(db: Kysely<AccountTables>): Promise<void> {
  await db
    .updateTable('setting')
    .set((row) => ({ value: row.ref('value') }))
    .where('name', '=', 'administration')
    .execute()
}

/** Whether a user has these rights and may log in. Call it after `lockAdministration()`. */
export async function hasRights(
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
export async function isLastAdministrator(db: Kysely<AccountTables>, id: string): Promise<boolean> {
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
export function hasAdminRole(roles: string): boolean {
  return (JSON.parse(roles) as readonly string[]).includes(adminRole)
}
