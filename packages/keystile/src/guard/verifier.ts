// The verifier: it proves access tokens of the trusted issuers, and keeps proved tokens in a cache.
import { requireClockForLater, systemClock, type Clock } from '../base/clock.ts'
import { messageOf, TokenError, tokenError } from '../base/errors.ts'
import { requireKnownOptions } from '../base/options.ts'
import type { Fetch } from '../http/fetch-json.ts'
import type { AlgorithmName } from '../keys/algorithm.ts'
import type { JwkSet, KeySet } from '../keys/jwk-set.ts'
import { requireAlgorithms, requireTolerance } from '../token/jwt.ts'
import type { Identity, TokenType } from './identity.ts'
import { readAcr, requireAge, requireLogin, type LoginDemand, type Time } from './login-demand.ts'
import { createProver } from './prover.ts'
import { createRefusalReport, type RefusalOptions } from './refusal-report.ts'
import { readRevocations } from './revocation-source.ts'
import type {
  RevocationFeedOptions,
  Revocations,
  RevocationSource,
  RevocationState,
} from './revocations.ts'
import { readTokenRules, type TokenRules } from './token-rules.ts'
import {
  createTrustedIssuers,
  requireIssuers,
  type IssuerNames,
  type TrustedIssuers,
} from './trusted-issuers.ts'

/**
 * The options of a verifier. Set `onRefused` here only if the app itself calls `verify`: a guard
 * reports its refusals with its own options. If revocations cannot be read, the `logger` gets each
 * different cause once. The `logger` gets another message when revocations can be read again.
 */
export interface VerifierOptions<T extends TokenType = TokenType>
  extends RefusalOptions, TokenRules<T> {
  /**
   * The exact `iss` of the tokens. With several issuers, each token must be signed with a key of
   * the issuer in its `iss`.
   */
  readonly issuer: string | readonly string[]
  /**
   * The issuer's JWK Set, or one secret of at least 32 random bytes (HS256), or a `KeySet` whose
   * keys change at run time. Works with one issuer only. Default: the verifier fetches the keys
   * that each issuer publishes. In that case, the issuer must be an https URL, or an http URL of
   * this machine. For the URL of a key set, see `jwksUri`.
   */
  readonly keys?: JwkSet | KeySet | string
  /**
   * The URL of the issuer's JWK Set: https, or http on this machine. With this option, the verifier
   * does not fetch the issuer's metadata. Works with one issuer only, and not together with `keys`.
   */
  readonly jwksUri?: string
  /** The allowed algorithms. Default: the algorithms of the keys. */
  readonly algorithms?: readonly AlgorithmName[]
  /** How many seconds the clocks of issuer and verifier may differ, at most 60. Default: 5. */
  readonly clockToleranceSeconds?: number
  /** Fetches metadata and keys. Default: `globalThis.fetch`. */
  readonly fetch?: Fetch
  /**
   * The source of revocations. With `'none'`, a revoked token stays valid until it expires. With
   * `{ clientId, clientSecret, whenStale }`, the verifier reads the revocations of the issuer: it
   * connects to `{issuer}/revocations` and stays connected until `close()`. The issuer must be a
   * Keystile server, and the only issuer of this verifier. The app can also pass its own source, an
   * object with the members of `Revocations`.
   */
  readonly revocations: 'none' | RevocationFeedOptions | Revocations
  readonly clock?: Clock
}

/** Verifies access tokens, and caches verified tokens. Create one verifier for the whole app. */
export interface Verifier<T extends TokenType = 'at+jwt'> {
  /** The first issuer. The challenge of a refusal contains this issuer as the `realm`. */
  readonly issuer: string
  /** All issuers, including `issuer`. An app's own verifier with one issuer may omit this list. */
  readonly issuers?: readonly string[]
  /** The names of this API, from the option `audience` (which may have them as `values`). */
  readonly audiences?: readonly string[]
  /**
   * `starting`: the keys of an issuer or the revocations are not loaded yet. `stale`: updates have
   * stopped, or the verifier is closed. `current`: everything is loaded and up to date.
   */
  readonly state: RevocationState
  /**
   * How many seconds ago the issuer sent its last update on the revocation feed. Meant for a
   * metric. From 4 seconds on, the state is `stale`. `Infinity` before the first update;
   * `undefined` if the verifier reads no feed.
   */
  readonly revocationsAgeSeconds?: number | undefined
  /**
   * Loads the keys of all issuers and the revocations. If the app waits for this promise before it
   * listens, the first requests do not get 503. Without this call, the first token loads the keys
   * and the revocations.
   *
   * @throws {Error} if the verifier cannot verify tokens yet; the message says why. Call `ready`
   *   again to retry
   */
  ready(): Promise<void>
  /**
   * Stops all fetching, and closes the connection to a revocation feed. An open connection would
   * keep a Node process running. After `close()`, the verifier refuses every token with 503. May be
   * called several times.
   */
  close(): void
  /**
   * Returns the identity of a token without waiting, if the token was verified before and is still
   * valid. Otherwise returns `undefined`. To learn the reason, call `verify()`.
   */
  recall?(token: string): Identity<string, T> | undefined
  /**
   * Verifies an access token, in this order: form, issuer, algorithm, key, signature, `typ`,
   * claims, revocation, and what `demand` says about the login. An app's own verifier must check
   * `demand` too: a guard leaves this to `verify`. The `iss` of the token only selects one of the
   * configured issuers; it never leads to a fetch from another URL. `verify` fetches keys only for
   * a token with an unknown key, and waits for one fetch. For a cached token, `verify` checks
   * expiry, key, revocation and `demand` again.
   *
   * Does NOT check scopes, nor whether the user still exists: a guard does.
   *
   * @throws {TokenError} `invalid_token`; `temporarily_unavailable` while keys or revocations are
   *   not known; `insufficient_user_authentication` for a login that is too old or too weak
   * @throws {TypeError} for a `maxAgeSeconds` that is not a number above 0, or an `acr` that is
   *   neither a string nor a list of strings
   * @see RFC 9068 §4, RFC 9470 §4
   */
  verify(token: string, demand?: LoginDemand): Promise<Identity<string, T>>
}

