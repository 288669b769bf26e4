import { requireClock, systemClock, type Clock } from '../base/clock.ts'
import { tokenError } from '../base/errors.ts'
import { requireKnownOptions } from '../base/options.ts'
import type { Fetch } from '../http/fetch-json.ts'
import type { AlgorithmName } from '../keys/algorithm.ts'
import type { JwkSet, KeySet } from '../keys/jwk-set.ts'
import type { VerificationKey } from '../keys/signing-key.ts'
import { isExpired } from '../token/claims.ts'
import { requireAlgorithms, requireTolerance } from '../token/jwt.ts'
import { requireAge } from './demand.ts'
import { identityOf, type Identity } from './identity.ts'
import type { Revocations, RevocationState } from './revocations.ts'
import {
  createTrustedIssuers,
  requireAudience,
  requireIssuers,
  type IssuerNames,
  type TrustedIssuers,
} from './trusted-issuers.ts'
import { createVerifiedTokens } from './verified-tokens.ts'

export interface VerifierOptions {
  /**
   * `iss` of the tokens, exactly. Of several, each token needs a key of the issuer that it names.
   */
  readonly issuer: string | readonly string[]
  /** This API: `aud` of a token must contain one of these. */
  readonly audience: string | readonly string[]
  /**
   * The issuer's JWK Set, or one secret of at least 32 random bytes (HS256), or keys that change at
   * run time. Only for one issuer. Default: the keys that each issuer publishes; the issuer must
   * then be an https URL, or an http URL of this machine. For the URL of a key set, see `jwksUri`.
   */
  readonly keys?: JwkSet | KeySet | string
  /**
   * Where the issuer's JWK Set is: an https URL, or an http URL of this machine. The verifier
   * fetches it from there, without the issuer's metadata. Only for one issuer, and not together
   * with `keys`.
   */
  readonly jwksUri?: string
  /** Only these algorithms are used. Default: those of the keys. */
  readonly algorithms?: readonly AlgorithmName[]
  /** How many seconds the issuer's clock may differ from this one, 60 at most. Default: 5. */
  readonly clockToleranceSeconds?: number
  /** Fetches metadata and keys. Default: `globalThis.fetch`. */
  readonly fetch?: Fetch
  /** Where revocations come from. `'none'`: a revoked token stays valid until it expires. */
  readonly revocations: 'none' | Revocations
  readonly clock?: Clock
}

export interface Verifier {
  /** The first issuer. Challenges name it as the realm. */
  readonly issuer: string
  /**
   * `starting` until the keys of all issuers are loaded and revocations are known. `stale`: updates
   * of either have stopped, or the verifier is closed.
   */
  readonly state: RevocationState
  /**
   * Loads the keys of all issuers and asks for revocations, once. A program that waits for this
   * does not refuse its first requests with 503. Otherwise the first token loads them.
   *
   * @throws {Error} why it cannot verify yet; it may be called again
   */
  ready(): Promise<void>
  /** Ends all fetching. After that, every token is refused with 503. May be called again. */
  close(): void
  /**
   * Returns the identity of a token that was proved before and is still valid, without waiting.
   * Returns `undefined` in any other case, and `verify` then tells which.
   */
  recall?(token: string): Identity | undefined
  /**
   * Proves an access token: form, issuer, algorithm, key, signature, `typ`, claims, revocation, and
   * last, if demanded, how long ago the person logged in. The `iss` of the token only selects one
   * of the configured issuers. Only a token with an unknown key may wait, for one fetch of the
   * issuer's keys. A token that was seen before is found by its whole text, and its time, key and
   * revocation are checked again.
   *
   * Does NOT check scopes, nor whether the subject's account still exists: a guard does.
   *
   * @throws {TokenError} `invalid_token`; `temporarily_unavailable` while keys or revocations are
   *   not known; `insufficient_user_authentication`
   * @throws {TypeError} for a `maxAgeSeconds` that is not a number above 0
   * @see RFC 9068 §4, RFC 9470 §4
   */
  verify(token: string, demand?: { readonly maxAgeSeconds?: number | undefined }): Promise<Identity>
}

/** What the verifier remembers of a proved token. */
interface ProvedToken {
  readonly identity: Identity
  /** `exp`. */
  readonly expires: number
  readonly key: VerificationKey
  /** The set that holds the key. */
  readonly keys: KeySet
}

const optionNames: readonly (keyof VerifierOptions)[] = [
  'issuer',
  'audience',
  'keys',
  'jwksUri',
  'algorithms',
  'clockToleranceSeconds',
  'fetch',
  'revocations',
  'clock',
]

