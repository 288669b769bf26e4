import type { PurgeCommand } from '../../../feature/clean-up.ts'
import type { OfUser } from '../../../feature/of-user.ts'
import { createPurge } from '../../../feature/purge.ts'
import { inTables, type Reader } from '../../../storage/database.ts'
import {
  countRows,
  createQueueCommands,
  type QueueCommands,
  type RowCounts,
} from '../../operations/queue/rows.ts'
import type { DroppedMailRow, MailRow, OutboxTables } from './tables.ts'

export const mailTable = 'mail'

export const mailCommands: QueueCommands<MailRow> = createQueueCommands(mailTable)

/** A mail as an operator sees it, without its parameters. */
export type ListedMail = Omit<MailRow, 'sealed'>

/** Lists up to `limit` mails, dead letters first. */
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

export const purgeDropped: PurgeCommand = createPurge('purgeDropped', 'dropped_mail')

/** Lists up to `limit` rows of the record of dropped mails, the newest first. */
export function listDropped(reader: Reader, limit: number): Promise<readonly DroppedMailRow[]> {
  return inTables<OutboxTables>(reader)
    .selectFrom('dropped_mail')
    .selectAll()
    .orderBy('expires_at', 'desc')
    .limit(limit)
    .execute()
}

/** Counts the mails. Returns zeros if the database has no table of mails yet. */
export function countMails(reader: Reader): Promise<RowCounts> {
  return countRows(reader, mailTable)
}

export const ofUser: OfUser = {
  // The record of dropped mails contains the user's address too.
  async erase(transaction, { subject }) {
    const db = inTables<OutboxTables>(transaction)
    await db.deleteFrom('mail').where('subject', '=', subject).execute()
    await db.deleteFrom('dropped_mail').where('subject', '=', subject).execute()
  },
  // The server has sent the waiting mails since the backup. Dead letters stay.
  async restored(transaction) {
    const { numDeletedRows } = await inTables<OutboxTables>(transaction)
      .deleteFrom('mail')
      .where('dead_at', 'is', null)
      .executeTakeFirstOrThrow()
    return { mails_deleted: Number(numDeletedRows) }
  },
}