const optionNames: readonly (keyof VerifierOptions)[] = [
  'issuer',
  'audience',
  'tokenType',
  'clients',
  'scopesFrom',
  'maxTokenAgeSeconds',
  'keys',
  'jwksUri',
  'algorithms',
  'clockToleranceSeconds',
  'fetch',
  'revocations',
  'clock',
  'onRefused',
  'logger',
]

/**
 * Creates a verifier. It fetches nothing until `ready` or the first token.
 *
 * @throws {TypeError} for an option that is missing, unknown, wrong or unsafe
 */
export function createVerifier<T extends TokenType = 'at+jwt'>(
  options: VerifierOptions<T>,
): Verifier<T>
export function createVerifier(options: VerifierOptions): Verifier<TokenType> {
  const { names, audiences, time, source, issuers } = readOptions(options)
  const { remotes } = issuers
  const { tokenType = 'at+jwt' } = options
  const prover = createProver(issuers, time)
  const report = createRefusalReport('createVerifier', options)
  let closed = false

  return {
    issuer: names[0],
    issuers: Object.freeze(names),
    // Frozen, so that the app cannot make the verifier accept more tokens.
    audiences,
    get state() {
      if (closed) return 'stale'
      return worstOf([source?.state ?? 'current', ...remotes.map(({ state }) => state)])
    },
    get revocationsAgeSeconds() {
      return source?.ageSeconds
    },
    async ready() {
      if (closed) throw new Error('the verifier is closed')
      await Promise.all(remotes.map((remote) => remote.load()))
      if (source && source.state !== 'current') await load(source)
    },
    close() {
      closed = true
      for (const remote of remotes) remote.close()
      source?.close()
    },
    recall(token) {
      const proved = closed ? undefined : prover.recall(token)
      if (!proved) return undefined
      if (source && (source.needsRefresh() || source.isRevoked(proved.revocable))) return undefined
      return proved.identity
    },
    async verify(token, { maxAgeSeconds, acr } = {}) {
      requireAge(maxAgeSeconds)
      const accepted = readAcr(acr)
      try {
        if (closed) throw tokenError('verifier_closed', { retryAfterSeconds: 1 })

        const { identity, revocable } = prover.find(token) ?? (await prover.prove(token))
        if (source) {
          if (source.needsRefresh()) await catchUp(source)
          if (source.isRevoked(revocable)) throw tokenError('revoked')
        }

        requireLogin(identity, { maxAgeSeconds, acr: accepted, tokenType, time })
        return identity
      } catch (error) {
        if (error instanceof TokenError) report(error)
        throw error
      }
    },
  }
}

/**
 * Checks the options and copies their lists. A later change of a list by the app has no effect on
 * the verifier.
 *
 * @throws {TypeError} for an option that is missing, unknown, wrong or unsafe
 */
function readOptions(options: VerifierOptions): {
  readonly names: IssuerNames
  readonly audiences: readonly string[]
  readonly time: Time
  readonly source: RevocationSource | undefined
  readonly issuers: TrustedIssuers
} {
  requireKnownOptions('createVerifier', options, optionNames)
  const clock = requireClockForLater(options.clock ?? systemClock)
  const time = { clock, clockToleranceSeconds: requireTolerance(options.clockToleranceSeconds) }

  const names = requireIssuers(options.issuer)
  requireAlgorithms(options.algorithms)
  const algorithms = options.algorithms && [...options.algorithms]
  const source = readRevocations(options, names, clock)

  const common = { ...time, ...(algorithms && { algorithms }) }
  const { audiences, verifyToken } = readTokenRules(options, common)
  const issuers = createTrustedIssuers(names, options, { ...common, verifyToken })
  return { names, audiences, time, source, issuers }
}

/**
 * Returns the worst of the states. `starting` is worse than `stale`, and `stale` is worse than
 * `current`.
 */
function worstOf(states: readonly RevocationState[]): RevocationState {
  if (states.includes('starting')) return 'starting'
  return states.includes('stale') ? 'stale' : 'current'
}

/**
 * Loads the revocations at the start of the app.
 *
 * @throws {TokenError} if the revocations are not current after one attempt. The message says why
 */
async function load(revocations: RevocationSource): Promise<void> {
  const cause = await failureOf(revocations.refresh())
  const { state } = revocations
  if (state === 'current') return
  const detail = `revocations are ${state}`
  const message = cause === undefined ? detail : messageOf(cause)
  const reason = 'revocations_unavailable'
  throw new TokenError('temporarily_unavailable', message, { reason, detail, cause })
}

/**
 * Waits for one update of the revocations.
 *
 * @throws {TokenError} `temporarily_unavailable` if the revocations are not usable even after that:
 *   the verifier could not tell a revoked token from a valid one
 */
async function catchUp(revocations: RevocationSource): Promise<void> {
  const cause = await failureOf(revocations.refresh())
  if (revocations.isUsable()) return
  throw tokenError('revocations_unavailable', {
    detail: `revocations are ${revocations.state}`,
    retryAfterSeconds: revocations.retryAfterSeconds,
    cause,
  })
}

/** Waits for a promise. Returns the reason if the promise rejects, otherwise `undefined`. */
function failureOf(promise: Promise<void>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  )
}
