import { hasCome, type Clock } from '../base/clock.ts'
import type { JsonObject } from '../base/json.ts'
import { findJson, type Fetch } from '../http/fetch-json.ts'
import { fetchJwksUri } from '../http/issuer-metadata.ts'
import { importKeys } from './jwk-set.ts'
import type { VerificationKey } from './signing-key.ts'

/** After this the issuer is asked again where its keys are. */
const locationMilliseconds = 3_600_000

/** Members of a JWK that must stay secret (RFC 7518 §6.2.2, §6.3.2, §6.4). */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

export interface PublishedKeysOptions {
  /** Has passed `requireDiscoverable`, unless `jwksUri` is given. */
  readonly issuer: string
  /** Where the keys are; has passed `requireJwksUri`. Default: the issuer's metadata says where. */
  readonly jwksUri?: string | undefined
  readonly fetch: Fetch
  readonly clock: Clock
}

export interface PublishedKeys {
  readonly keys: readonly VerificationKey[]
  /** How long the issuer calls them fresh, if it says so. */
  readonly freshSeconds: number | undefined
}

/**
 * Makes a function that fetches the keys of an issuer once. It takes only public keys: never a
 * shared secret, and no key whose private half is published with it.
 *
 * The metadata is asked for only once an hour, and again after the keys could not be fetched.
 *
 * @see RFC 7517 §5, RFC 8414 §3
 */
export function createKeyFetch(
  options: PublishedKeysOptions,
): (signal: AbortSignal) => Promise<PublishedKeys> {
  const { issuer, jwksUri, fetch, clock } = options
  /** What the metadata said last. */
  let location: { readonly uri: string; readonly askAgainAt: number } | undefined

  async function locate(signal: AbortSignal): Promise<string> {
    const before = location
    const now = clock.now()
    if (before && !hasCome(before.askAgainAt, before.askAgainAt - locationMilliseconds, now)) {
      return before.uri
    }

    const askAgainAt = now + locationMilliseconds
    // Set before the answer: if the metadata hangs, the next fetch goes to the keys at once.
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
      if (!found) throw new Error(`${uri} answers 404, not 200`)
      return { keys: importKeys(found.value, isPublic), freshSeconds: found.freshSeconds }
    } catch (error) {
      location = { uri, askAgainAt: clock.now() } // the keys may have moved
      throw error
    }
  }
}

/** Whether a JWK holds no secret. Anyone who reads a published secret can sign with it. */
function isPublic(jwk: JsonObject): boolean {
  return jwk['kty'] !== 'oct' && !privateMembers.some((name) => Object.hasOwn(jwk, name))
}
