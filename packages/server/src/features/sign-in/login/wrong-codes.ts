import type { Clock } from 'keystile/internal'
import type { Database } from '../../../storage/database.ts'
import type { NewMail } from '../../mail/outbox/new-mail.ts'
import type { NoticeAddress } from '../../tokens/sessions/new-session.ts'
import { recordWrongCode } from './wrong-codes-store.ts'

export interface WrongCodes {
  /** Counts a wrong code from an unknown device. */
  record(subject: string, notice: NewMail | undefined, to: NoticeAddress): Promise<void>
}

export function createWrongCodes(
  database: Pick<Database, 'write'>,
  { clock }: { readonly clock: Clock },
): WrongCodes {
  return {
    record: (subject, notice, to) =>
      database.write(recordWrongCode, { subject, notice, to, now: clock.now() }),
  }
}
