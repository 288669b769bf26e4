import type { Kysely, Transaction } from 'kysely'
import { command, type AnyCommand, type Command } from '../../storage/database.ts'
import type { SigningKeyRow, Tables } from '../../storage/tables.ts'

/** Keeps the issuer that a database was first started for; says which one that is. */
export const claimIssuer: Command<string, string> = command('claimIssuer', async (transaction, issuer) => {
  await transaction
    .insertInto('setting')
    .values({ name: 'issuer', value: issuer })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  return (await lockIssuer(transaction)).value
})

/** Of several first starts at once, one makes the key and the others read it. */
export const insertFirstSigningKey: Command<SigningKeyRow, void> = command(
  'insertFirstSigningKey',
  async (transaction, row) => {
    await lockIssuer(transaction)
    const key = await transaction.selectFrom('signing_key').select('id').limit(1).executeTakeFirst()
    if (!key) await transaction.insertInto('signing_key').values(row).execute()
  },
)

function lockIssuer(transaction: Transaction<Tables>): Promise<{ readonly value: string }> {
  return transaction
    .updateTable('setting')
    .set((row) => ({ value: row.ref('value') }))
    .where('name', '=', 'issuer')
    .returning('value')
    .executeTakeFirstOrThrow()
}

export function listSigningKeyRows(reader: Kysely<Tables>): Promise<readonly SigningKeyRow[]> {
  return reader.selectFrom('signing_key').selectAll().orderBy('created_at').execute()
}

export const commands: readonly AnyCommand[] = [claimIssuer, insertFirstSigningKey]
