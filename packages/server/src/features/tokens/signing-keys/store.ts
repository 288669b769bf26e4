// The queries and commands for the signing keys.

import {
  command,
  inTables,
  type Command,
  type Reader,
  type Transaction,
} from '../../../storage/database.ts'
import { hasTable } from '../../../storage/schema.ts'
import type { By } from '../../operations/audit/entry.ts'
import { insertAudit } from '../../operations/audit/in-transaction.ts'
import type { SigningKeyEvent } from './audit-events.ts'
import { insertKey, lockIssuer, revokeTokensOf } from './in-transaction.ts'
import { findCurrent, listNext, plan, type RotationTimes } from './plan.ts'
import { readLongestToken } from './setting-store.ts'
import type { NewKey, SigningKeyRow, SigningKeyTables, SigningTimes } from './tables.ts'

/** The columns that every version of the table has. */
type StoredKey = NewKey & Pick<SigningKeyRow, 'created_at'>

export interface Advance {
  readonly now: number
  readonly algorithm: string
  /** A new key. The transaction inserts it if a new key is due. */
  readonly offered: NewKey
  readonly times: RotationTimes
  /**
   * The operator who wants a next key before it is due. Undefined if a key is to be inserted only
   * when it is due.
   */
  readonly forcedBy?: By | undefined
}

/**
 * Makes the changes that are due: inserts the offered key, and deletes the keys whose tokens have
 * all expired. Locks and reads the keys first, and decides again what is due. So if several
 * processes rotate at the same time, only one of them inserts its key, and the others find that
 * key.
 *
 * @returns the inserted key, if one was due, and the ids of the deleted keys
 */
export const advanceSigningKeys: Command<
  Advance,
  { readonly inserted: SigningKeyRow | undefined; readonly gone: readonly string[] }
> = command(
  'advanceSigningKeys',
  async (transaction, { now, algorithm, offered, times, forcedBy }) => {
    await lockIssuer(transaction)
    const keys = await listSigningKeyRows(transaction)
    const longestTokenSeconds = await readLongestToken(transaction)
    const wanted = { algorithm, longestTokenSeconds, isForced: forcedBy !== undefined }
    const { newSignsFrom, gone } = plan(keys, now, wanted, times)

    const db = inTables<SigningKeyTables>(transaction)
    if (gone.length > 0) await db.deleteFrom('signing_key').where('id', 'in', gone).execute()
    if (newSignsFrom === undefined) return { inserted: undefined, gone }

    const inserted = await insertKey(transaction, { offered, now, signsFrom: newSignsFrom })
    const current = findCurrent(keys, now)
    if (current) await setEnd(transaction, current.id, newSignsFrom)

    if (forcedBy)
      await insertAudit<SigningKeyEvent>(transaction, {
        event: 'signing_key_published',
        at: now,
        by: forcedBy,
        detail: { key_id: offered.id },
      })
    return { inserted, gone }
  },
)

export interface Revocation {
  readonly id: string
  /**
   * A new key. It signs if the revocation leaves neither a current key nor a next key. Undefined if
   * the operator's own key signs: the command then also revokes a key that is not in the database.
   */
  readonly offered: NewKey | undefined
  readonly by: By
  readonly now: number
}

/**
 * Deletes a key and inserts the event that revokes its tokens. If it was the current key, the next
 * key signs at once; if there is no next key, the offered key signs. If it was the next key, the
 * current key keeps signing, and the rotation makes a new next key when one is due.
 *
 * @returns whether the key was in the database. If `offered` is given and the key was not in the
 *   database, the command does nothing
 */
export const revokeSigningKey: Command<Revocation, { readonly found: boolean }> = command(
  'revokeSigningKey',
  async (transaction, { id, offered, by, now }) => {
    await lockIssuer(transaction)
    const db = inTables<SigningKeyTables>(transaction)
    const deleted = await db
      .deleteFrom('signing_key')
      .where('id', '=', id)
      .returning('id')
      .executeTakeFirst()
    const found = deleted !== undefined
    if (!found && offered) return { found }

    if (offered) await fillGap(transaction, offered, now)
    await insertAudit<SigningKeyEvent>(transaction, {
      event: 'signing_key_revoked',
      at: now,
      by,
      detail: { key_id: id },
    })
    await revokeTokensOf(transaction, [id], now)
    return { found }
  },
)

/** Makes sure that a key signs now, and that it keeps signing until there is a next key. */
async function fillGap(transaction: Transaction, offered: NewKey, now: number): Promise<void> {
  const keys = await listSigningKeyRows(transaction)
  const [next] = listNext(keys, now)
  const current = findCurrent(keys, now)
  if (current === undefined) await insertKey(transaction, { offered, now, signsFrom: now })
  else if (current === next) await setBeginning(transaction, next.id, now)
  else if (!next) await setEnd(transaction, current.id, null)
}

/**
 * Replaces the encrypted form of a key, unless another process has replaced it before. The key
 * itself stays the same.
 */
export const resealSigningKey: Command<
  { readonly id: string; readonly before: string; readonly sealed: string },
  void
> = command('resealSigningKey', async (transaction, { id, before, sealed }) => {
  await inTables<SigningKeyTables>(transaction)
    .updateTable('signing_key')
    .set({ sealed_jwk: sealed })
    .where('id', '=', id)
    .where('sealed_jwk', '=', before)
    .execute()
})

async function setBeginning(transaction: Transaction, id: string, at: number): Promise<void> {
  await inTables<SigningKeyTables>(transaction)
    .updateTable('signing_key')
    .set({ signs_from: at })
    .where('id', '=', id)
    .execute()
}

async function setEnd(transaction: Transaction, id: string, at: number | null): Promise<void> {
  await inTables<SigningKeyTables>(transaction)
    .updateTable('signing_key')
    .set({ signs_until: at })
    .where('id', '=', id)
    .execute()
}

/**
 * Lists the rows of the signing keys of a database that may not have been migrated yet, oldest
 * first. Returns an empty list if there is no table. In the table of an old release that did not
 * rotate keys, the rows have no times.
 */
export async function findSigningKeyRows(
  reader: Reader,
): Promise<readonly (StoredKey & Partial<SigningTimes>)[]> {
  if (!(await hasTable(reader, 'signing_key'))) return []
  return inTables<SigningKeyTables>(reader)
    .selectFrom('signing_key')
    .selectAll()
    .orderBy('created_at')
    .execute()
}

/** Lists the rows of the signing keys in the order in which they sign. */
export function listSigningKeyRows(reader: Reader): Promise<readonly SigningKeyRow[]> {
  return inTables<SigningKeyTables>(reader)
    .selectFrom('signing_key')
    .selectAll()
    .orderBy('signs_from')
    .execute()
}
