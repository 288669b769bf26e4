import { hasCome, type Clock } from '../base/clock.ts'
import { tokenError, type TokenError } from '../base/errors.ts'
import { withDeadline } from '../http/deadline.ts'
import type { Algorithm } from './algorithm.ts'
import { keySetOf, type KeySet } from './jwk-set.ts'
import { createKeyFetch, type PublishedKeys, type PublishedKeysOptions } from './published-keys.ts'
import type { VerificationKey } from './signing-key.ts'

/** The least time from the start of one fetch to the start of the next. */
const cooldownSeconds = 30
/** The wait after the first failure while there are no keys. Each later wait is twice as long. */
const firstBackOffSeconds = 1
/** The longest that a fetch takes, metadata and keys together. Real time. */
const timeoutSeconds = 5
/** How long keys are fresh: as the issuer says, but a withdrawn key is gone within the hour. */
const freshSeconds = { default: 300, most: 3_600 }

/** The keys of an issuer. They are fetched only for tokens that come: no timer runs. */
export interface RemoteJwkSet extends KeySet {
  /**
   * `starting`: no keys were ever loaded. `stale`: the keys are old, and the last fetch failed.
   */
  readonly state: 'starting' | 'current' | 'stale'
  /** Resolves once there are keys. Without keys, tries once. @throws {Error} why there are none */
  load(): Promise<void>
  /**
   * Waits if a fetch can bring the key: the first load, or one fetch when no key fits and the
   * cooldown is over. Does NOT say whether there is a key then: `find` does.
   *
   * @throws {TokenError} `temporarily_unavailable` while no keys were ever loaded
   */
  seek(keyId: string | undefined, algorithm: Algorithm): Promise<void>
  /** Aborts the fetch that runs, and starts no other. May be called again. */
  close(): void
}

/** The keys that were fetched last. */
interface HeldKeys {
  readonly keys: readonly VerificationKey[]
  readonly set: KeySet
  /** Milliseconds. */
  readonly askedAt: number
  readonly freshUntil: number
}

/**
 * The keys that an issuer publishes. All callers share one fetch, and one starts in 30 s at most,
 * even if many tokens name keys that do not exist or fetches fail. Only while there are no keys, a
 * failed fetch is tried again sooner: after 1 s, 2 s, 4 s and so on.
 *
 * Old keys stay in use while new ones are fetched in the background, and as long as the issuer is
 * down or answers no usable set. A new set replaces the old one whole: a key that is not in it is
 * no longer accepted, and a key that is in both stays the same object.
 */
export function createRemoteJwkSet(options: PublishedKeysOptions): RemoteJwkSet {
  const { issuer, clock } = options
  const fetchKeys = createKeyFetch(options)
  const schedule = createSchedule(clock)
  let held: HeldKeys | undefined
  /** Why the last fetch failed. */
  let failure: Error | undefined
  /** The fetch that runs now. */
  let flight: { readonly done: Promise<void>; abort(reason: Error): void } | undefined
  let closed = false

  const find: KeySet['find'] = (keyId, algorithm) => {
    if (!held) return undefined
    // decisions/0012-fetch-keys-on-demand.md
    if (isOld(held, clock)) void refresh()
    return held.set.find(keyId, algorithm)
  }

  /** Joins the fetch that runs, or starts one if it is due. Never rejects. */
  function refresh(): Promise<void> {
    if (flight) return flight.done
    if (closed || !schedule.isDue()) return Promise.resolve()

    const askedAt = schedule.start()
    const { promise, abort } = withDeadline(fetchKeys, timeoutSeconds)
    const done = promise
      .then((fetched) => {
        held = hold(fetched, held, askedAt)
        failure = undefined
      }, fail)
      .finally(() => {
        flight = undefined
      })
    flight = { done, abort }
    return done
  }

  function fail(cause: Error): void {
    failure = new Error(`the keys of ${issuer} cannot be fetched: ${cause.message}`, { cause })
    if (!held) schedule.retrySoon()
  }

  return {
    find,
    get state() {
      return stateOf(held, failure, clock)
    },
    async load() {
      if (!held) await refresh()
      if (!held) throw failure ?? new Error('closed')
    },
    async seek(keyId, algorithm) {
      if (!find(keyId, algorithm)) await refresh()
      if (!held) throw keysUnavailable(failure, schedule.secondsToNext())
    },
    close() {
      closed = true
      flight?.abort(new Error('closed'))
    },
  }
}

/** Decides when the next fetch may start. */
interface Schedule {
  isDue(): boolean
  /** Starts the cooldown. Returns the time. */
  start(): number
  /** Replaces the cooldown by the next back-off, for a failure while there are no keys. */
  retrySoon(): void
  /** Whole seconds until a fetch may start, for `Retry-After`: at least 1. */
  secondsToNext(): number
}

function createSchedule(clock: Clock): Schedule {
  let nextAt = Number.NEGATIVE_INFINITY
  let backOffSeconds = firstBackOffSeconds

  return {
    isDue: () => hasCome(nextAt, nextAt - cooldownSeconds * 1000, clock.now()),
    start() {
      const now = clock.now()
      nextAt = now + cooldownSeconds * 1000
      return now
    },
    retrySoon() {
      nextAt = clock.now() + backOffSeconds * 1000
      backOffSeconds = Math.min(2 * backOffSeconds, cooldownSeconds)
    },
    secondsToNext: () => Math.max(1, Math.ceil((nextAt - clock.now()) / 1000)),
  }
}

function isOld({ freshUntil, askedAt }: HeldKeys, clock: Clock): boolean {
  return hasCome(freshUntil, askedAt, clock.now())
}

function stateOf(
  held: HeldKeys | undefined,
  failure: Error | undefined,
  clock: Clock,
): RemoteJwkSet['state'] {
  if (!held) return 'starting'
  return failure && isOld(held, clock) ? 'stale' : 'current'
}

/** Takes what was fetched in place of what was held. An unchanged key stays the same object. */
function hold(fetched: PublishedKeys, before: HeldKeys | undefined, askedAt: number): HeldKeys {
  const keys = fetched.keys.map((key) => before?.keys.find((old) => isSameKey(old, key)) ?? key)
  const seconds = Math.min(fetched.freshSeconds ?? freshSeconds.default, freshSeconds.most)
  return { keys, set: keySetOf(keys), askedAt, freshUntil: askedAt + seconds * 1000 }
}

function isSameKey(a: VerificationKey, b: VerificationKey): boolean {
  return a.keyId === b.keyId && a.algorithm === b.algorithm && a.verifyingKey.equals(b.verifyingKey)
}

function keysUnavailable(failure: Error | undefined, retryAfterSeconds: number): TokenError {
  const detail = failure?.message ?? 'closed'
  return tokenError('keys_unavailable', { detail, retryAfterSeconds, cause: failure })
}
