// The table `setting`: the issuer of the database, and the longest lifetime of its access tokens.

import { command, inTables, type Command, type Reader } from '../../../storage/database.ts'
import { hasTable } from '../../../storage/schema.ts'
import { lockIssuer } from './in-transaction.ts'
import type { SigningKeyTables } from './tables.ts'

/**
 * Stores the issuer of a new database. If the database already has an issuer, changes nothing.
 * Returns the stored issuer.
 */
export const claimIssuer: Command<string, string> = command(
  'claimIssuer',
  async (transaction, issuer) => {
    await inTables<SigningKeyTables>(transaction)
      .insertInto('setting')
      .values({ name: 'issuer', value: issuer })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
    return (await lockIssuer(transaction)).value
  },
)

/** Returns the issuer that a database belongs to, or undefined for a new database. */
export async function readIssuer(reader: Reader): Promise<string | undefined> {
  if (!(await hasTable(reader, 'setting'))) return undefined
  const db = inTables<SigningKeyTables>(reader)
  const row = await db
    .selectFrom('setting')
    .select('value')
    .where('name', '=', 'issuer')
    .executeTakeFirst()
  return row?.value
}

const longestTokenName = 'longest_access_token_seconds'

/**
 * Stores the lifetime of access tokens, unless a longer one is stored already. After a key stops
 * signing, it stays published for at least this time.
 */
export const recordTokenLifetime: Command<number, void> = command(
  'recordTokenLifetime',
  async (transaction, seconds) => {
    await lockIssuer(transaction)
    if ((await readLongestToken(transaction)) >= seconds) return

    const value = String(seconds)
    await inTables<SigningKeyTables>(transaction)
      .insertInto('setting')
      .values({ name: longestTokenName, value })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
      .execute()
  },
)

/** Returns the stored longest lifetime of access tokens, in seconds; 0 if none is stored. */
export async function readLongestToken(reader: Reader): Promise<number> {
  const row = await inTables<SigningKeyTables>(reader)
    .selectFrom('setting')
    .select('value')
    .where('name', '=', longestTokenName)
    .executeTakeFirst()
  return Number(row?.value ?? 0)
}
