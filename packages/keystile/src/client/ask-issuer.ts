import { ClientError, isErrorCode, type ClientErrorCode } from './client-error.ts'

export type Fetch = typeof globalThis.fetch

/** Milliseconds that the issuer has to answer. Requests that need a refresh wait that long. */
const timeout = 10_000

/** The JSON of a successful answer of the issuer; no members for another body. */
export type Answer = Readonly<Record<string, unknown>>

/**
 * Asks an endpoint of the issuer. Follows no redirect, because it sends passwords and tokens, and
 * uses no cache.
 *
 * @throws {ClientError} with the code of RFC 6749 §5.2 if the issuer refuses;
 *   `temporarily_unavailable` if it is unreachable, fails, is too busy, or is no issuer
 */
export async function askIssuer(fetch: Fetch, url: string, init: RequestInit): Promise<Answer> {
  let response: Response
  let text: string
  try {
    const signal = AbortSignal.timeout(timeout)
    response = await fetch(url, { ...init, redirect: 'error', cache: 'no-store', signal })
    text = await response.text()
  } catch (cause) {
    throw new ClientError('temporarily_unavailable', `${url} gives no answer`, { cause })
  }
  const { status, ok } = response
  const answer = parseObject(text)
  if (ok) return answer
  const { error, error_description: description } = answer
  const code = isErrorCode(error) && isRefusal(status, error) ? error : 'temporarily_unavailable'
  const message = typeof description === 'string' ? description : `${url} answers ${status}`
  const seconds = /^\d{1,9}$/.exec(response.headers.get('retry-after') ?? '')?.[0]
  throw new ClientError(code, message, {
    status,
    ...(seconds !== undefined && { retryAfterSeconds: Number(seconds) }),
  })
}

/** Whether the issuer itself refuses. A proxy may refuse too, and must not sign the user out. */
function isRefusal(status: number, code: ClientErrorCode): boolean {
  return code === 'invalid_grant' ? status === 400 : status < 500 // RFC 6749 §5.2
}

function parseObject(text: string): Answer {
  try {
    return (JSON.parse(text) ?? {}) as Answer // a number has no members either
  } catch {
    return {}
  }
}
