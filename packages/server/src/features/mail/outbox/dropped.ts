// The record of mails that were dropped, because their mailboxes got too many.
import type { Logger } from 'keystile/internal'
import { countedMailbox } from '../../../base/mailbox.ts'
import { minuteMilliseconds } from '../../../feature/limit-rate.ts'
import { inTables, type Database, type Transaction } from '../../../storage/database.ts'
import { announce } from '../../../storage/notices.ts'
import type { DroppedMailRow, OutboxTables } from './tables.ts'

/** How long the record keeps a dropped mail: a weekend and a day. */
const keptMilliseconds = 3 * 24 * 60 * minuteMilliseconds

/** The member of the notice about a dropped mail. Notices of other features do not have it. */
const noticeMember = 'droppedMail'

/** Records a dropped mail, and announces it for the log. */
export async function recordDrop(
  transaction: Transaction,
  { template, subject, recipient }: Pick<DroppedMailRow, 'template' | 'subject' | 'recipient'>,
  now: number,
): Promise<void> {
  const id = `${template} ${countedMailbox(recipient)}`
  const last = { subject, recipient, dropped_at: now, expires_at: now + keptMilliseconds }
  await inTables<OutboxTables>(transaction)
    .insertInto('dropped_mail')
    .values({ id, template, drops: 1, ...last })
    .onConflict((conflict) =>
      conflict
        .column('id')
        .doUpdateSet((row) => ({ ...last, drops: row('dropped_mail.drops', '+', 1) })),
    )
    .execute()
  announce(transaction, { [noticeMember]: { template, subject } })
}

/** Logs each mail that a command of this process drops, without the address. */
export function logDrops(database: Pick<Database, 'onCommitted'>, logger: Logger): void {
  database.onCommitted((notice) => {
    const dropped: unknown = Reflect.get(Object(notice), noticeMember)
    if (typeof dropped === 'object' && dropped !== null)
      logger.info({ ...dropped }, 'a mail was dropped, because its mailbox got too many mails')
  })
}
