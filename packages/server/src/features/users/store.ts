import type { Kysely } from 'kysely'
import { command, type AnyCommand, type Command } from '../../storage/database.ts'
import type { Tables, UserRow } from '../../storage/tables.ts'
import { insertEvent } from '../events/store.ts'

export type NewUserRow = Omit<UserRow, 'disabled_at' | 'email_verified_at'>

/** Inserts a user, or names the field that somebody else has. The constraints decide, so two at once cannot both win. */
export const insertUser: Command<NewUserRow, { readonly taken?: 'username' | 'email' }> = command(
  'insertUser',
  async (transaction, row) => {
    const inserted = await transaction
      .insertInto('user')
      .values({ ...row, disabled_at: null, email_verified_at: null })
      .onConflict((conflict) => conflict.doNothing())
      .returning('id')
      .executeTakeFirst()
    if (inserted) return {}
    const sameName = await transaction
      .selectFrom('user')
      .select('id')
      .where('username_key', '=', row.username_key)
      .executeTakeFirst()
    return { taken: sameName ? 'username' : 'email' }
  },
)

/** Disables a user and ends all their sessions, in one transaction. Repeating it changes nothing. */
export const disableUser: Command<{ readonly id: string; readonly now: number }, void> = command(
  'disableUser',
  async (transaction, { id, now }) => {
    const disabled = await transaction
      .updateTable('user')
      .set({ disabled_at: now })
      .where('id', '=', id)
      .where('disabled_at', 'is', null)
      .returning('id')
      .executeTakeFirst()
    if (!disabled) return
    await transaction
      .updateTable('session')
      .set({ ended_at: now })
      .where('subject', '=', id)
      .where('ended_at', 'is', null)
      .execute()
    await insertEvent(transaction, { kind: 'subject', value: id, now })
  },
)

/** Replaces a hash that was made with lower parameters, unless the password was changed meanwhile. */
export const replacePasswordHash: Command<{ readonly id: string; readonly old: string; readonly hash: string }, void> =
  command('replacePasswordHash', async (transaction, { id, old, hash }) => {
    await transaction
      .updateTable('user')
      .set({ password_hash: hash })
      .where('id', '=', id)
      .where('password_hash', '=', old)
      .execute()
  })

export function findUserRow(
  reader: Kysely<Tables>,
  by: 'id' | 'username_key' | 'email_key',
  value: string,
): Promise<UserRow | undefined> {
  return reader.selectFrom('user').selectAll().where(by, '=', value).executeTakeFirst()
}

/** Users in the order of their names, from after one name on. */
export function listUserRows(
  reader: Kysely<Tables>,
  page: { readonly afterKey: string; readonly limit: number },
): Promise<readonly UserRow[]> {
  return reader
    .selectFrom('user')
    .selectAll()
    .where('username_key', '>', page.afterKey)
    .orderBy('username_key')
    .limit(page.limit)
    .execute()
}

export const commands: readonly AnyCommand[] = [insertUser, disableUser, replacePasswordHash]
