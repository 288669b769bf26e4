// Changes of the signing keys in a transaction of the caller: a command of `store.ts`, or the end
// of a restore (features/operations/backup).

import { inTables, type Transaction } from '../../../storage/database.ts'
import { insertEvents } from '../events/in-transaction.ts'
import type { NewKey, SigningKeyRow, SigningKeyTables } from './tables.ts'

/**
 * Locks the row of the issuer until the commit, and reads it. The update changes no value: it only
 * takes the lock, which works on both SQLite and PostgreSQL.
 */
export function lockIssuer(transaction: Transaction): Promise<{ readonly value: string }> {
  return inTables<SigningKeyTables>(transaction)
    .updateTable('setting')
    .set((row) => ({ value: row.ref('value') }))
    .where('name', '=', 'issuer')
    .returning('value')
    .executeTakeFirstOrThrow()
}

/** Inserts a key. Does NOT set the time at which the previous key stops signing. */
export async function insertKey(
  transaction: Transaction,
  key: { readonly offered: NewKey; readonly now: number; readonly signsFrom: number },
): Promise<SigningKeyRow> {
  const { offered, now, signsFrom } = key
  const row = {
    id: offered.id,
    algorithm: offered.algorithm,
    sealed_jwk: offered.sealed_jwk,
    created_at: now,
    published_at: now,
    signs_from: signsFrom,
    signs_until: null,
  }
  await inTables<SigningKeyTables>(transaction).insertInto('signing_key').values(row).execute()
  return row
}

/**
 * How long the tokens of a revoked key are refused: ten years. The lifetime of our own tokens would
 * not be enough, because a person who stole the key chooses the `exp` of the forged tokens.
 */
const forgedTokensMilliseconds = 10 * 365 * 24 * 60 * 60 * 1000

/** Inserts the events that revoke all tokens that the given keys signed. */
export async function revokeTokensOf(
  transaction: Transaction,
  ids: readonly string[],
  now: number,
): Promise<void> {
  const tokensExpireAt = now + forgedTokensMilliseconds
  const ended = ids.map((value) => ({ kind: 'key' as const, value, tokensExpireAt }))
  await insertEvents(transaction, ended, now)
}

export interface Replacement {
  readonly offered: NewKey
  readonly now: number
}

/**
 * Deletes all keys, revokes all their tokens, and inserts a key that signs at once. Does NOT write
 * an audit entry.
 *
 * @returns the ids of the deleted keys. If the database has no keys, nothing is inserted: the next
 *   start makes the first key
 */
export async function replaceSigningKeys(
  transaction: Transaction,
  { offered, now }: Replacement,
): Promise<readonly string[]> {
  const db = inTables<SigningKeyTables>(transaction)
  const first = await db.selectFrom('signing_key').select('id').limit(1).executeTakeFirst()
  if (!first) return []

  await lockIssuer(transaction)
  const deleted = await db.deleteFrom('signing_key').returning('id').execute()
  const ids = deleted.map(({ id }) => id)
  await insertKey(transaction, { offered, now, signsFrom: now })
  await revokeTokensOf(transaction, ids, now)
  return ids
}
