// Requests to the issuer, and its errors.
import {
  ClientError,
  isErrorCode,
  isSecondFactor,
  type ClientErrorCode,
  type ClientErrorDetails,
} from './client-error.ts'

export type Fetch = typeof globalThis.fetch

/**
 * The time limit for an answer of the issuer, in milliseconds. It must be short, because a request
 * that needs a refresh waits for this answer. It must be long enough for a login, because a busy
 * server may take seconds to hash a password.
 */
const timeout = 10_000

/** The JSON object of an answer; an empty object if the body is not a JSON object. */
export type Answer = Readonly<Record<string, unknown>>

/**
 * Sends a request to an endpoint of RFC 6749 or to an endpoint below `/session`.
 *
 * Does NOT check the members of the answer.
 *
 * @throws {ClientError} with the code of RFC 6749 §5.2 if the issuer refuses the request;
 *   `second_factor_required` or `invalid_session` if a login needs another step or is over;
 *   `temporarily_unavailable` if the issuer is unreachable, fails or is busy, or if a different
 *   server answers
 */
export async function askIssuer(fetch: Fetch, url: string, init: RequestInit): Promise<Answer> {
  const { status, ok, answer, retry } = await exchange(fetch, url, init)
  if (ok) return answer

  const { error_description: description } = answer
  const message = typeof description === 'string' ? description : `${url} answers ${status}`
  throw new ClientError(codeOf(answer, status), message, { ...retry, ...nextStepOf(answer) })
}

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
    const signal = AbortSignal.timeout(timeout)
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

/**
 * Whether the issuer itself refused the request. A refusal by a proxy must not sign the user out.
 */
function isRefusal(status: number, code: ClientErrorCode): boolean {
  return code === 'invalid_grant' ? status === 400 : status < 500 // RFC 6749 §5.2
}

function codeOf({ error, auth_session: session }: Answer, status: number): ClientErrorCode {
  if (error === 'insufficient_authorization' && status === 403 && typeof session === 'string')
    return 'second_factor_required'
  return isErrorCode(error) && isRefusal(status, error) ? error : 'temporarily_unavailable'
}

/**
 * Reads how a login can continue. If an answer lists methods and the client knows none of them, the
 * login cannot continue with `login`.
 */
function nextStepOf({
  auth_session: session,
  methods: listed,
}: Answer): Pick<ClientErrorDetails, 'authSession' | 'methods'> {
  const methods = Array.isArray(listed) ? listed.filter(isSecondFactor) : []
  const canContinue = typeof session === 'string' && (methods.length > 0 || listed === undefined)
  return { authSession: canContinue ? session : undefined, methods }
}

/** Parses a JSON object. Returns an empty object if the string is not JSON. */
function parseObject(text: string): Answer {
  try {
    return (JSON.parse(text) ?? {}) as Answer // a number has no members, like an empty object
  } catch {
    return {}
  }
}
