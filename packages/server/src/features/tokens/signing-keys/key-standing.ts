// What `keystile doctor`, `backup` and `restore` want to know about the keys in a database, which
// may not have been migrated yet. Nothing here changes the database.

import type { SealingSecrets } from '../../../base/seal.ts'
import type { SealedKey } from '../../../feature/situation.ts'
import type { Database, Reader } from '../../../storage/database.ts'
import { defaultTimes, nextKeyDueAt, stateOf, type KeyState } from './plan.ts'
import { canOpen, createKeySeal, openSealedKey } from './sealed-keys.ts'
import { findSigningKeyRows } from './store.ts'
import type { SigningTimes } from './tables.ts'

/** A stored key that could be decrypted with the given secrets. */
export interface KeyStanding {
  readonly id: string
  readonly state: KeyState
  /** When the key stops signing, in milliseconds. Undefined while the key has no successor. */
  readonly signsUntil: number | undefined
}

/**
 * Decrypts all stored keys, and returns the state of each. Also reads the table of an old release
 * that did not rotate keys.
 *
 * @param requireSecrets returns the secrets. It is not called if there is no key
 * @throws {ConfigurationError} if a key was encrypted with a different secret, or if
 *   `requireSecrets` throws it
 */
export async function describeKeys(
  reader: Reader,
  now: number,
  requireSecrets: () => SealingSecrets,
): Promise<readonly KeyStanding[]> {
  const rows = (await findSigningKeyRows(reader)).map((row) => ({
    // In the table of an old release, a row has no times: its key has signed since it was made.
    published_at: row.created_at,
    signs_from: row.created_at,
    signs_until: null,
    ...row,
  }))
  if (rows.length === 0) return []

  const seal = createKeySeal(requireSecrets())
  // Checks that all keys can be decrypted.
  for (const row of rows) openSealedKey(row, seal)
  return rows.map((row) => ({
    id: row.id,
    state: stateOf(row, rows, now),
    signsUntil: row.signs_until ?? undefined,
  }))
}

/** Returns the newest stored key, encrypted, or undefined for a new database. */
export async function findSealedKey({
  reader,
}: Pick<Database, 'reader'>): Promise<SealedKey | undefined> {
  const row = (await findSigningKeyRows(reader)).at(-1)
  return row && { id: row.id, algorithm: row.algorithm, sealed: row.sealed_jwk }
}

/**
 * Returns when the next key is to be published. Returns undefined if there is a next key or no key
 * at all, or if the table is from an old release that did not rotate keys.
 */
export async function findNextKeyDue(
  { reader }: Pick<Database, 'reader'>,
  now: number,
): Promise<number | undefined> {
  // The keys of a release without rotation have no times, so `nextKeyDueAt` finds no current key.
  const keys = (await findSigningKeyRows(reader)) as readonly SigningTimes[]
  return nextKeyDueAt(keys, now, defaultTimes)
}

/** Whether at least one stored key cannot be decrypted with the secret. */
export async function hasOlderKey(reader: Database['reader'], secret: string): Promise<boolean> {
  const rows = await findSigningKeyRows(reader)
  return rows.some(
    ({ id, algorithm, sealed_jwk: sealed }) => !canOpen({ id, algorithm, sealed }, [secret]),
  )
}
