import type { Fetch } from './ask-issuer.ts'
import type { Resources } from './resources.ts'
import type { SessionKeeper } from './session-keeper.ts'
import type { KnownSession } from './stored-session.ts'

interface BearerFetchOptions {
  readonly fetch: Fetch
  readonly isResource: Resources
  readonly keeper: Pick<SessionKeeper, 'current' | 'renew'>
}

/**
 * Creates a function like `fetch` that adds the access token to requests whose URL passes
 * `isResource`. If the API refuses the token, the function refreshes the session and sends the
 * request once more with the new token. Requests to all other URLs stay unchanged.
 *
 * Does NOT follow redirects itself: the `fetch` of the platform does. If a redirect leads to a
 * different origin, the platform removes the `Authorization` header. If the redirect stays within
 * the origin, the platform keeps the header.
 */
export function createBearerFetch({ fetch, isResource, keeper }: BearerFetchOptions): Fetch {
  return async (input, init) => {
    const isRequest = input instanceof Request
    const { url } = isRequest ? input : new Request(input)
    const headers = new Headers(init?.headers ?? (isRequest ? input.headers : {}))
    if (!isResource(url) || headers.has('authorization')) return fetch(input, init)

    const session = await keeper.current()
    // From here on, uses the URL that was checked. The caller could change its URL object during
    // the wait. The token would then go to a server that was not checked.
    const target = isRequest ? input : url
    if (!session) return fetch(target, init)

    const again = isRequest ? input.clone() : url
    const response = await fetch(target, { ...init, headers: withToken(headers, session) })
    if (!isTokenRefused(response, url) || isStream(init?.body)) return response

    const renewed = await keeper.renew(session).catch(async (error: unknown) => {
      await discard(response)
      throw error
    })
    // A request of one user must not be sent in the name of a different user.
    if (renewed?.id !== session.id) return response

    await discard(response)
    return fetch(again, { ...init, headers: withToken(headers, renewed) })
  }
}

function withToken(headers: Headers, { accessToken }: KnownSession): Headers {
  const all = new Headers(headers)
  all.set('authorization', `Bearer ${accessToken}`)
  return all
}

/**
 * Whether the API refused the token, so that a new token may help. Also returns true for a 401
 * without an error code: some APIs send no error code, and a script often cannot read the
 * `WWW-Authenticate` header of a different origin.
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
