import { command, type AnyCommand, type Command } from '../../storage/database.ts'
import type { SessionRow } from '../../storage/tables.ts'

export interface NewSessionRow {
  readonly session: Omit<SessionRow, 'ended_at' | 'last_used_at'>
  /** The hash that the password was proved against. */
  readonly passwordHash: string
}

/**
 * Starts the session of a login, unless the user was disabled, deleted or given another password since the password
 * was proved: their row is taken first, so one of the two comes before the other, on both databases.
 */
export const insertSession: Command<NewSessionRow, { readonly started: boolean }> = command(
  'insertSession',
  async (transaction, { session, passwordHash }) => {
    const user = await transaction
      .updateTable('user')
      .set((row) => ({ password_hash: row.ref('password_hash') }))
      .where('id', '=', session.subject)
      .where('disabled_at', 'is', null)
      .where('password_hash', '=', passwordHash)
      .returning('id')
      .executeTakeFirst()
    if (!user) return { started: false }
    await transaction
      .insertInto('session')
      .values({ ...session, last_used_at: session.created_at, ended_at: null })
      .execute()
    return { started: true }
  },
)

export const commands: readonly AnyCommand[] = [insertSession]
