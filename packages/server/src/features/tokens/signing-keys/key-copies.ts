// The copies of the stored keys that a process holds one after another. `key-reads.ts` says when it
// reads the keys, and `key-ring.ts` decides what a copy may still be used for.

import { keySetOf, type Clock, type KeySet, type Logger } from 'keystile/internal'
import { exportPublicJwk, type JwkSet } from 'keystile/jwt'
import type { Seal } from '../../../base/seal.ts'
import type { Database } from '../../../storage/database.ts'
import { createKeyReads } from './key-reads.ts'
import { openSealedKey } from './sealed-keys.ts'
import type { NamedKey } from './signing-key.ts'
import { listSigningKeyRows } from './store.ts'
import type { SigningKeyRow } from './tables.ts'

/**
 * How old the copy of the keys may be. If it is older, the keys are read again before the next use.
 */
const freshMilliseconds = 5_000

/** The keys as one read found them. */
export interface Copy {
  readonly rows: readonly SigningKeyRow[]
  readonly keys: ReadonlyMap<string, NamedKey>
  readonly keySet: KeySet
  readonly published: JwkSet
  /** When the read started, by the clock. */
  readonly readAt: number
}

export interface CopyParts {
  readonly seal: Seal
  readonly clock: Clock
  readonly logger: Logger
  readonly onKeyRevoked: (listener: (keyId: string) => void) => void
}

/** The newest copy, and the ways to renew it. */
export interface Copies {
  readonly newest: Copy
  /** How long ago the keys were read. Infinity if the clock was set back since then. */
  ageMilliseconds(): number
  /** Reads the keys if the newest copy is old. `age` is its age. Never rejects. */
  readIfOld(age?: number): Promise<void> | undefined
  /** Waits for a read that starts after the call. Rejects if the keys cannot be read. */
  fresh(): Promise<void>
}

/**
 * Reads the keys for the first time. A key that is revoked from then on is in no copy.
 *
 * @throws {ConfigurationError} if a key was encrypted with a different secret
 */
export async function openCopies(
  database: Pick<Database, 'urgent'>,
  { seal, clock, logger, onKeyRevoked }: CopyParts,
): Promise<Copies> {
  const { reader } = database.urgent
  const revoked = new Set<string>()
  let newest = copyOf(await listSigningKeyRows(reader), clock.now(), (row) =>
    openSealedKey(row, seal),
  )

  const reads = createKeyReads(async () => {
    const readAt = clock.now()
    const rows = (await listSigningKeyRows(reader)).filter(({ id }) => !revoked.has(id))
    newest = copyOf(rows, readAt, (row) => newest.keys.get(row.id) ?? tryOpen(row))
  }, logger)

  /**
   * Decrypts a key that is new in the database. Returns undefined if that fails: another process
   * may have encrypted the key with a secret that this process does not have.
   */
  function tryOpen(row: SigningKeyRow): NamedKey | undefined {
    try {
      return openSealedKey(row, seal)
    } catch (error) {
      logger.error({ err: error, keyId: row.id }, 'a signing key cannot be decrypted')
      return undefined
    }
  }

  onKeyRevoked((keyId) => {
    revoked.add(keyId)
    newest = without(newest, keyId)
    void reads.fresh().catch(() => {})
  })

  function ageMilliseconds(): number {
    const age = clock.now() - newest.readAt
    return age < 0 ? Number.POSITIVE_INFINITY : age
  }

  return {
    get newest() {
      return newest
    },
    ageMilliseconds,
    readIfOld: (age = ageMilliseconds()) =>
      age > freshMilliseconds ? reads.join().catch(() => {}) : undefined,
    fresh: reads.fresh,
  }
}

function copyOf(
  rows: readonly SigningKeyRow[],
  readAt: number,
  open: (row: SigningKeyRow) => NamedKey | undefined,
): Copy {
  const keys = rows.flatMap((row) => open(row) ?? [])
  return {
    rows,
    keys: new Map(keys.map((key) => [key.keyId, key])),
    keySet: keySetOf(keys),
    published: { keys: keys.map((key) => exportPublicJwk(key)) },
    readAt,
  }
}

function without({ rows, keys, readAt }: Copy, keyId: string): Copy {
  const left = rows.filter(({ id }) => id !== keyId)
  return copyOf(left, readAt, ({ id }) => keys.get(id))
}
