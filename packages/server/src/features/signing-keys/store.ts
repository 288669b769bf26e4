// The queries and commands for the signing keys and the issuer of a database.

import {
  command,
  inTables,
  type AnyCommand,
  type Command,
  type Reader,
  type Transaction,
} from '../../storage/database.ts'
import { hasTable } from '../../storage/migrate.ts'
import type { SigningKeyRow, SigningKeyTables } from './tables.ts'

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

/**
 * Inserts the first signing key, unless the database already has one. If several processes start
 * for the first time together, one of them inserts its key, and the other processes use that key.
 */
export const insertFirstSigningKey: Command<SigningKeyRow, void> = command(
  'insertFirstSigningKey',
  async (transaction, row) => {
    await lockIssuer(transaction)
    const db = inTables<SigningKeyTables>(transaction)
    const key = await db.selectFrom('signing_key').select('id').limit(1).executeTakeFirst()
    if (!key) await db.insertInto('signing_key').values(row).execute()
  },
)

/**
 * Locks the row of the issuer until the commit, and reads it. The update changes no value: it only
 * takes the lock, which works on both SQLite and PostgreSQL.
 */
function lockIssuer(transaction: Transaction): Promise<{ readonly value: string }> {
  return inTables<SigningKeyTables>(transaction)
    .updateTable('setting')
    .set((row) => ({ value: row.ref('value') }))
    .where('name', '=', 'issuer')
    .returning('value')
    .executeTakeFirstOrThrow()
}

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

/** Returns the newest row of the signing keys, or undefined for a new database. */
export async function findNewestSigningKeyRow(reader: Reader): Promise<SigningKeyRow | undefined> {
  if (!(await hasTable(reader, 'signing_key'))) return undefined
  return inTables<SigningKeyTables>(reader)
    .selectFrom('signing_key')
    .selectAll()
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst()
}

/** Lists the rows of the signing keys, oldest first. */
export function listSigningKeyRows(reader: Reader): Promise<readonly SigningKeyRow[]> {
  return inTables<SigningKeyTables>(reader)
    .selectFrom('signing_key')
    .selectAll()
    .orderBy('created_at')
    .execute()
}

export const commands: readonly AnyCommand[] = [claimIssuer, insertFirstSigningKey]
