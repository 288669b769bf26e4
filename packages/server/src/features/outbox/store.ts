import { maxPurgedAtOnce, type PurgeCommand } from '../../feature/clean-up.ts'
import {
  command,
  inTables,
  type AnyCommand,
  type Command,
  type Reader,
} from '../../storage/database.ts'
import { hasTable } from '../../storage/migrate.ts'
import type { MailRow, OutboxTables } from './tables.ts'

/** Whether a mail is due. */
export async function hasDueMail(reader: Reader, now: number): Promise<boolean> {
  const row = await inTables<OutboxTables>(reader)
    .selectFrom('mail')
    .select('id')
    .where('dead_at', 'is', null)
    .where('next_try_at', '<=', now)
    .where('expires_at', '>', now)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/**
 * Claims the mails that are due, oldest first, and counts a try for each. Until the time `until`,
 * no other process can claim them. If this process crashes, another process sends them after that
 * time.
 */
export const claimMails: Command<
  { readonly now: number; readonly until: number; readonly limit: number },
  readonly MailRow[]
> = command('claimMails', (transaction, { now, until, limit }) =>
  inTables<OutboxTables>(transaction)
    .updateTable('mail')
    .set((row) => ({ tries: row('tries', '+', 1), next_try_at: until }))
    .where('id', 'in', (from) =>
      from
        .selectFrom('mail')
        .select('id')
        .where('dead_at', 'is', null)
        .where('next_try_at', '<=', now)
        .where('expires_at', '>', now)
        .orderBy('next_try_at')
        .orderBy('id')
        .limit(limit),
    )
    .returningAll()
    .execute(),
)

/** Deletes a mail that was sent. */
export const eraseMail: Command<{ readonly id: string }, void> = command(
  'eraseMail',
  async (transaction, { id }) => {
    await inTables<OutboxTables>(transaction).deleteFrom('mail').where('id', '=', id).execute()
  },
)

/**
 * Stores that a try has failed, and the time of the next try. Without a next try, the mail is a
 * dead letter.
 */
export const failMail: Command<
  Pick<MailRow, 'id' | 'dead_at'> & { readonly failure: string; readonly nextTryAt: number },
  void
> = command('failMail', async (transaction, { id, dead_at, failure, nextTryAt }) => {
  await inTables<OutboxTables>(transaction)
    .updateTable('mail')
    .set({ failure, dead_at, next_try_at: nextTryAt })
    .where('id', '=', id)
    .execute()
})

/** Lets the sender try one mail again immediately, or all dead letters if `id` is undefined. */
export const retryMails: Command<
  { readonly id: string | undefined; readonly now: number },
  { readonly retried: number }
> = command('retryMails', async (transaction, { id, now }) => {
  const { numUpdatedRows } = await inTables<OutboxTables>(transaction)
    .updateTable('mail')
    .set({ tries: 0, dead_at: null, next_try_at: now })
    .where('expires_at', '>', now)
    .$if(id === undefined, (query) => query.where('dead_at', 'is not', null))
    .$if(id !== undefined, (query) => query.where('id', '=', id ?? ''))
    .executeTakeFirstOrThrow()
  return { retried: Number(numUpdatedRows) }
})

/** Deletes mails that expired before they were sent. */
export const purgeMails: PurgeCommand = command('purgeMails', async (transaction, { before }) => {
  const { numDeletedRows } = await inTables<OutboxTables>(transaction)
    .deleteFrom('mail')
    .where('id', 'in', (from) =>
      from
        .selectFrom('mail')
        .select('id')
        .where('expires_at', '<', before)
        .orderBy('expires_at')
        .limit(maxPurgedAtOnce),
    )
    .executeTakeFirstOrThrow()
  return { purged: Number(numDeletedRows) }
})

/** A mail as an operator sees it, without its parameters. */
export type ListedMail = Omit<MailRow, 'sealed'>

/** Lists the first mails, dead letters first. */
export function listMails(reader: Reader, limit: number): Promise<readonly ListedMail[]> {
  return inTables<OutboxTables>(reader)
    .selectFrom('mail')
    .select(['id', 'template', 'subject', 'recipient', 'created_at', 'expires_at'])
    .select(['tries', 'next_try_at', 'dead_at', 'failure'])
    .orderBy((row) => row.case().when('dead_at', 'is', null).then(1).else(0).end())
    .orderBy('id')
    .limit(limit)
    .execute()
}

/** The numbers of mails in the outbox. */
export interface MailCounts {
  readonly waiting: number
  /** The number of dead letters. */
  readonly dead: number
}

/** Counts the mails. Returns zeros if the database has no table of mails yet. */
export async function countMails(reader: Reader): Promise<MailCounts> {
  if (!(await hasTable(reader, 'mail'))) return { waiting: 0, dead: 0 }

  const row = await inTables<OutboxTables>(reader)
    .selectFrom('mail')
    .select(({ fn }) => [fn.count('id').as('all'), fn.count('dead_at').as('dead')])
    .executeTakeFirstOrThrow()
  return { waiting: Number(row.all) - Number(row.dead), dead: Number(row.dead) }
}

export const commands: readonly AnyCommand[] = [
  claimMails,
  eraseMail,
  failMail,
  retryMails,
  purgeMails,
]
