import { requireClock, systemClock, type Clock } from '../base/clock.ts'
import { tokenError } from '../base/errors.ts'
import { requireKnownOptions } from '../base/options.ts'
import type { Fetch } from '../http/fetch-json.ts'
import { requireDiscoverable, requireJwksUri } from '../http/issuer-metadata.ts'
import type { AlgorithmName } from '../keys/algorithm.ts'
import { importKey } from '../keys/jwk.ts'
import { importJwkSet, isKeySet, keySetOf, type JwkSet, type KeySet } from '../keys/jwk-set.ts'
import { createRemoteJwkSet, type RemoteJwkSet } from '../keys/remote-jwk-set.ts'
import type { VerificationKey } from '../keys/signing-key.ts'
import { verifyAccessToken, type AccessTokenClaims, type VerifiedAccessToken } from '../token/access-token.ts'
import { isExpired, parseClaims } from '../token/claims.ts'
import { parseJws } from '../token/jws.ts'
import { requireAlgorithms, requireTolerance } from '../token/jwt.ts'
import { requireAge } from './demand.ts'
import type { Revocations, RevocationState } from './revocations.ts'
import { createVerifiedTokens } from './verified-tokens.ts'

/** Who a call is from, proved by a token. */
export interface Identity<S extends string = string> {
  /** `sub`. */
  readonly subject: string
  /** `client_id`: the software that the token was issued to. */
  readonly clientId: string
  /** `sid`: the login that the token belongs to. */
  readonly sessionId: string | undefined
  readonly scopes: readonly S[]
  /** `auth_time`: when the person last proved who they are. */
  readonly authenticatedAt: Date | undefined
  /** All claims. Frozen: they are shared by all requests with the same token. */
  readonly claims: AccessTokenClaims
}

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

interface TrustedIssuer {
  readonly keys: KeySet
  /** The same keys, where they are fetched. */
  readonly remote: RemoteJwkSet | undefined
  /** Proves a token with this issuer's keys, and that it names this issuer. */
  verify(token: string): VerifiedAccessToken
}

interface Verified {
  readonly identity: Identity
  /** `exp`, and the key. */
  readonly expires: number
  readonly key: VerificationKey
  /** Those that proved it. */
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
  requireKnownOptions('createVerifier', options, optionNames)
  const clock = requireClock(options.clock ?? systemClock)
  const clockToleranceSeconds = requireTolerance(options.clockToleranceSeconds)
  const names = requireIssuers(options.issuer)
  // Copies: a list that the app adds to later must not widen the verifier.
  const audience = requireAudience(options.audience)
  requireAlgorithms(options.algorithms)
  const algorithms = options.algorithms && [...options.algorithms]
  const revocations = requireRevocations(options.revocations)
  const findKeys = keyFinderOf(names, options, clock)
  const issuers = new Map<string, TrustedIssuer>(
    names.map((issuer) => {
      const demand = { issuer, audience, clockToleranceSeconds, clock, ...(algorithms && { algorithms }) }
      const { keys, remote } = findKeys(issuer)
      return [issuer, { keys, remote, verify: (token) => verifyAccessToken(token, keys, demand) }]
    }),
  )
  const remotes = [...issuers.values()].flatMap(({ remote }) => remote ?? [])
  const only = remotes.length === 0 ? issuers.get(names[0]!) : undefined
  const verifiedTokens = createVerifiedTokens<Verified>()
  let closed = false

  /** The issuer that a token names, once its keys are there. Nothing of the token is proved by that. */
  async function selectIssuer(token: string): Promise<TrustedIssuer> {
    const { algorithm, keyId, payload } = parseJws(token)
    const { iss } = parseClaims(payload)
    const issuer = typeof iss === 'string' ? issuers.get(iss) : undefined
    if (!issuer) throw tokenError('wrong_issuer')
    // No key that is fetched could prove these, so they cost no fetch.
    if (algorithm.keyType === 'oct')
      throw tokenError('forbidden_algorithm', { detail: 'a shared secret proves nothing where keys are published' })
    if (algorithms && !algorithms.includes(algorithm.name)) throw tokenError('forbidden_algorithm')
    await issuer.remote?.seek(keyId, algorithm)
    return issuer
  }

  async function verifyAfresh(token: string): Promise<Verified> {
    const issuer = only ?? (await selectIssuer(token))
    const verified = issuer.verify(token)
    const { claims, key } = verified
    const fresh = {
      identity: identityOf(verified),
      expires: claims.exp,
      key,
      keys: issuer.keys,
    }
    verifiedTokens.remember(token, fresh)
    return fresh
  }

  function stillHolds(token: string, { expires, key, keys }: Verified): boolean {
    if (keys.find(key.keyId, key.algorithm) !== key) {
      verifiedTokens.forget(token)
      return false
    }
    if (isExpired(expires, clock.now() / 1000, clockToleranceSeconds)) {
      verifiedTokens.forget(token)
      throw tokenError('expired')
    }
    return true
  }

