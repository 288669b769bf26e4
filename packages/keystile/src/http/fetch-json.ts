// Fetches JSON from issuers: their metadata and their keys.
import { createByteCollector } from '../base/byte-collector.ts'
import { messageOf } from '../base/errors.ts'
import { parseJsonObject, type JsonObject } from '../base/json.ts'

/** The part of `globalThis.fetch` that the library uses. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/**
 * Returns the given `fetch`, or `globalThis.fetch` by default.
 *
 * @throws {TypeError} if `fetch` is not a function
 */
export function requireFetch(fetch: Fetch = (url, init) => globalThis.fetch(url, init)): Fetch {
  if (typeof fetch === 'function') return fetch
  throw new TypeError('`fetch` must be a function like globalThis.fetch')
}

export interface FetchedJson {
  readonly value: JsonObject
  /**
   * How many seconds the answer stays fresh, according to its `Cache-Control` header. 0 means that
   * the answer must not be reused; `undefined` means that the header gives no time.
   */
  readonly freshSeconds: number | undefined
}

export interface MissingJson {
  /** A status from 400 to 499, but not 408 or 429, which ask the client to try again. */
  readonly status: number
}

/**
 * The maximum size of a body in bytes. 256 RSA keys of 8192 bits fit, and no issuer needs so many.
 */
const maxBytes = 262_144

/** RFC 9110 §15.4 */
const redirectStatuses = new Set([301, 302, 303, 307, 308])

/**
 * Fetches a JSON object from a configured server. Follows no redirect, because a redirect could
 * lead to a server that was not configured. Limits the size of the body while it arrives. Parses
 * the body as strictly as the JSON of a token. The message of an error names the URL and the broken
 * rule, and contains nothing that the server sent except the status.
 *
 * Does NOT check the URL, which the caller must have checked. Does NOT check the content type.
 *
 * @param signal aborts the fetch
 * @returns the object; or only the status if it is 4xx, except 408 and 429. Such a status counts as
 *   "no document", because some servers answer 400, 401 or 403 for an unknown URL
 * @throws {Error} if there is no answer, if the status is neither 200 nor such a 4xx, or if the
 *   body is not a JSON object of at most 256 KiB
 */
export async function findJson(
  url: string,
  { fetch, signal }: { readonly fetch: Fetch; readonly signal: AbortSignal },
): Promise<FetchedJson | MissingJson> {
  let response: Response
  try {
    // Uses no cache. A framework may have replaced `fetch`, and the framework's cache could return
    // keys that were withdrawn.
    const init = {
      headers: { accept: 'application/json' },
      redirect: 'manual', // workerd does not know 'error'
      cache: 'no-store',
      signal,
    } as const
    response = await fetch(url, init)
  } catch (cause) {
    throw new Error(`${url} cannot be reached`, { cause })
  }

  const { status } = response
  if (status !== 200 || response.redirected) {
    await response.body?.cancel().catch(() => {})
    if (isRedirect(response)) throw new Error(`${url} redirects; configure the final URL instead`)
    if (isMissing(status)) return { status }
    throw new Error(`${url} answered ${status} instead of 200`)
  }

  const bytes = await readBytes(response, url, signal)
  try {
    const cacheControl = response.headers.get('cache-control') ?? ''
    return { value: parseJsonObject(bytes), freshSeconds: freshSecondsOf(cacheControl) }
  } catch (error) {
    throw new Error(`${url}: the body is ${messageOf(error)}`)
  }
}

/**
 * Whether a server redirected a request. Also returns true if a custom `fetch` has already followed
 * the redirect. In browsers, the only sign of a redirect is the type `opaqueredirect`.
 */
export function isRedirect({ status, redirected, type }: Response): boolean {
  return redirected || type === 'opaqueredirect' || redirectStatuses.has(status)
}

function isMissing(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429
}

/**
 * Reads a body up to the limit. Counts the bytes that really arrive, after decompression: a server
 * could send a false Content-Length, or a small body that decompresses to a huge one.
 */
async function readBytes(
  response: Response,
  url: string,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const body = createByteCollector()
  if (!response.body) return new Uint8Array()

  const reader = response.body.getReader()
  while (true) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw new Error(`the answer of ${url} ended early`, { cause })
    })
    if (done) break

    body.add(value)
    if (body.size > maxBytes || signal.aborted) {
      await reader.cancel().catch(() => {})
      const fault = signal.aborted ? 'took too long' : `has more than ${maxBytes} bytes`
      throw new Error(`${url}: the body ${fault}`)
    }
  }
  return body.bytes()
}

/**
 * Returns how many seconds an answer stays fresh, from its `Cache-Control` (RFC 9111 §5.2.2), such
 * as `public, max-age=3600`.
 */
function freshSecondsOf(cacheControl: string): number | undefined {
  if (/(?:^|,)\s*no-(?:store|cache)\s*(?:,|$)/i.test(cacheControl)) return 0
  const seconds = /(?:^|,)\s*max-age="?(\d{1,10})(?!\d)/i.exec(cacheControl)?.[1]
  return seconds === undefined ? undefined : Number(seconds)
}
