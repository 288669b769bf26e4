import type { Clock } from '../base/clock.ts'
import { tokenError } from '../base/errors.ts'
import type { Fetch } from '../http/fetch-json.ts'
import { requireDiscoverable, requireJwksUri } from '../http/issuer-metadata.ts'
import type { AlgorithmName } from '../keys/algorithm.ts'
import { importKey } from '../keys/jwk.ts'
import { importJwkSet, isKeySet, keySetOf, type JwkSet, type KeySet } from '../keys/jwk-set.ts'
import { createRemoteJwkSet, type RemoteJwkSet } from '../keys/remote-jwk-set.ts'
import { verifyAccessToken, type VerifiedAccessToken } from '../token/access-token.ts'
import { parseClaims } from '../token/claims.ts'
import { parseJws } from '../token/jws.ts'

export type IssuerNames = readonly [string, ...string[]]

/** Where keys come from, as the options of a verifier say. */
interface KeyOptions {
  readonly keys?: JwkSet | KeySet | string
  readonly jwksUri?: string
  readonly fetch?: Fetch
}

/** What every token must say, whichever issuer it is from. */
interface TokenDemand {
  readonly audience: readonly string[]
  readonly algorithms?: readonly AlgorithmName[]
  readonly clockToleranceSeconds: number
  readonly clock: Clock
}

export interface TrustedIssuer {
  readonly keys: KeySet
  /** The same keys, where they are fetched. */
  readonly remote: RemoteJwkSet | undefined
  /** Proves a token with this issuer's keys, and that it names this issuer. */
  verify(token: string): VerifiedAccessToken
}

export interface TrustedIssuers {
  /** The one issuer whose keys were given: it proves every token, and nothing is selected. */
  readonly only: TrustedIssuer | undefined
  /** The keys that are fetched, of all issuers. */
  readonly remotes: readonly RemoteJwkSet[]
  /**
   * Returns the issuer that a token names, once its keys are there. Nothing of the token is proved
   * by that.
   *
   * @throws {TokenError} for a token that no key of the issuer could prove
   */
  select(token: string): Promise<TrustedIssuer>
}

/** @throws {TypeError} for options about keys that are wrong or unsafe */
export function createTrustedIssuers(
  names: IssuerNames,
  options: KeyOptions,
  demand: TokenDemand,
): TrustedIssuers {
  const findKeys = keyFinderOf(names, options, demand.clock)
  const trust = (issuer: string): TrustedIssuer => {
    const { keys, remote } = findKeys(issuer)
    const issuerDemand = { ...demand, issuer }
    return { keys, remote, verify: (token) => verifyAccessToken(token, keys, issuerDemand) }
  }
  const [first, ...others] = names
  const firstTrusted = trust(first)
  const issuers = new Map([
    [first, firstTrusted],
    ...others.map((name) => [name, trust(name)] as const),
  ])
  const { algorithms } = demand

  return {
    only: firstTrusted.remote ? undefined : firstTrusted,
    remotes: [...issuers.values()].flatMap(({ remote }) => remote ?? []),
    async select(token) {
      const { algorithm, keyId, payload } = parseJws(token)
      const { iss } = parseClaims(payload)
      // Stryker disable next-line ConditionalExpression: narrows the type; all names are strings
      const issuer = typeof iss === 'string' ? issuers.get(iss) : undefined
      if (!issuer) throw tokenError('wrong_issuer')
      // No key that is fetched could prove these, so they cost no fetch.
      if (algorithm.keyType === 'oct') {
        const detail = 'a shared secret proves nothing where keys are published'
        throw tokenError('forbidden_algorithm', { detail })
      }
      if (algorithms && !algorithms.includes(algorithm.name))
        throw tokenError('forbidden_algorithm')
      // Stryker disable next-line OptionalChaining: `select` is called only where keys are fetched
      await issuer.remote?.seek(keyId, algorithm)
      return issuer
    },
  }
}

/** Returns a copy of the issuers. @throws {TypeError} unless there is one, or different ones */
export function requireIssuers(issuer: unknown): IssuerNames {
  const names: readonly unknown[] = Array.isArray(issuer) ? issuer : [issuer]
  const [first, ...others] = names
  if (!isName(first) || !others.every(isName) || new Set(names).size !== names.length) {
    throw new TypeError(
      'issuer is the exact "iss" of the tokens, a string, or an array of different ones',
    )
  }
  return [first, ...others]
}

/** Returns a copy of the audiences. @throws {TypeError} unless there is one */
export function requireAudience(audience: unknown): readonly string[] {
  const audiences: unknown[] = Array.isArray(audience) ? [...audience] : [audience]
  if (audiences.length > 0 && audiences.every(isName)) return audiences
  throw new TypeError('`audience` must be a string, or an array with at least one')
}

function isName(name: unknown): name is string {
  return typeof name === 'string' && name !== ''
}

/** Where the keys of each issuer come from: given, or fetched. */
function keyFinderOf(
  issuers: IssuerNames,
  options: KeyOptions,
  clock: Clock,
): (issuer: string) => Pick<TrustedIssuer, 'keys' | 'remote'> {
  const { fetch = (url, init) => globalThis.fetch(url, init) } = options
  if (typeof fetch !== 'function') throw new TypeError('fetch is a function like globalThis.fetch')
  // `{ keys: process.env.SECRET }` with no such variable must not trust other keys instead.
  const [hasKeys, hasUri] = ['keys' in options, 'jwksUri' in options]
  if (hasKeys && hasUri) throw new TypeError('pass either keys or jwksUri, not both')
  // A key that is given for several issuers would let one vouch for tokens of another.
  if ((hasKeys || hasUri) && issuers.length > 1) {
    const name = hasKeys ? 'keys' : 'jwksUri'
    throw new TypeError(
      `${name} must be of one issuer: with several, leave it out, or make a verifier for each`,
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

function keysOf(keys: KeyOptions['keys']): KeySet {
  if (typeof keys === 'string') return keySetOf([importKey({ secret: keys, algorithm: 'HS256' })])
  if (typeof keys !== 'object' || keys === null || keys instanceof URL) {
    throw new TypeError(
      'keys must be a JWK Set, or a secret of at least 32 bytes; leave it out to fetch what the issuer publishes, or pass jwksUri',
    )
  }
  return isKeySet(keys) ? keys : importJwkSet(keys)
}
