// The copy of the signing keys that one process works with. The process reads the keys again and
// again, so that all processes on a database sign with the same key, and know each other's keys.

import { setTimeout as delay } from 'node:timers/promises'
import { keySetOf, tokenError, type Clock, type KeySet, type Logger } from 'keystile/internal'
import { exportPublicJwk, type JwkSet, type SigningKey } from 'keystile/jwt'
import type { Reading } from '../../../feature/metric.ts'
import type { Seal } from '../../../base/seal.ts'
import { DatabaseUnavailableError, type Database } from '../../../storage/database.ts'
import { readingsOf } from './metrics.ts'
import type { OwnKeys } from './own-keys.ts'
import { findCurrent, type RotationTimes } from './plan.ts'
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

export interface Published {
  readonly keys: JwkSet
  readonly maxAgeSeconds: number
}

/** The keys of an issuer, as one process knows them. */
export interface KeyRing {
  /**
   * Returns the key that signs now. Callers that need the keys to be read again share one read.
   *
   * @throws {DatabaseUnavailableError} if the keys could not be read for so long that a different
   *   key may already sign
   */
  signingKey(): Promise<SigningKey>
  /** Verifies tokens that any of the published keys signed. */
  readonly keySet: KeySet
  /** @throws {DatabaseUnavailableError} if the last successful read of the keys is too old */
  published(): Promise<Published>
  /**
   * Returns the gauges of the key that signs now, from the copy in memory. If the copy is old, it
   * is renewed in the background, for the next call. The operator's own keys have no gauges.
   */
  readGauges(): readonly Reading[]
}

export interface RingParts {
  readonly seal: Seal
  readonly clock: Clock
  readonly logger: Logger
  readonly times: RotationTimes
  readonly onKeyRevoked: (listener: (keyId: string) => void) => void
}

interface Copy {
  readonly rows: readonly SigningKeyRow[]
  readonly keys: ReadonlyMap<string, NamedKey>
  readonly keySet: KeySet
  readonly published: JwkSet
  /** When the read started, by the clock. */
  readonly readAt: number
}

/**
 * How long a verifier may cache the published keys: a twelfth of the lead. The lead is how long a
 * key is published before it signs. The copy that the verifier gets may already be half a lead old.
 * Both times together are shorter than the lead, so each verifier has a key before the key signs.
 */
function maxAgeSecondsOf({ lead }: RotationTimes): number {
  return Math.floor(lead / 12 / 1000)
}

/**
 * Reads the signing keys from the database and creates the ring.
 *
 * @throws {ConfigurationError} if a key was encrypted with a different secret
 */
export async function openKeyRing(
  database: Pick<Database, 'urgent'>,
  parts: RingParts,
): Promise<KeyRing> {
  const { clock, times } = parts
  const copies = await openCopies(database, parts)

  const isTooOld = (age = copies.ageMilliseconds()): boolean => age > times.lead / 2
  function getKnown(): Copy {
    if (isTooOld()) throw new DatabaseUnavailableError('the signing keys cannot be read')
    return copies.newest
  }

  return {
    async signingKey() {
      await copies.readIfOld()
      const known = findKey(getKnown(), clock.now())
      if (known) return known

      await copies.fresh()
      const key = findKey(copies.newest, clock.now())
      if (!key) throw new DatabaseUnavailableError('there is no signing key')
      return key
    },
    keySet: {
      find(keyId, algorithm) {
        // Guards call this for each request, so it reads the clock once and creates no promise.
        const age = copies.ageMilliseconds()
        void copies.readIfOld(age)
        return isTooOld(age) ? undefined : copies.newest.keySet.find(keyId, algorithm)
      },
      async seek(keyId, algorithm) {
        if (!isTooOld() && copies.newest.keySet.find(keyId, algorithm)) return
        await copies.fresh().catch((cause: unknown) => {
          throw tokenError('keys_unavailable', { retryAfterSeconds: 1, cause })
        })
      },
    },
    async published() {
      await copies.readIfOld()
      return { keys: getKnown().published, maxAgeSeconds: maxAgeSecondsOf(times) }
    },
    readGauges() {
      void copies.readIfOld()
      const now = clock.now()
      const current = findCurrent(copies.newest.rows, now)
      return current ? readingsOf(current, now, times) : []
    },
  }
}

/** Returns the ring of the operator's own keys: the first key signs, and all are published. */
export function ringOf(keys: OwnKeys, times: RotationTimes): KeyRing {
  const [current] = keys
  const published = { keys: keys.map((key) => exportPublicJwk(key)) }
  return {
    signingKey: () => Promise.resolve(current),
    keySet: keySetOf(keys),
    published: () => Promise.resolve({ keys: published, maxAgeSeconds: maxAgeSecondsOf(times) }),
    readGauges: () => [],
  }
}

interface Copies {
  readonly newest: Copy
  /** How long ago the keys were read. Infinity if the clock was set back since then. */
  ageMilliseconds(): number
  /** Reads the keys if the newest copy is old. Never rejects. */
  readIfOld(age?: number): Promise<void> | undefined
  readonly fresh: Reads['fresh']
}

/** Reads the keys. A key that was revoked since the start is in no copy. */
async function openCopies(
  database: Pick<Database, 'urgent'>,
  { seal, clock, logger, onKeyRevoked }: RingParts,
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
    for (let read = running; read; read = running) await read.catch(() => {})
    mayStartAt = performance.now() + pauseMilliseconds
    queued = undefined
    return join()
  }

  return { join, fresh: () => (queued ??= startLater()) }
}

function findKey({ rows, keys }: Copy, now: number): NamedKey | undefined {
  const current = findCurrent(rows, now)
  return current && keys.get(current.id)
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
