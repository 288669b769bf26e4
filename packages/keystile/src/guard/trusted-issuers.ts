// The issuers that a verifier trusts, each with its keys.
import type { Clock } from '../base/clock.ts'
import { tokenError } from '../base/errors.ts'
import { kindOf } from '../base/options.ts'
import { requireFetch, type Fetch } from '../http/fetch-json.ts'
import { requireDiscoverable, requireJwksUri } from '../http/issuer-metadata.ts'
import type { AlgorithmName } from '../keys/algorithm.ts'
import { importKey } from '../keys/import-key.ts'
import { importJwkSet, isKeySet, keySetOf, type JwkSet, type KeySet } from '../keys/jwk-set.ts'
import { createRemoteJwkSet, type RemoteJwkSet } from '../keys/remote-jwk-set.ts'
import { parseClaims } from '../token/claims.ts'
import { parseJws } from '../token/jws.ts'
import type { VerifyToken } from './token-rules.ts'

/** The exact `iss` values of the issuers that a verifier trusts, at least one. */
export type IssuerNames = readonly [string, ...string[]]

interface KeyOptions {
  readonly keys?: JwkSet | KeySet | string
  readonly jwksUri?: string
  readonly fetch?: Fetch
}

interface TokenDemand {
  readonly verifyToken: VerifyToken
  readonly algorithms?: readonly AlgorithmName[]
  readonly clock: Clock
}

export interface TrustedIssuer {
  readonly keys: KeySet
  /** The same object as `keys` if the keys are fetched; `undefined` if the options contain keys. */
  readonly remote: RemoteJwkSet | undefined
  /**
   * Verifies a token with this issuer's keys, and checks that its `iss` is this issuer. A key of
   * one issuer therefore never verifies a token of another issuer.
   *
   * @throws {TokenError} for a token that is not valid
   */
  verify(token: string): ReturnType<VerifyToken>
}

export interface TrustedIssuers {
  /**
   * The only issuer of the verifier. If it is set, the caller need not call `select`. `undefined`
   * if the keys are fetched, or if the option `keys` has a function `seek`.
   */
  readonly only: TrustedIssuer | undefined
  readonly remotes: readonly RemoteJwkSet[]
  /**
   * Returns the issuer that the `iss` of a token names. First loads the keys of that issuer, unless
   * the key of this token is already loaded.
   *
   * Does NOT verify the token: the sender may have written any `iss` into it.
   *
   * @throws {TokenError} if the token is malformed, if its issuer is unknown, if its algorithm is
   *   not allowed, or if the issuer's keys cannot be loaded
   */
  select(token: string): Promise<TrustedIssuer>
}

/**
 * Creates the issuers of a verifier.
 *
 * @throws {TypeError} if the options about keys are wrong or unsafe
 */
export function createTrustedIssuers(
  names: IssuerNames,
  options: KeyOptions,
  demand: TokenDemand,
): TrustedIssuers {
  const findKeys = keyFinderOf(names, options, demand.clock)
  const trust = (issuer: string): TrustedIssuer => {
    const { keys, remote } = findKeys(issuer)
    return { keys, remote, verify: (token) => demand.verifyToken(token, keys, issuer) }
  }

  const [first, ...others] = names
  const firstTrusted = trust(first)
  const issuers = new Map([
    [first, firstTrusted],
    ...others.map((name) => [name, trust(name)] as const),
  ])
  const { algorithms } = demand

  return {
    only: firstTrusted.keys.seek ? undefined : firstTrusted,
    remotes: [...issuers.values()].flatMap(({ remote }) => remote ?? []),
    async select(token) {
      const { algorithm, keyId, payload } = parseJws(token)
      const { iss } = parseClaims(payload)
      const issuer = typeof iss === 'string' ? issuers.get(iss) : undefined
      if (!issuer) throw tokenError('wrong_issuer')

      // Both refusals come before the fetch, so that forged tokens cause no requests to the issuer.
      // An HMAC token is probably an attack that uses a published key as the secret.
      if (issuer.remote && algorithm.keyType === 'oct') {
        const detail = 'HMAC algorithms are not allowed with keys that the issuer publishes'
        throw tokenError('forbidden_algorithm', { detail })
      }
      if (algorithms && !algorithms.includes(algorithm.name))
        throw tokenError('forbidden_algorithm')

      await issuer.keys.seek?.(keyId, algorithm)
      return issuer
    },
  }
}

/**
 * Returns a copy of the issuers, so that a later change of the option has no effect.
 *
 * @throws {TypeError} for an empty list, an empty name, or a name that appears twice
 */
export function requireIssuers(issuer: unknown): IssuerNames {
  const names: readonly unknown[] = Array.isArray(issuer) ? issuer : [issuer]
  const [first, ...others] = names
  if (!isName(first) || !others.every(isName) || new Set(names).size !== names.length) {
    throw new TypeError(
      '`issuer` must be the exact "iss" of the tokens: a string, or an array of different ' +
        `strings; it is ${kindOf(issuer)}`,
    )
  }
  return [first, ...others]
}

function isName(name: unknown): name is string {
  return typeof name === 'string' && name !== ''
}

/**
 * Creates a function that returns the keys of an issuer: the keys in the options, or a key set that
 * fetches the keys of the issuer.
 *
 * @throws {TypeError} if the options about keys are wrong or unsafe
 */
function keyFinderOf(
  issuers: IssuerNames,
  options: KeyOptions,
  clock: Clock,
): (issuer: string) => Pick<TrustedIssuer, 'keys' | 'remote'> {
  const fetch = requireFetch(options.fetch)

  // `keys: undefined` counts as `keys`. Otherwise `{ keys: process.env.SECRET }` would make the
  // verifier trust fetched keys if the variable is missing.
  const [hasKeys, hasUri] = ['keys' in options, 'jwksUri' in options]
  if (hasKeys && hasUri) throw new TypeError('pass either `keys` or `jwksUri`, not both')

  // If several issuers shared a key, each issuer could sign tokens in the name of another issuer.
  if ((hasKeys || hasUri) && issuers.length > 1) {
    const name = hasKeys ? 'keys' : 'jwksUri'
    throw new TypeError(
      `\`${name}\` works with one issuer only: leave it out, or create a verifier for each issuer`,
    )
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

/**
 * Makes a key set from the option `keys`.
 *
 * @throws {TypeError} if the keys are of a wrong kind, or unsafe
 */
function keysOf(keys: KeyOptions['keys']): KeySet {
  if (typeof keys === 'string') return keySetOf([importKey({ secret: keys, algorithm: 'HS256' })])
  if (typeof keys !== 'object' || keys === null || keys instanceof URL) {
    throw new TypeError(
      '`keys` must be a JWK Set, a KeySet, or a secret of at least 32 bytes; ' +
        'leave it out to fetch the keys that the issuer publishes, or pass `jwksUri`',
    )
  }
  return isKeySet(keys) ? keys : importJwkSet(keys)
}
