import type { OfUser } from '../../../feature/of-user.ts'
import { command, type Command } from '../../../storage/database.ts'
import { lockName } from '../../../storage/portable-sql.ts'
import type { By } from '../../operations/audit/entry.ts'
import { insertAudit } from '../../operations/audit/in-transaction.ts'
import { insertEvents } from '../events/in-transaction.ts'
import type { SessionEvent } from './audit-events.ts'
import { endSessions, findLatestExpiry } from './in-transaction.ts'

/**
 * Creates the command that erases what Keystile stores about a user of the app. Another user may
 * get the mailbox, so only what belongs to the subject is erased.
 *
 * @param ofUser what all features store about users
 */
export function createForgetUser(
  ofUser: readonly OfUser[],
): Command<{ readonly subject: string; readonly by: By; readonly now: number }, void> {
  return command('forgetUser', async (transaction, { subject, by, now }) => {
    // A login that ends at the same moment commits before, or finds nothing any more.
    await lockName(transaction, subject)
    for (const { erase } of ofUser) await erase?.(transaction, { subject, mailboxes: [] })
    await endSessions(transaction, { subject, now })
    const tokensExpireAt = await findLatestExpiry(transaction, subject)
    await insertEvents(transaction, [{ kind: 'subject', value: subject, tokensExpireAt }], now)
    await insertAudit<SessionEvent>(transaction, { event: 'user_forgotten', at: now, by, subject })
  })
}
