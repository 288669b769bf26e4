import type { SecondFactor } from '../../../feature/second-factor.ts'
import { inTables } from '../../../storage/database.ts'

interface PinTables {
  readonly pin: { readonly subject: string; readonly pin: string; readonly created_at: number }
}

/** The PIN as a second factor. Its mark is the PIN itself. */
export const pinFactor: SecondFactor = {
  async isSetUp(db, subject) {
    const row = await inTables<PinTables>(db)
      .selectFrom('pin')
      .select('subject')
      .where('subject', '=', subject)
      .executeTakeFirst()
    return row !== undefined
  },
  async newestAt(db, subject) {
    const row = await inTables<PinTables>(db)
      .selectFrom('pin')
      .select('created_at')
      .where('subject', '=', subject)
      .executeTakeFirst()
    return row?.created_at
  },
  async isHeld(transaction, { subject, mark }) {
    const row = await inTables<PinTables>(transaction)
      .selectFrom('pin')
      .select('subject')
      .where('subject', '=', subject)
      .where('pin', '=', mark)
      .executeTakeFirst()
    return row !== undefined
  },
  async erase(transaction, { subject, since = 0 }) {
    const { numDeletedRows } = await inTables<PinTables>(transaction)
      .deleteFrom('pin')
      .where('subject', '=', subject)
      .where('created_at', '>=', since)
      .executeTakeFirstOrThrow()
    return numDeletedRows > 0n
  },
}
