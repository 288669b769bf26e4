// Reads the rows of accounts.
import type { CompiledQuery } from 'kysely'
import { inTables, type Database, type Reader } from '../../../storage/database.ts'
import type { AccountTables, UserRow } from './tables.ts'

type UniqueColumn = 'id' | 'username_key' | 'email_key'

/**
 * Returns a function that finds a user by a unique column. Deleted users are not found. The queries
 * are compiled once, because a guard calls the function for each request.
 */
export function createUserRowFinder({
  reader,
  find,
}: Database): (by: UniqueColumn, value: string) => Promise<UserRow | undefined> {
  // Kysely compiles only a query with a value. Each call replaces the value.
  const placeholder = ''
  const compile = (column: UniqueColumn): CompiledQuery<UserRow> =>
    inTables<AccountTables>(reader)
      .selectFrom('user')
      .selectAll()
      .where(column, '=', placeholder)
      .where('deleted_at', 'is', null)
      .compile()
  const queries = {
    id: compile('id'),
    username_key: compile('username_key'),
    email_key: compile('email_key'),
  }

  return (by, value) => find({ ...queries[by], parameters: [value] })
}

/** Returns a page of users in the order of their names, beginning after `afterKey`. */
export function listUserRows(
  reader: Reader,
  afterKey: string,
  limit: number,
): Promise<readonly UserRow[]> {
  return inTables<AccountTables>(reader)
    .selectFrom('user')
    .selectAll()
    .where('username_key', '>', afterKey)
    .where('deleted_at', 'is', null)
    .orderBy('username_key')
    .limit(limit)
    .execute()
}
