import type { Fetch } from './ask-issuer.ts'
import type { Resources } from './resources.ts'
import type { SessionKeeper } from './session-keeper.ts'
import type { KnownSession } from './stored-session.ts'

/** The options of `createBearerFetch`. */
interface BearerFetchOptions {
  readonly fetch: Fetch
  readonly isResource: Resources
  readonly keeper: Pick<SessionKeeper, 'current' | 'renew'>
}

/**
 * Creates a `fetch` that adds the access token to requests for the resources. If the API refuses
 * the token, it refreshes the session, and sends the request once more with the new token. It does
 * not change other requests.
 *
 * Does NOT follow redirects itself: the `fetch` of the platform does. If a redirect leads to
 * another origin, the platform removes the `Authorization` header; within the origin, it keeps the
 * header.
 */
export function createBearerFetch({ fetch, isResource, keeper }: BearerFetchOptions): Fetch {
  return async (input, init) => {
    const isRequest = input instanceof Request
    const { url } = isRequest ? input : new Request(input)
    const headers = new Headers(init?.headers ?? (isRequest ? input.headers : {}))
    if (!isResource(url) || headers.has('authorization')) return fetch(input, init)

    const session = await keeper.current()
    // Uses the checked URL from here on. The caller could change its URL object during the wait,
    // and the token would go to a server that was not checked.
    const target = isRequest ? input : url
    if (!session) return fetch(target, init)

    const again = isRequest ? input.clone() : url
    const response = await fetch(target, { ...init, headers: withToken(headers, session) })
    if (!isTokenRefused(response, url) || isStream(init?.body)) return response

    const renewed = await keeper.renew(session).catch(async (error: unknown) => {
      await discard(response)
      throw error
    })
    // A request of one user must not be sent in the name of another.
    if (renewed?.id !== session.id) return response

    await discard(response)
    return fetch(again, { ...init, headers: withToken(headers, renewed) })
  }
}

/** Returns a copy of the headers with the access token of the session. */
function withToken(headers: Headers, { accessToken }: KnownSession): Headers {
  const all = new Headers(headers)
  all.set('authorization', `Bearer ${accessToken}`)
  return all
}

/**
 * Whether the API may accept the request with a new token. A 401 without an error code counts,
 * because a script often cannot read the challenge of another origin, and some APIs send no error
 * code.
 */
function isTokenRefused({ status, headers, redirected, url }: Response, asked: string): boolean {
  if (status !== 401) return false
  // After a redirect to another origin, `fetch` sends the request without the token. A new token
  // would not be sent either.
  if (redirected && new URL(url).origin !== new URL(asked).origin) return false

  const error = headers.get('www-authenticate')?.match(/\berror="?(\w+)/)?.[1]
  return error === undefined || error === 'invalid_token'
}

/** Whether a body can be read only once. */
function isStream(body: unknown): boolean {
  return (
    typeof body === 'object' &&
    body !== null &&
    ('getReader' in body || Symbol.asyncIterator in body)
  )
}

/** Cancels the body of a response that is not returned, so that its connection becomes free. */
async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => {})
}
