import type { PurgeCommand } from '../../../feature/clean-up.ts'
import type { OfUser } from '../../../feature/of-user.ts'
import { createPurge } from '../../../feature/purge.ts'
import { inTables, type Reader } from '../../../storage/database.ts'
import type { BrowserLoginRow, BrowserLoginTables } from './tables.ts'

export function findBrowserLogin(reader: Reader, id: string): Promise<BrowserLoginRow | undefined> {
  return inTables<BrowserLoginTables>(reader)
    .selectFrom('browser_login')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst()
}

export const purgeBrowserLogins: PurgeCommand = createPurge('purgeBrowserLogins', 'browser_login')

export const ofUser: OfUser = {
  async erase(transaction, { subject }) {
    await inTables<BrowserLoginTables>(transaction)
      .deleteFrom('browser_login')
      .where('subject', '=', subject)
      .execute()
  },
}
