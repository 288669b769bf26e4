// Requests to the issuer. `exchange` sends one and reads what answers. `ask` is for OAuth endpoints
// and those below `/session`: it returns a refusal, and `askIssuer` throws it. `ask-accounts.ts` is
// for the endpoints of accounts.
import {
  ClientError,
  isErrorCode,
  type ClientErrorCode,
  type ClientErrorDetails,
} from './client-error.ts'

export type Fetch = typeof globalThis.fetch

/**
 * The time limit for an answer of the issuer. It must be short, because a request that needs a
 * refresh waits for this answer. It must be long enough for a login, because a busy server may take
 * seconds to hash a password.
 */
const timeoutMilliseconds = 10_000

/** The JSON object of an answer; an empty object if the body is not a JSON object. */
export type Answer = Readonly<Record<string, unknown>>

/** The parameters of a request, with the names that the endpoint expects. */
export type Fields = Readonly<Record<string, string>>

export interface Exchange {
  readonly status: number
  readonly ok: boolean
  readonly answer: Answer
  /** The status and the `Retry-After` of the answer, for the `ClientError` of a refusal. */
  readonly retry: Pick<ClientErrorDetails, 'status' | 'retryAfterSeconds'>
}

/**
 * Sends a request and reads the answer. Does not follow redirects, because a redirect could send
 * passwords and tokens to a different server. Uses no cache.
 *
 * @throws {ClientError} `temporarily_unavailable` if the issuer is unreachable
 */
export async function exchange(fetch: Fetch, url: string, init: RequestInit): Promise<Exchange> {
  let response: Response
  let text: string
  try {
    const signal = AbortSignal.timeout(timeoutMilliseconds)
    response = await fetch(url, { ...init, redirect: 'error', cache: 'no-store', signal })
    text = await response.text()
  } catch (cause) {
    throw new ClientError('temporarily_unavailable', `${url} does not answer`, { cause })
  }

  const { status, ok, headers } = response
  const seconds = headers.get('retry-after')?.match(/^\d{1,9}$/)?.[0]
  const retry = { status, ...(seconds !== undefined && { retryAfterSeconds: Number(seconds) }) }
  return { status, ok, answer: parseObject(text), retry }
}

/** Parses a JSON object. Returns an empty object if the string is not JSON. */
function parseObject(text: string): Answer {
  try {
    return (JSON.parse(text) ?? {}) as Answer // a number has no members, like an empty object
  } catch {
    return {}
  }
}

export interface Asked {
  readonly answer: Answer
  /**
   * Undefined if the issuer did what was asked. Otherwise an error with the code of RFC 6749 §5.2,
   * or of a login in steps. Its code is `temporarily_unavailable` if the issuer is unreachable,
   * fails or is busy, or if a different server answers.
   */
  readonly refusal?: ClientError
}

/**
 * Sends a request to an endpoint of RFC 6749 or to an endpoint below `/session`.
 *
 * Does NOT check the members of the answer.
 */
export async function ask(fetch: Fetch, url: string, init: RequestInit): Promise<Asked> {
  const exchanged = await exchange(fetch, url, init).catch((error: unknown) => {
    if (error instanceof ClientError) return { answer: {}, refusal: error }
    throw error
  })
  if ('refusal' in exchanged) return exchanged
  const { status, ok, answer, retry } = exchanged
  if (ok) return { answer }

  const { error_description: description } = answer
  const message = typeof description === 'string' ? description : `${url} answers ${status}`
  return { answer, refusal: new ClientError(codeOf(answer, status), message, retry) }
}

/**
 * Sends a request like `ask`, and returns the answer.
 *
 * @throws {ClientError} the refusal
 */
export async function askIssuer(fetch: Fetch, url: string, init: RequestInit): Promise<Answer> {
  return requireAnswer(await ask(fetch, url, init))
}

/** @throws {ClientError} the refusal */
export function requireAnswer({ answer, refusal }: Asked): Answer {
  if (refusal) throw refusal
  return answer
}

function codeOf({ error }: Answer, status: number): ClientErrorCode {
  return isErrorCode(error) && isRefusal(status, error) ? error : 'temporarily_unavailable'
}

/**
 * Whether the issuer itself refused the request. A refusal by a proxy must not sign the user out.
 */
function isRefusal(status: number, code: ClientErrorCode): boolean {
  return code === 'invalid_grant' ? status === 400 : status < 500 // RFC 6749 §5.2
}