/** @throws {TypeError} for an option that is missing, unknown, wrong or unsafe */
export function createVerifier(options: VerifierOptions): Verifier {
  const { names, time, revocations, issuers } = readOptions(options)
  const { only, remotes } = issuers
  const proved = createVerifiedTokens<ProvedToken>()
  let closed = false

  /** Returns the identity of a token from memory; `undefined` where it must be proved. */
  function findProved(token: string): Identity | undefined {
    const known = proved.find(token)
    if (!known) return undefined
    const standing = standingOf(known, time)
    if (standing === 'valid') return known.identity
    // Stryker disable next-line CallExpression: only frees memory; what follows does not need it
    proved.forget(token)
    if (standing === 'expired') throw tokenError('expired')
    return undefined
  }

  async function prove(token: string): Promise<Identity> {
    const { keys, verify } = only ?? (await issuers.select(token))
    const verified = verify(token)
    const { claims, key } = verified
    const identity = identityOf(verified)
    proved.remember(token, { identity, expires: claims.exp, key, keys })
    return identity
  }

  return {
    issuer: names[0],
    get state() {
      if (closed) return 'stale'
      // Stryker disable next-line ConditionalExpression,StringLiteral: all else counts as current
      return worstOf([
        revocations === 'none' ? 'current' : revocations.state,
        ...remotes.map(({ state }) => state),
      ])
    },
    async ready() {
      if (closed) throw new Error('the verifier is closed')
      await Promise.all(remotes.map((remote) => remote.load()))
      if (revocations !== 'none' && revocations.state !== 'current') await catchUp(revocations)
    },
    close() {
      closed = true
      for (const remote of remotes) remote.close()
    },
    recall(token) {
      const known = closed ? undefined : proved.find(token)
      if (!known || standingOf(known, time) !== 'valid') return undefined
      if (revocations === 'none') return known.identity
      return revocations.state === 'current' && !isRevoked(revocations, known.identity)
        ? known.identity
        : undefined
    },
    async verify(token, { maxAgeSeconds } = {}) {
      requireAge(maxAgeSeconds)
      if (closed) throw tokenError('verifier_closed', { retryAfterSeconds: 1 })
      const identity = findProved(token) ?? (await prove(token))
      if (revocations !== 'none') {
        if (revocations.state !== 'current') await catchUp(revocations)
        if (isRevoked(revocations, identity)) throw tokenError('revoked')
      }
      if (maxAgeSeconds !== undefined) requireYoung(identity, maxAgeSeconds, time)
      return identity
    },
  }
}

interface Time {
  readonly clock: Clock
  readonly clockToleranceSeconds: number
}

/**
 * Checks the options and copies them: an app that extends a list later must not widen the verifier.
 */
function readOptions(options: VerifierOptions): {
  readonly names: IssuerNames
  readonly time: Time
  readonly revocations: VerifierOptions['revocations']
  readonly issuers: TrustedIssuers
} {
  requireKnownOptions('createVerifier', options, optionNames)
  const clock = requireClock(options.clock ?? systemClock)
  const time = { clock, clockToleranceSeconds: requireTolerance(options.clockToleranceSeconds) }
  const names = requireIssuers(options.issuer)
  const audience = requireAudience(options.audience)
  requireAlgorithms(options.algorithms)
  const algorithms = options.algorithms && [...options.algorithms]
  const revocations = requireRevocations(options.revocations)
  const demand = { audience, ...time, ...(algorithms && { algorithms }) }
  return { names, time, revocations, issuers: createTrustedIssuers(names, options, demand) }
}

/** Whether a proved token is still valid, apart from revocation. */
function standingOf(
  { expires, key, keys }: ProvedToken,
  { clock, clockToleranceSeconds }: Time,
): 'valid' | 'expired' | 'key_gone' {
  // Stryker disable next-line StringLiteral: both callers ask only for the other two
  if (keys.find(key.keyId, key.algorithm) !== key) return 'key_gone'
  return isExpired(expires, clock.now() / 1000, clockToleranceSeconds) ? 'expired' : 'valid'
}

function worstOf(states: readonly RevocationState[]): RevocationState {
  if (states.includes('starting')) return 'starting'
  return states.includes('stale') ? 'stale' : 'current'
}

/** Refuses an old login, and an `auth_time` that is missing or in the future (RFC 9470 §4). */
function requireYoung(
  { claims }: Identity,
  maxAgeSeconds: number,
  { clock, clockToleranceSeconds }: Time,
): void {
  const age = clock.now() / 1000 - (claims.auth_time ?? Number.NEGATIVE_INFINITY)
  if (age >= -clockToleranceSeconds && age <= maxAgeSeconds + clockToleranceSeconds) return
  throw tokenError('login_too_old', { maxAgeSeconds })
}

/**
 * Checks the shape of `revocations`: an object of another shape would start, and then refuse or
 * admit every request.
 *
 * @throws {TypeError}
 */
function requireRevocations(
  revocations: VerifierOptions['revocations'],
): VerifierOptions['revocations'] {
  if (revocations === 'none') return revocations
  const isComplete =
    typeof revocations?.isRevoked === 'function' &&
    typeof revocations.refresh === 'function' &&
    typeof revocations.state === 'string'
  if (isComplete) return revocations
  throw new TypeError(
    "`revocations` has no default: choose 'none' if revoked tokens may stay valid until they expire, " +
      'or pass an object with state, isRevoked() and refresh()',
  )
}

/**
 * Asks whether a token is revoked.
 *
 * @throws {TypeError} unless the answer is a boolean: a forgotten `return` would revoke nothing,
 *   and a promise everything
 */
function isRevoked(revocations: Revocations, identity: Identity): boolean {
  const revoked: unknown = revocations.isRevoked(identity)
  if (typeof revoked !== 'boolean')
    throw new TypeError('isRevoked() of `revocations` must return true or false')
  return revoked
}

/** Waits for one update. @throws {TokenError} `temporarily_unavailable` if none comes */
async function catchUp(revocations: Revocations): Promise<void> {
  const cause = await revocations.refresh().then(
    () => undefined,
    (error: unknown) => error,
  )
  if (revocations.state === 'current') return
  throw tokenError('revocations_unavailable', {
    detail: `revocations are ${revocations.state}`,
    retryAfterSeconds: 1,
    cause,
  })
}
