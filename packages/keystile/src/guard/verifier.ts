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
  /** `iss` of the tokens, exactly. Several: each token must be signed with a key of the very issuer that it names. */
  readonly issuer: string | readonly string[]
  /** Who we are: `aud` of a token contains one of these. */
  readonly audience: string | readonly string[]
  /**
   * The issuer's JWK Set, or one secret of at least 32 random bytes (HS256), or keys that change while we run. Only where
   * there is one issuer. Default: what each issuer publishes, which then is an https URL, or an http URL of this machine.
   * A URL is no secret: see `jwksUri`.
   */
  readonly keys?: JwkSet | KeySet | string
  /**
   * Where the issuer's JWK Set is: an https URL, or an http URL of this machine. It is fetched from there, and the issuer is
   * asked for no metadata. Only where there is one issuer, and not together with `keys`.
   */
  readonly jwksUri?: string
  /** Only these algorithms are used. Default: those of the keys. */
  readonly algorithms?: readonly AlgorithmName[]
  /** Seconds by which the issuer's clock and ours may differ, 60 at most. Default: 5. */
  readonly clockToleranceSeconds?: number
  /** Fetches metadata and keys. Default: `globalThis.fetch`. */
  readonly fetch?: Fetch
  /** Where revocations come from. `'none'`: a token that was taken back stays good until it expires. */
  readonly revocations: 'none' | Revocations
  readonly clock?: Clock
}

export interface Verifier {
  /** The first issuer. Named in challenges as the realm. */
  readonly issuer: string
  /**
   * `starting` until the keys of all issuers are loaded and revocations are known. `stale`: news of either have stopped
   * coming, or the verifier is closed.
   */
  readonly state: RevocationState
  /**
   * Loads the keys of all issuers and asks for revocations, once. A program that waits for this refuses no first request
   * with 503; one that does not, loads them with the first token.
   *
   * @throws {Error} with the reason why it cannot verify yet; it may be called again
   */
  ready(): Promise<void>
  /** Ends all fetching. From then on every token is refused with 503. May be called again. */
  close(): void
  /**
   * The identity of a token that was proved before and still holds in every respect, without waiting; `undefined` where
   * anything is not so, which `verify` then tells.
   */
  recall?(token: string): Identity | undefined
  /**
   * Proves an access token: form, issuer, algorithm, key, signature, `typ`, claims, then revocation. The `iss` that a
   * token claims only selects among the issuers that were given. A token whose key is not known may wait for one fetch of
   * the issuer's keys; no other waits. A token seen before is looked up by its whole text, and its time, its key and its revocation are checked again. Last, if demanded, how long
   * ago the person proved who they are.
   *
   * Does NOT check scopes, nor whether the subject's account still exists: a guard does.
   *
   * @throws {TokenError} `invalid_token`; `temporarily_unavailable` while keys or revocations are not known;
   *   `insufficient_user_authentication`
   * @throws {TypeError} when `maxAgeSeconds` is no number above 0
   * @see RFC 9068 §4, RFC 9470 §4
   */
  verify(token: string, demand?: { readonly maxAgeSeconds?: number | undefined }): Promise<Identity>
}

/** A token that was proved, as it is remembered. */
interface ProvedToken {
  readonly identity: Identity
  /** `exp`. */
  readonly expires: number
  readonly key: VerificationKey
  /** The set that the key was found in. */
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
      return worstOf([revocations === 'none' ? 'current' : revocations.state, ...remotes.map(({ state }) => state)])
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
      return revocations.state === 'current' && !isRevoked(revocations, known.identity) ? known.identity : undefined
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

/** Checks the options of a verifier, and copies them: a list that the app adds to later must not widen the verifier. */
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

/** Whether a token that was proved before still holds, but for its revocation. */
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

/** RFC 9470 §4: a token without `auth_time`, or with one in the future, proves no recent login. */
function requireYoung({ claims }: Identity, maxAgeSeconds: number, { clock, clockToleranceSeconds }: Time): void {
  const age = clock.now() / 1000 - (claims.auth_time ?? Number.NEGATIVE_INFINITY)
  if (age >= -clockToleranceSeconds && age <= maxAgeSeconds + clockToleranceSeconds) return
  throw tokenError('login_too_old', { maxAgeSeconds })
}

/**
 * Where revocations come from. The first of its answers is asked for here: an object of another shape would start, and
 * then refuse or admit everybody.
 *
 * @throws {TypeError}
 */
function requireRevocations(revocations: VerifierOptions['revocations']): VerifierOptions['revocations'] {
  if (revocations === 'none') return revocations
  const { isRevoked, refresh, state } = (revocations ?? {}) as Partial<Revocations>
  if (typeof isRevoked === 'function' && typeof refresh === 'function' && typeof state === 'string') return revocations
  throw new TypeError(
    "`revocations` has no default: choose 'none' if revoked tokens may stay valid until they expire, " +
      'or pass an object with state, isRevoked() and refresh()',
  )
}

/** A forgotten `return` would revoke nothing, and a promise everything. @throws {TypeError} */
function isRevoked(revocations: Revocations, identity: Identity): boolean {
  const revoked: unknown = revocations.isRevoked(identity)
  if (typeof revoked !== 'boolean') throw new TypeError('isRevoked() of `revocations` must return true or false')
  return revoked
}

/** Waits for news once. @throws {TokenError} `temporarily_unavailable` when there are none */
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
