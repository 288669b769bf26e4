import { ClientError, isErrorCode, type ClientErrorCode } from './client-error.ts'

export type Fetch = typeof globalThis.fetch

/** Milliseconds that the issuer has to answer: whoever waits for a refresh waits for this. */
const timeout = 10_000

/** A successful answer of the issuer, as far as it is JSON. */
export type Answer = Readonly<Record<string, unknown>>

/**
 * Asks an endpoint of the issuer. No redirect is followed, for what is sent is a password or a token, and a cache neither
 * answers nor keeps.
 *
 * @throws {ClientError} with the code of RFC 6749 §5.2 where the issuer refuses; `temporarily_unavailable` where it
 *   cannot be reached, fails, is too busy, or answers what no issuer does
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

/** Whoever stands before the issuer may refuse in other words than its own; what signs out is taken from it alone. */
function isRefusal(status: number, code: ClientErrorCode): boolean {
  return code === 'invalid_grant' ? status === 400 : status < 500 // RFC 6749 §5.2
}

function parseObject(text: string): Answer {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Answer) : {}
  } catch {
    return {}
  }
}
