import { createByteCollector } from '../base/bytes.ts'
import { parseJsonObject, type JsonObject } from '../base/json.ts'

/** As `globalThis.fetch`, of which only this much is used. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface FetchedJson {
  readonly value: JsonObject
  /** Seconds for which the answer calls itself fresh (RFC 9111 §5.2.2), where it says so. 0: ask again each time. */
  readonly freshSeconds: number | undefined
}

/** Far more than metadata or a JWK Set has: 256 keys of RSA 8192. */
const maxBytes = 262_144

/**
 * GETs a JSON object from a server that was configured. No redirect is followed, bytes are counted as they come, and
 * the JSON is as strict as that of a token. Whatever the server sends, an error names the URL and the rule, and repeats
 * nothing of it.
 *
 * Does NOT look at the content type, nor at what the URL is: whoever passes it has checked it.
 *
 * @param signal ends it
 * @returns `undefined` where the answer is 404
 * @throws {Error} when there is no answer, or another than 200 with a JSON object of at most 256 KiB
 */
export async function findJson(
  url: string,
  { fetch, signal }: { readonly fetch: Fetch; readonly signal: AbortSignal },
): Promise<FetchedJson | undefined> {
  let response: Response
  try {
    // A framework may keep what its fetch has fetched; a key that is gone must not come back from there.
    const init = { headers: { accept: 'application/json' }, redirect: 'error', cache: 'no-store', signal } as const
    response = await fetch(url, init)
  } catch (cause) {
    throw new Error(`${url} cannot be reached`, { cause })
  }
  const { status, redirected } = response
  if (status !== 200 || redirected) {
    await response.body?.cancel().catch(() => {})
    if (redirected) throw new Error(`${url} redirects`) // a fetch that does not know "redirect"
    if (status === 404) return undefined
    throw new Error(`${url} answers ${status}, not 200`)
  }
  const bytes = await readBytes(response, url, signal)
  try {
    // Stryker disable next-line StringLiteral: any text without a directive says the same
    const cacheControl = response.headers.get('cache-control') ?? ''
    return { value: parseJsonObject(bytes), freshSeconds: freshSecondsOf(cacheControl) }
  } catch (error) {
    throw new Error(`${url}: the body is ${(error as Error).message}`)
  }
}

/** Reads no further than the limit, whatever Content-Length says and however small the body was packed. */
async function readBytes(response: Response, url: string, signal: AbortSignal): Promise<Uint8Array> {
  const body = createByteCollector()
  if (!response.body) return new Uint8Array()
  const reader = response.body.getReader()
  while (true) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw new Error(`${url} breaks off`, { cause })
    })
    if (done) break
    body.add(value)
    if (body.size > maxBytes || signal.aborted) {
      await reader.cancel().catch(() => {})
      throw new Error(`${url}: the body ${signal.aborted ? 'comes too late' : `has more than ${maxBytes} bytes`}`)
    }
  }
  return body.bytes()
}

function freshSecondsOf(cacheControl: string): number | undefined {
  if (/(?:^|,)\s*no-(?:store|cache)\s*(?:,|$)/i.test(cacheControl)) return 0
  const seconds = /(?:^|,)\s*max-age="?(\d{1,10})(?!\d)/i.exec(cacheControl)?.[1]
  return seconds === undefined ? undefined : Number(seconds)
}
