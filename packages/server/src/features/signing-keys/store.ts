import type { Kysely } from 'kysely'
import { command, type AnyCommand, type Command } from '../../storage/database.ts'
import type { SigningKeyRow, Tables } from '../../storage/tables.ts'

/**
 * Keeps the issuer that the database was made for, and its first signing key, unless it has both already; says what it
 * has now. The issuer's row is locked, so of several first starts at once one makes them and the others read them.
 */
export const claimIssuer: Command<
  { readonly issuer: string; readonly firstKey: SigningKeyRow | undefined },
  { readonly issuer: string }
> = command('claimIssuer', async (transaction, { issuer, firstKey }) => {
  await transaction
    .insertInto('setting')
    .values({ name: 'issuer', value: issuer })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const stored = await transaction
    .updateTable('setting')
    .set((row) => ({ value: row.ref('value') }))
    .where('name', '=', 'issuer')
    .returning('value')
    .executeTakeFirstOrThrow()
  if (firstKey && stored.value === issuer) {
    const key = await transaction.selectFrom('signing_key').select('id').limit(1).executeTakeFirst()
    if (!key) await transaction.insertInto('signing_key').values(firstKey).execute()
  }
  return { issuer: stored.value }
})

export function listSigningKeyRows(reader: Kysely<Tables>): Promise<readonly SigningKeyRow[]> {
  return reader.selectFrom('signing_key').selectAll().orderBy('created_at').execute()
}

export const commands: readonly AnyCommand[] = [claimIssuer]
