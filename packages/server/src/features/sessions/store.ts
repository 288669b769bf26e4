import type { Transaction } from 'kysely'
import { command, type AnyCommand, type Command } from '../../storage/database.ts'
import type { SessionRow, Tables } from '../../storage/tables.ts'
import { insertEvents } from '../events/store.ts'

export interface NewSessionRow {
  readonly session: Omit<SessionRow, 'ended_at' | 'last_used_at'>
  /** Whose account is not ours has no row here. */
  readonly hasAccount: boolean
  /** The hash that the password was proved against; without one, the application has proved who it is. */
  readonly passwordHash: string | undefined
}

/**
 * Starts the session of a login, unless the user was disabled, deleted or given another password since the password
 * was proved: the row of their account is taken first, so one of the two comes before the other, on both databases.
 */
export const insertSession: Command<NewSessionRow, { readonly started: boolean }> = command(
  'insertSession',
  async (transaction, { session, hasAccount, passwordHash }) => {
    if (hasAccount && !(await takeAccount(transaction, session.subject, passwordHash))) return { started: false }
    await transaction
      .insertInto('session')
      .values({ ...session, last_used_at: session.created_at, ended_at: null })
      .execute()
    return { started: true }
  },
)

/** Locks an account that may come in, with this password where one is named. */
async function takeAccount(
  transaction: Transaction<Tables>,
  subject: string,
  passwordHash: string | undefined,
): Promise<boolean> {
  const taken = await transaction
    .updateTable('user')
    .set((row) => ({ password_hash: row.ref('password_hash') }))
    .where('id', '=', subject)
    .where('disabled_at', 'is', null)
    .where('deleted_at', 'is', null)
    .$if(passwordHash !== undefined, (query) => query.where('password_hash', '=', passwordHash!))
    .returning('id')
    .executeTakeFirst()
  return taken !== undefined
}

/** Ends the living sessions of a subject as part of a transaction, all or all but one, and says so to every process. */
export async function endSessions(
  transaction: Transaction<Tables>,
  { subject, except, now }: { readonly subject: string; readonly except?: string | undefined; readonly now: number },
): Promise<void> {
  const ended = await transaction
    .updateTable('session')
    .set({ ended_at: now })
    .where('subject', '=', subject)
    .where('ended_at', 'is', null)
    .$if(except !== undefined, (query) => query.where('id', '!=', except!))
    .returning(['id', 'tokens_expire_at'])
    .execute()
  await insertEvents(
    transaction,
    ended.map(({ id, tokens_expire_at }) => ({ kind: 'session', value: id, tokensExpireAt: tokens_expire_at })),
    now,
  )
}

/** When the last token of a subject expires, in milliseconds; 0 when it has none. */
export async function findLatestExpiry(transaction: Transaction<Tables>, subject: string): Promise<number> {
  const { latest } = await transaction
    .selectFrom('session')
    .select((row) => row.fn.max('tokens_expire_at').as('latest'))
    .where('subject', '=', subject)
    .executeTakeFirstOrThrow()
  return latest ?? 0
}

export const commands: readonly AnyCommand[] = [insertSession]
