// The signing keys as one process uses them. The process reads the keys again and again
// (`key-copies.ts`), so that all processes on a database sign with the same key, and know each
// other's keys.

import { keySetOf, tokenError, type KeySet } from 'keystile/internal'
import { exportPublicJwk, type JwkSet, type SigningKey } from 'keystile/jwt'
import type { Reading } from '../../../feature/metric.ts'
import { DatabaseUnavailableError, type Database } from '../../../storage/database.ts'
import { openCopies, type Copy, type CopyParts } from './key-copies.ts'
import { readingsOf } from './metrics.ts'
import type { OwnKeys } from './own-keys.ts'
import { findCurrent, type RotationTimes } from './plan.ts'
import type { NamedKey } from './signing-key.ts'

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
  parts: CopyParts & { readonly times: RotationTimes },
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

function findKey({ rows, keys }: Copy, now: number): NamedKey | undefined {
  const current = findCurrent(rows, now)
  return current && keys.get(current.id)
}
