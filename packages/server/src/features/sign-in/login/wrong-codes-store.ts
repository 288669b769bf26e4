import { command, type Command } from '../../../storage/database.ts'
import { countWrongCode } from '../../credentials/second-factors/app-in-transaction.ts'
import { tryInsertMail } from '../../mail/outbox/in-transaction.ts'
import type { NewMail } from '../../mail/outbox/new-mail.ts'
import type { NoticeAddress } from '../../tokens/sessions/new-session.ts'

/**
 * Counts a wrong code from an unknown device, and stores the mail that tells the owner, if the
 * mailbox got none today.
 */
export const recordWrongCode: Command<
  {
    readonly subject: string
    readonly notice: NewMail | undefined
    readonly to: NoticeAddress
    readonly now: number
  },
  void
> = command('recordWrongCode', async (transaction, { subject, notice, to, now }) => {
  await countWrongCode(transaction, subject)
  const { email: recipient, isVerified } = to
  if (!notice || recipient === undefined) return
  await tryInsertMail(transaction, notice, { subject, recipient, isVerified, share: 'guess', now })
})
