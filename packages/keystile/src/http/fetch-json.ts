import { createByteCollector } from '../base/bytes.ts'
import { messageOf } from '../base/errors.ts'
import { parseJsonObject, type JsonObject } from '../base/json.ts'

/** The part of `globalThis.fetch` that is used. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface FetchedJson {
  readonly value: JsonObject
  /** How long the answer calls itself fresh (RFC 9111 §5.2.2), if it does. 0: never. */
  readonly freshSeconds: number | undefined
}

/** Far more than metadata or a JWK Set needs: 256 keys of RSA 8192. */
const maxBytes = 262_144

/**
 * GETs a JSON object from a configured server, or `undefined` if the answer is 404. Follows no
 * redirect, counts bytes as they come, and parses JSON as strictly as that of a token. An error
 * names the URL and the rule, and never repeats what the server sent.
 *
 * Does NOT check the content type, nor the URL: the caller has checked it.
 *
 * @param signal ends it
 * @throws {Error} for no answer, and for anything but 200 with a JSON object of at most 256 KiB
 */
export async function findJson(
  url: string,
  { fetch, signal }: { readonly fetch: Fetch; readonly signal: AbortSignal },
): Promise<FetchedJson | undefined> {
  let response: Response
  try {
    // The fetch of a framework may have a cache, and a withdrawn key must not come back from it.
    const init = {
      headers: { accept: 'application/json' },
      redirect: 'error',
      cache: 'no-store',
      signal,
    } as const
    response = await fetch(url, init)
  } catch (cause) {
    throw new Error(`${url} cannot be reached`, { cause })
  }
  const { status, redirected } = response
  if (status !== 200 || redirected) {
    await response.body?.cancel().catch(() => {})
    if (redirected) throw new Error(`${url} redirects`) // this fetch ignores `redirect`
    if (status === 404) return undefined
    throw new Error(`${url} answers ${status}, not 200`)
  }
  const bytes = await readBytes(response, url, signal)
  try {
    // Stryker disable next-line StringLiteral: any text without a directive says the same
    const cacheControl = response.headers.get('cache-control') ?? ''
    return { value: parseJsonObject(bytes), freshSeconds: freshSecondsOf(cacheControl) }
  } catch (error) {
    throw new Error(`${url}: the body is ${messageOf(error)}`)
  }
}

/** Reads up to the limit, whatever Content-Length says and however well the body was compressed. */
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
      throw new Error(`${url} breaks off`, { cause })
    })
    if (done) break
    body.add(value)
    if (body.size > maxBytes || signal.aborted) {
      await reader.cancel().catch(() => {})
      throw new Error(
        `${url}: the body ${signal.aborted ? 'comes too late' : `has more than ${maxBytes} bytes`}`,
      )
    }
  }
  return body.bytes()
}

function freshSecondsOf(cacheControl: string): number | undefined {
  if (/(?:^|,)\s*no-(?:store|cache)\s*(?:,|$)/i.test(cacheControl)) return 0
  const seconds = /(?:^|,)\s*max-age="?(\d{1,10})(?!\d)/i.exec(cacheControl)?.[1]
  return seconds === undefined ? undefined : Number(seconds)
}
