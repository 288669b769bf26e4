// What an operator wants to know about the keys of a database that is not in use.

import type { SealingSecrets } from '../../../base/seal.ts'
import type { Reader } from '../../../storage/database.ts'
import { stateOf, type KeyState } from './plan.ts'
import { createKeySeal, openSealedKey } from './sealed-keys.ts'
import { findSigningKeyRows } from './store.ts'

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
