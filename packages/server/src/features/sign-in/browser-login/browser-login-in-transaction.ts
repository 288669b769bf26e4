import { inTables, type Transaction } from '../../../storage/database.ts'
import type { BrowserLoginRow, BrowserLoginTables } from './tables.ts'

/** Stores the login of a browser, in the transaction that starts its session. */
export async function insertBrowserLogin(
  transaction: Transaction,
  row: BrowserLoginRow,
): Promise<void> {
  await inTables<BrowserLoginTables>(transaction).insertInto('browser_login').values(row).execute()
}
