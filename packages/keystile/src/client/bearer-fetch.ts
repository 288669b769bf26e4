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
 * A `fetch` that adds the access token to requests for resources. If the API refuses the token and
 * the session has a new one, it sends the request once more. Other requests pass through untouched.
 *
 * Does NOT follow redirects itself: `fetch` does, and drops the header if one leads to another
 * origin. A redirect within the origin keeps it.
 */
export function createBearerFetch({ fetch, isResource, keeper }: BearerFetchOptions): Fetch {
  return async (input, init) => {
    const isRequest = input instanceof Request
    const { url } = isRequest ? input : new Request(input)
    const headers = new Headers(init?.headers ?? (isRequest ? input.headers : {}))
    if (!isResource(url) || headers.has('authorization')) return fetch(input, init)

    const session = await keeper.current()
    // From here on it is the URL that was checked: the caller may change its object while we wait.
    const target = isRequest ? input : url
    if (!session) return fetch(target, init)

    const again = isRequest ? input.clone() : url
    const response = await fetch(target, { ...init, headers: withToken(headers, session) })
    if (!isTokenRefused(response, url) || isStream(init?.body)) return response

    const renewed = await keeper.renew(session).catch(async (error: unknown) => {
      await discard(response)
      throw error
    })
    // One person's request must not be sent in another's name.
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
 * Whether a new token may help. A script often cannot read the challenge of another origin, and not
 * every API names an error.
 */
function isTokenRefused({ status, headers, redirected, url }: Response, asked: string): boolean {
  if (status !== 401) return false
  if (redirected && new URL(url).origin !== new URL(asked).origin) return false // sent without a token
  const challenge = headers.get('www-authenticate') ?? ''
  const [, error = 'invalid_token'] = /\berror="?(\w+)/.exec(challenge) ?? []
  return error === 'invalid_token'
}

/** Whether a body can be read only once. */
function isStream(body: unknown): boolean {
  return (
    typeof body === 'object' &&
    body !== null &&
    ('getReader' in body || Symbol.asyncIterator in body)
  )
}

async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => {})
}
