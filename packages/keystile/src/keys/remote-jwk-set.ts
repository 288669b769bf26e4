// Decides when the keys of an issuer are fetched (`fetch-schedule.ts`), and keeps them.
// `published-keys.ts` fetches them. Fetched or not, keys go through the same files: `jwk-set.ts`
// reads a set, and `import-key.ts` one key, which gets exactly one algorithm (`jwk.ts`,
// `algorithm.ts`). `rsa-strength.ts` and `shared-secret.ts` refuse keys that an attacker could
// break, know or guess. `key-input.ts` converts a key into the form that node:crypto accepts in
// this runtime, and `signature.ts` signs and verifies with it.
import { hasCome, type Clock } from '../base/clock.ts'
import { tokenError, type TokenError } from '../base/errors.ts'
import { endsWithRequest } from '../base/runtime.ts'
import { withDeadline } from '../http/deadline.ts'
import type { Algorithm } from './algorithm.ts'
import { createFetchSchedule } from './fetch-schedule.ts'
import { keySetOf, type KeySet } from './jwk-set.ts'
import { keyObjectOf } from './key-object.ts'
import { createKeyFetch, type PublishedKeys, type PublishedKeysOptions } from './published-keys.ts'
import type { VerificationKey } from './signing-key.ts'

/** The timeout for fetching the metadata and the keys together. A `Clock` does not affect it. */
const timeoutSeconds = 5

/**
 * How long keys are fresh, in seconds. `default` applies if the issuer does not say how long.
 * `most` is the maximum, so a withdrawn key stops working within an hour.
 */
const freshSeconds = { default: 300, most: 3_600 }

/**
 * How long keys that are no longer fresh may be used while new keys are fetched. After that, a
 * token waits for the new keys. Without this limit, an API without traffic could accept a token
 * whose key was withdrawn long ago.
 */
const oldSeconds = 300

const closedMessage = 'the key set was closed'

/** The keys of an issuer. They are fetched when a token needs them; no timer starts a fetch. */
export interface RemoteJwkSet extends KeySet {
  /**
   * `starting`: no keys have been loaded yet. `stale`: the keys are no longer fresh, and the last
   * fetch failed. `current`: in all other cases.
   */
  readonly state: 'starting' | 'current' | 'stale'
  /** Loads the keys if there are none yet. Tries only once. @throws {Error} if this fails */
  load(): Promise<void>
  /**
   * If no key matches and the cooldown allows a fetch, fetches the keys and waits for them. Does
   * NOT return the key: call `find` afterwards.
   *
   * @throws {TokenError} `temporarily_unavailable` if no keys could be loaded yet
   */
  seek(keyId: string | undefined, algorithm: Algorithm): Promise<void>
  /** Aborts a running fetch and prevents further fetches. May be called several times. */
  close(): void
}

interface HeldKeys {
  readonly keys: readonly VerificationKey[]
  readonly set: KeySet
  /** When the fetch started, in milliseconds. */
  readonly askedAt: number
  readonly freshUntil: number
}

/**
 * Makes a set of the keys that an issuer publishes. All callers share one fetch, and at most one
 * fetch starts in 30 s. So tokens with invented `kid`s cannot make this API flood the issuer. Only
 * while there are no keys yet, a failed fetch is retried sooner: after 1 s, 2 s, 4 s and so on.
 *
 * Keys that are no longer fresh stay in use in two cases: during a fetch, but for at most five
 * minutes after they stopped being fresh; and after a failed fetch, for as long as the issuer is
 * down or returns no usable set.
 *
 * A new set replaces the old set completely: a key that is missing in the new set is no longer
 * accepted. A key that is in both sets stays the same object.
 */
export function createRemoteJwkSet(options: PublishedKeysOptions): RemoteJwkSet {
  const { clock } = options
  const cache = createKeyCache(options)

  const find: KeySet['find'] = (keyId, algorithm) => {
    const { held } = cache
    if (!held) return undefined

    // decisions/0012-fetch-keys-on-demand.md
    if (isTooOld(held, clock) && (cache.isDue() || cache.isFetching)) return undefined
    if (isOld(held, clock) && cache.isDue()) {
      // Nothing runs after the answer of a Worker, so there the request must `seek` and wait.
      if (endsWithRequest()) return undefined
      void cache.refresh()
    }
    return held.set.find(keyId, algorithm)
  }

  return {
    find,
    get state() {
      return stateOf(cache, clock)
    },
    async load() {
      if (!cache.held) await cache.refresh()
      if (!cache.held) throw cache.failure ?? new Error(closedMessage)
    },
    async seek(keyId, algorithm) {
      if (!find(keyId, algorithm)) await cache.refresh()
      if (!cache.held) throw keysUnavailable(cache.failure, cache.secondsToNext())
    },
    close: () => cache.close(),
  }
}

