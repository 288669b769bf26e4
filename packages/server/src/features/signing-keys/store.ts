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

/** Keeps the issuer that a database was first started for; says which one that is. */
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

/** Of several first starts at once, one makes the key and the others read it. */
export const insertFirstSigningKey: Command<SigningKeyRow, void> = command(
  'insertFirstSigningKey',
  async (transaction, row) => {
    await lockIssuer(transaction)
    const db = inTables<SigningKeyTables>(transaction)
    const key = await db.selectFrom('signing_key').select('id').limit(1).executeTakeFirst()
    if (!key) await db.insertInto('signing_key').values(row).execute()
  },
)

function lockIssuer(transaction: Transaction): Promise<{ readonly value: string }> {
  return inTables<SigningKeyTables>(transaction)
    .updateTable('setting')
    .set((row) => ({ value: row.ref('value') }))
    .where('name', '=', 'issuer')
    .returning('value')
    .executeTakeFirstOrThrow()
}

/** The issuer that a database was first started for; undefined where it was never started. */
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

export function listSigningKeyRows(reader: Reader): Promise<readonly SigningKeyRow[]> {
  return inTables<SigningKeyTables>(reader)
    .selectFrom('signing_key')
    .selectAll()
    .orderBy('created_at')
    .execute()
}

export const commands: readonly AnyCommand[] = [claimIssuer, insertFirstSigningKey]
