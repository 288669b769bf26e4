// The copies of the stored keys that a process holds one after another: when it reads the keys, and
// what it does when a read fails or a key is revoked. `key-ring.ts` decides what a copy may still
// be used for.

import { setTimeout as delay } from 'node:timers/promises'
import { keySetOf, type Clock, type KeySet, type Logger } from 'keystile/internal'
import { exportPublicJwk, type JwkSet } from 'keystile/jwt'
import type { Seal } from '../../../base/seal.ts'
import type { Database } from '../../../storage/database.ts'
import { openSealedKey, type NamedKey } from './sealed-keys.ts'
import { listSigningKeyRows } from './store.ts'
import type { SigningKeyRow } from './tables.ts'

/**
 * How old the copy of the keys may be. If it is older, the keys are read again before the next use.
 */
const freshMilliseconds = 5_000
/**
 * The minimum time between two reads that look for a key that this process does not know. It is
 * measured in real time, not by `clock`.
 */
const pauseMilliseconds = 250

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
  /** Reads the keys if the newest copy is old. Never rejects. */
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

  const reads = createReads(async () => {
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

/** Reads the keys from the database. Callers share the reads. */
interface Reads {
  /** Joins the running read, or starts one. */
  join(): Promise<void>
  /**
   * If a read is running, waits until it ends. Then starts a new read and waits for it. Callers
   * that wait for the start share the new read. Such reads start at least `pauseMilliseconds`
   * apart, so that tokens with an invented `kid` cannot flood the database.
   */
  fresh(): Promise<void>
}

function createReads(read: () => Promise<void>, logger: Logger): Reads {
  let running: Promise<void> | undefined
  let queued: Promise<void> | undefined
  let mayStartAt = 0
  let isFailing = false

  async function readAndLog(): Promise<void> {
    try {
      await read()
    } catch (error) {
      if (!isFailing) logger.warn({ err: error }, 'the signing keys cannot be read')
      isFailing = true
      throw error
    } finally {
      running = undefined
    }
    if (isFailing) logger.info({}, 'the signing keys can be read again')
    isFailing = false
  }

  const join = (): Promise<void> => (running ??= readAndLog())

  async function startLater(): Promise<void> {
    await delay(Math.max(0, mayStartAt - performance.now()))
    // A read that started before the call may lack a key that the call asks for.
    for (let earlier = running; earlier; earlier = running) await earlier.catch(() => {})
    mayStartAt = performance.now() + pauseMilliseconds
    queued = undefined
    return join()
  }

  return { join, fresh: () => (queued ??= startLater()) }
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