  return {
    issuer: names[0]!,
    get state() {
      const states = [revocations === 'none' ? 'current' : revocations.state, ...remotes.map(({ state }) => state)]
      if (closed) return 'stale'
      return states.includes('starting') ? 'starting' : states.includes('stale') ? 'stale' : 'current'
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
      const known = closed ? undefined : verifiedTokens.find(token)
      if (!known) return undefined
      const { expires, key } = known
      const holds =
        known.keys.find(key.keyId, key.algorithm) === key &&
        !isExpired(expires, clock.now() / 1000, clockToleranceSeconds)
      if (!holds) return undefined
      if (revocations !== 'none' && (revocations.state !== 'current' || isRevoked(revocations, known.identity)))
        return undefined
      return known.identity
    },
    async verify(token, { maxAgeSeconds } = {}) {
      requireAge(maxAgeSeconds)
      if (closed) throw tokenError('verifier_closed', { retryAfterSeconds: 1 })
      const known = verifiedTokens.find(token)
      const { identity } = known && stillHolds(token, known) ? known : await verifyAfresh(token)
      if (revocations !== 'none') {
        if (revocations.state !== 'current') await catchUp(revocations)
        if (isRevoked(revocations, identity)) throw tokenError('revoked')
      }
      if (maxAgeSeconds !== undefined) requireYoung(identity, maxAgeSeconds)
      return identity
    },
  }

  /** RFC 9470 §4: a token without `auth_time`, or with one in the future, proves no recent login. */
  function requireYoung({ claims }: Identity, maxAgeSeconds: number): void {
    const age = clock.now() / 1000 - (claims.auth_time ?? Number.NEGATIVE_INFINITY)
    if (age >= -clockToleranceSeconds && age <= maxAgeSeconds + clockToleranceSeconds) return
    throw tokenError('login_too_old', { maxAgeSeconds })
  }
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

function identityOf({ claims, scopes }: VerifiedAccessToken): Identity {
  const { sub, client_id, sid } = deepFreeze(claims)
  const identity = { subject: sub, clientId: client_id, sessionId: sid, scopes: Object.freeze(scopes), claims }
  return Object.freeze(Object.defineProperty(identity, 'authenticatedAt', authenticatedAt)) as unknown as Identity
}

/**
 * A new Date each time: it cannot be frozen, and the identity is shared. One getter for all identities: with one each,
 * V8 would make every identity a dictionary, which is slow to read.
 */
const authenticatedAt: PropertyDescriptor & ThisType<Identity> = {
  enumerable: true,
  get() {
    const { auth_time } = this.claims
    return auth_time === undefined ? undefined : new Date(auth_time * 1000)
  },
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value)
    for (const member of Object.values(value)) deepFreeze(member)
  }
  return value
}

/** @returns the issuers, at least one */
function requireIssuers(issuer: unknown): readonly string[] {
  const names: unknown[] = Array.isArray(issuer) ? issuer : [issuer]
  const isIssuer = (name: unknown): name is string => typeof name === 'string' && name !== ''
  if (names.length === 0 || !names.every(isIssuer) || new Set(names).size !== names.length) {
    throw new TypeError('issuer is the exact "iss" of the tokens, a string, or an array of different ones')
  }
  return names
}

function requireAudience(audience: unknown): readonly string[] {
  const audiences: unknown[] = Array.isArray(audience) ? [...audience] : [audience]
  const isAudience = (name: unknown): name is string => typeof name === 'string' && name !== ''
  if (audiences.length > 0 && audiences.every(isAudience)) return audiences
  throw new TypeError('`audience` must be a string, or an array with at least one')
}

/** Where the keys of each issuer come from: given, or fetched. */
function keyFinderOf(
  issuers: readonly string[],
  options: VerifierOptions,
  clock: Clock,
): (issuer: string) => Pick<TrustedIssuer, 'keys' | 'remote'> {
  const { fetch = (url, init) => globalThis.fetch(url, init) } = options
  if (typeof fetch !== 'function') throw new TypeError('fetch is a function like globalThis.fetch')
  // `{ keys: process.env.SECRET }` with no such variable must not trust other keys instead.
  const [hasKeys, hasUri] = ['keys' in options, 'jwksUri' in options]
  if (hasKeys && hasUri) throw new TypeError('pass either keys or jwksUri, not both')
  if ((hasKeys || hasUri) && issuers.length > 1) {
    const name = hasKeys ? 'keys' : 'jwksUri'
    throw new TypeError(`${name} must be of one issuer: with several, leave it out, or make a verifier for each`)
  }
  if (hasKeys) {
    const keys = keysOf(options.keys)
    return () => ({ keys, remote: undefined })
  }
  const jwksUri = hasUri ? requireJwksUri(options.jwksUri) : undefined
  if (!hasUri) for (const issuer of issuers) requireDiscoverable(issuer)
  return (issuer) => {
    const remote = createRemoteJwkSet({ issuer, jwksUri, fetch, clock })
    return { keys: remote, remote }
  }
}

function keysOf(keys: VerifierOptions['keys']): KeySet {
  if (typeof keys === 'string') return keySetOf([importKey({ secret: keys, algorithm: 'HS256' })])
  if (typeof keys !== 'object' || keys === null || keys instanceof URL) {
    throw new TypeError(
      'keys must be a JWK Set, or a secret of at least 32 bytes; leave it out to fetch what the issuer publishes, or pass jwksUri',
    )
  }
  return isKeySet(keys) ? keys : importJwkSet(keys)
}
