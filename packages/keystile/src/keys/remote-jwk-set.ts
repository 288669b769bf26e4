import type { Clock } from '../base/clock.ts'
import { tokenError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import { findJson, type Fetch } from '../http/fetch-json.ts'
import { fetchJwksUri } from '../http/issuer-metadata.ts'
import type { Algorithm } from './algorithm.ts'
import { importKeys, keySetOf, type KeySet } from './jwk-set.ts'
import type { VerificationKey } from './signing-key.ts'

/** From the start of one fetch to that of the next, whatever arrives meanwhile. */
const cooldownSeconds = 30
/** While nothing was ever loaded, so soon after a failure is the next try; each later one waits twice as long. */
const firstBackOffSeconds = 1
/** All that a fetch does, metadata and keys, takes no longer than this. Real time. */
const timeoutSeconds = 5
/** How long keys are fresh: as the issuer says, but a withdrawn key is gone within the hour, and the cooldown holds. */
const freshSeconds = { default: 300, most: 3_600 }
/** After this the issuer is asked again where its keys are. */
const locationSeconds = 3_600

/** Members of a JWK that are nobody's business (RFC 7518 §6.2.2, §6.3.2, §6.4). */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** The keys of an issuer, fetched when they are needed. Nothing happens, and no timer runs, while nobody asks. */
export interface RemoteJwkSet extends KeySet {
  /** `starting`: no keys were ever loaded. `stale`: they are old, and the issuer does not give new ones. */
  readonly state: 'starting' | 'current' | 'stale'
  /** Resolves when there are keys, after one try where there are none. @throws {Error} why there are none */
  load(): Promise<void>
  /**
   * Waits where that can bring the key: for the first load, or for one fetch when no key fits and the cooldown is over.
   * Does NOT say whether there is one then: `find` does.
   *
   * @throws {TokenError} `temporarily_unavailable` while no keys were ever loaded
   */
  seek(keyId: string | undefined, algorithm: Algorithm): Promise<void>
  /** Breaks off what is fetched and fetches nothing more. May be called again. */
  close(): void
}

interface Known {
  readonly keys: readonly VerificationKey[]
  readonly set: KeySet
  /** Milliseconds. */
  readonly askedAt: number
  readonly freshUntil: number
}

interface Fetched {
  readonly keys: readonly VerificationKey[]
  /** As the issuer says. */
  readonly freshSeconds: number | undefined
}

/**
 * The keys that an issuer publishes. Fetches once for all who wait, and once in 30 s at most, however many tokens name
 * keys that do not exist: a failure counts too. Only while nothing was ever loaded a failed try is repeated sooner, after
 * 1 s, 2 s, 4 s and so on. Old keys serve while new ones are fetched in the background, and for as long as the issuer is
 * away or what it answers is no set of usable public keys. A new set replaces the old one whole: what is not in it is no
 * longer accepted. A key that is in both stays the same object.
 *
 * Only public keys are taken, never a shared secret, and no key whose private half is published with it.
 *
 * @param issuer has passed `requireDiscoverable`, unless `jwksUri` is given
 * @param jwksUri where the keys are; has passed `requireJwksUri`. Without it the issuer's metadata says so
 * @see RFC 7517 §5, RFC 8414 §3
 */
export function createRemoteJwkSet({
  issuer,
  jwksUri,
  fetch,
  clock,
}: {
  readonly issuer: string
  readonly jwksUri?: string | undefined
  readonly fetch: Fetch
  readonly clock: Clock
}): RemoteJwkSet {
  let known: Known | undefined
  let failure: Error | undefined
  let nextTryAt = Number.NEGATIVE_INFINITY
  let backOffSeconds = firstBackOffSeconds
  let location: { readonly uri: string; readonly askAgainAt: number } | undefined
  let flight: { readonly done: Promise<void>; abort(reason: Error): void } | undefined
  let closed = false

  const find: KeySet['find'] = (keyId, algorithm) => {
    if (!known) return undefined
    if (isOver(known.freshUntil, known.askedAt)) void refresh()
    return known.set.find(keyId, algorithm)
  }

  /** Whether an instant has come. A clock that was set back must not put it off. */
  function isOver(instant: number, since: number): boolean {
    const now = clock.now()
    return now >= instant || now < since
  }

  /** Joins the fetch in flight, or starts one where it is time. Never rejects. */
  function refresh(): Promise<void> {
    if (flight) return flight.done
    const now = clock.now()
    if (closed || !isOver(nextTryAt, nextTryAt - cooldownSeconds * 1000)) return Promise.resolve()
    nextTryAt = now + cooldownSeconds * 1000
    const { promise, abort } = withDeadline(fetchKeys)
    const done = promise
      .then((fetched) => replace(fetched, now), fail)
      .finally(() => {
        flight = undefined
      })
    flight = { done, abort }
    return done
  }

  async function fetchKeys(signal: AbortSignal): Promise<Fetched> {
    const uri = jwksUri ?? (await locate(signal))
    try {
      const found = await findJson(uri, { fetch, signal })
      if (!found) throw new Error(`${uri} answers 404, not 200`)
      return { keys: importKeys(found.value, isPublic), freshSeconds: found.freshSeconds }
    } catch (error) {
      location = { uri, askAgainAt: clock.now() } // they may have moved
      throw error
    }
  }

  async function locate(signal: AbortSignal): Promise<string> {
    const before = location
    const wait = locationSeconds * 1000
    if (before && !isOver(before.askAgainAt, before.askAgainAt - wait)) return before.uri
    const askAgainAt = clock.now() + wait
    // Set beforehand: where the metadata hangs and the keys do not, the next fetch goes to the keys at once.
    if (before) location = { uri: before.uri, askAgainAt }
    try {
      const uri = await fetchJwksUri(issuer, { fetch, signal })
      location = { uri, askAgainAt }
      return uri
    } catch (error) {
      if (!before) throw error
      return before.uri
    }
  }

  function replace({ keys: fetched, freshSeconds: said }: Fetched, askedAt: number): void {
    const before = known?.keys ?? []
    const keys = fetched.map((key) => before.find((old) => isSameKey(old, key)) ?? key)
    const seconds = Math.min(said ?? freshSeconds.default, freshSeconds.most)
    known = { keys, set: keySetOf(keys), askedAt, freshUntil: askedAt + seconds * 1000 }
    failure = undefined
  }

  function fail(cause: Error): void {
    failure = new Error(`the keys of ${issuer} cannot be fetched: ${cause.message}`, { cause })
    if (known) return
    nextTryAt = clock.now() + backOffSeconds * 1000
    backOffSeconds = Math.min(2 * backOffSeconds, cooldownSeconds)
  }

  return {
    find,
    get state() {
      if (!known) return 'starting'
      return failure && isOver(known.freshUntil, known.askedAt) ? 'stale' : 'current'
    },
    async load() {
      if (known) return
      await refresh()
      if (!known) throw failure ?? new Error('closed')
    },
    async seek(keyId, algorithm) {
      if (find(keyId, algorithm)) return
      await refresh()
      if (known) return
      throw tokenError('keys_unavailable', {
        detail: failure?.message ?? 'closed',
        retryAfterSeconds: Math.max(1, Math.ceil((nextTryAt - clock.now()) / 1000)),
        cause: failure,
      })
    },
    close() {
      closed = true
      flight?.abort(new Error('closed'))
    },
  }
}

/** A secret that is published is none: whoever reads it can sign. */
function isPublic(jwk: JsonObject): boolean {
  return jwk['kty'] !== 'oct' && !privateMembers.some((name) => Object.hasOwn(jwk, name))
}

function isSameKey(a: VerificationKey, b: VerificationKey): boolean {
  return a.keyId === b.keyId && a.algorithm === b.algorithm && a.verifyingKey.equals(b.verifyingKey)
}

/** Runs something that ends when it is late, even when it does not listen to its signal. */
function withDeadline<T>(work: (signal: AbortSignal) => Promise<T>): {
  promise: Promise<T>
  abort(reason: Error): void
} {
  const controller = new AbortController()
  const { signal } = controller
  const abort = (reason: Error): void => controller.abort(reason)
  const timer = setTimeout(() => abort(new Error(`no answer in ${timeoutSeconds} s`)), timeoutSeconds * 1000)
  timer.unref() // what waits for an answer keeps the process, if anything
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
  })
  const promise = Promise.race([work(signal), aborted]).finally(() => clearTimeout(timer))
  return { promise, abort }
}
