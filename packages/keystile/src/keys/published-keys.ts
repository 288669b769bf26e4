// Fetches the keys that an issuer publishes. `remote-jwk-set.ts` decides when.
import { hasCome, type Clock } from '../base/clock.ts'
import type { JsonObject } from '../base/json.ts'
import { findJson, type Fetch } from '../http/fetch-json.ts'
import { fetchJwksUri } from '../http/issuer-metadata.ts'
import { importKeys } from './jwk-set.ts'
import type { VerificationKey } from './signing-key.ts'

/** How long a `jwks_uri` from the metadata is used before the metadata is fetched again. */
const locationMilliseconds = 3_600_000

/** The members of a JWK that are secret (RFC 7518 §6.2.2, §6.3.2, §6.4). */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

export interface PublishedKeysOptions {
  /** The issuer. Must have passed `requireDiscoverable`, unless `jwksUri` is given. */
  readonly issuer: string
  /** The URL of the keys. Must have passed `requireJwksUri`. Default: the URL in the metadata. */
  readonly jwksUri?: string | undefined
  readonly fetch: Fetch
  readonly clock: Clock
}

export interface PublishedKeys {
  readonly keys: readonly VerificationKey[]
  /** How many seconds the keys are fresh. `undefined` if the issuer does not say how long. */
  readonly freshSeconds: number | undefined
}

/**
 * Makes a function that fetches the keys of an issuer. The function returns only public keys. It
 * skips shared secrets, and keys that were published with their private half: anyone who has read
 * such a key could sign tokens.
 *
 * Normally fetches the metadata at most once an hour. After a failed fetch of the keys, the next
 * fetch starts with the metadata again.
 *
 * @see RFC 7517 §5, RFC 8414 §3
 */
export function createKeyFetch(
  options: PublishedKeysOptions,
): (signal: AbortSignal) => Promise<PublishedKeys> {
  const { issuer, jwksUri, fetch, clock } = options
  /** The latest `jwks_uri`, and when the metadata must be fetched again. */
  let location: { readonly uri: string; readonly askAgainAt: number } | undefined

  async function locate(signal: AbortSignal): Promise<string> {
    const before = location
    const now = clock.now()
    if (before && !hasCome(before.askAgainAt, before.askAgainAt - locationMilliseconds, now)) {
      return before.uri
    }

    const askAgainAt = now + locationMilliseconds
    // This is set before the metadata arrives. So after a timeout, the next fetch uses the known
    // URL.
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

  return async (signal) => {
    const uri = jwksUri ?? (await locate(signal))
    try {
      const found = await findJson(uri, { fetch, signal })
      if ('status' in found) throw new Error(`${uri} answered ${found.status} instead of 200`)
      return { keys: importKeys(found.value, isPublic), freshSeconds: found.freshSeconds }
    } catch (error) {
      location = { uri, askAgainAt: clock.now() } // the `jwks_uri` may have changed
      throw error
    }
  }
}

/** Whether a JWK contains no secret. Anyone who reads a published secret can sign with it. */
function isPublic(jwk: JsonObject): boolean {
  return jwk['kty'] !== 'oct' && !privateMembers.some((name) => Object.hasOwn(jwk, name))
}