interface KeyCache {
  readonly held: HeldKeys | undefined
  /** Why the last fetch failed. `undefined` after a success. */
  readonly failure: Error | undefined
  /**
   * Waits for the running fetch. If no fetch is running and the schedule allows one, starts it and
   * waits for it. Never rejects.
   */
  refresh(): Promise<void>
  isDue(): boolean
  readonly isFetching: boolean
  secondsToNext(): number
  close(): void
}

/** A running fetch. */
interface Flight {
  readonly done: Promise<void>
  abort(reason: Error): void
}

function createKeyCache(options: PublishedKeysOptions): KeyCache {
  const { issuer, clock } = options
  const fetchKeys = createKeyFetch(options)
  const schedule = createFetchSchedule(clock)
  let held: HeldKeys | undefined
  let failure: Error | undefined
  let flight: Flight | undefined
  let closed = false

  const isDue = (): boolean => !closed && schedule.isDue()

  function refresh(): Promise<void> {
    if (flight) return join(flight)
    if (!isDue()) return Promise.resolve()

    const askedAt = schedule.start()
    const { promise, abort } = withDeadline(fetchKeys, timeoutSeconds)
    const done = promise
      .then((fetched) => {
        held = hold(fetched, held, askedAt)
        failure = undefined
      }, fail)
      .finally(() => void (flight = undefined))
    flight = { done, abort }
    return done
  }

  // Waits for a fetch that another request started. If that request was aborted in a Worker, the
  // fetch is lost: waiting for it fails or never ends.
  async function join(joined: Flight): Promise<void> {
    await withDeadline(() => joined.done, timeoutSeconds).promise.catch(() => {})
    if (flight !== joined) return

    flight = undefined
    fail(new Error('the request that started the fetch has ended'))
    return refresh()
  }

  function fail(cause: Error): void {
    failure = new Error(`the keys of ${issuer} cannot be fetched: ${cause.message}`, { cause })
    if (!held) schedule.retrySoon()
  }

  return {
    get held() {
      return held
    },
    get failure() {
      return failure
    },
    refresh,
    isDue,
    get isFetching() {
      return flight !== undefined
    },
    secondsToNext: schedule.secondsToNext,
    close() {
      closed = true
      flight?.abort(new Error(closedMessage))
    },
  }
}

function isOld({ freshUntil, askedAt }: HeldKeys, clock: Clock): boolean {
  return hasCome(freshUntil, askedAt, clock.now())
}

/** Whether the keys stopped being fresh at least `oldSeconds` ago. */
function isTooOld({ freshUntil }: HeldKeys, clock: Clock): boolean {
  return clock.now() >= freshUntil + oldSeconds * 1000
}

function stateOf({ held, failure }: KeyCache, clock: Clock): RemoteJwkSet['state'] {
  if (!held) return 'starting'
  return failure && isOld(held, clock) ? 'stale' : 'current'
}

/**
 * Returns the fetched keys, ready for use. If a fetched key equals a key in `before`, the result
 * contains the object from `before`.
 */
function hold(fetched: PublishedKeys, before: HeldKeys | undefined, askedAt: number): HeldKeys {
  const keys = fetched.keys.map((key) => before?.keys.find((old) => isSameKey(old, key)) ?? key)
  const seconds = Math.min(fetched.freshSeconds ?? freshSeconds.default, freshSeconds.most)
  return { keys, set: keySetOf(keys), askedAt, freshUntil: askedAt + seconds * 1000 }
}

function isSameKey(a: VerificationKey, b: VerificationKey): boolean {
  return (
    a.keyId === b.keyId &&
    a.algorithm === b.algorithm &&
    keyObjectOf(a.verifyingKey).equals(keyObjectOf(b.verifyingKey))
  )
}

function keysUnavailable(failure: Error | undefined, retryAfterSeconds: number): TokenError {
  const detail = failure?.message ?? closedMessage
  return tokenError('keys_unavailable', { detail, retryAfterSeconds, cause: failure })
}
