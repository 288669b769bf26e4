import type { Fetch } from './ask-issuer.ts'
import type { Resources } from './resources.ts'
import type { Session } from './session.ts'
import type { Sessions } from './sessions.ts'

interface BearerFetchOptions {
  readonly fetch: Fetch
  readonly isResource: Resources
  readonly sessions: Pick<Sessions, 'current' | 'renew'>
}

/**
 * A `fetch` that adds the access token to requests for resources, and sends one again, once, whose token was refused, if
 * the session has another by then. All else is passed on untouched.
 *
 * Does NOT follow redirects itself: `fetch` does, and takes the header away where one leads to another origin. A redirect
 * within the origin keeps it.
 */
export function createBearerFetch({ fetch, isResource, sessions }: BearerFetchOptions): Fetch {
  return async (input, init) => {
    const isRequest = input instanceof Request
    const { url } = isRequest ? input : new Request(input)
    const headers = new Headers(init?.headers ?? (isRequest ? input.headers : {}))
    if (!isResource(url) || headers.has('authorization')) return fetch(input, init)
    const session = await sessions.current()
    // From here on the URL that was looked at: the object that was passed may have changed while we waited.
    const target = isRequest ? input : url
    if (!session) return fetch(target, init)

    const again = isRequest ? input.clone() : url
    const response = await fetch(target, { ...init, headers: withToken(headers, session) })
    if (!isTokenRefused(response, url) || isStream(init?.body)) return response
    const renewed = await sessions.renew(session).catch(async (error: unknown) => {
      await discard(response)
      throw error
    })
    // A request of one person's is not sent as another's.
    if (renewed?.id !== session.id || renewed.accessToken === session.accessToken) return response
    await discard(response)
    return fetch(again, { ...init, headers: withToken(headers, renewed) })
  }
}

function withToken(headers: Headers, { accessToken }: Session): Headers {
  const all = new Headers(headers)
  all.set('authorization', `Bearer ${accessToken}`)
  return all
}

/** Whether a new token may help. The challenge of another origin can often not be read, and not every API names an error. */
function isTokenRefused({ status, headers, redirected, url }: Response, asked: string): boolean {
  if (status !== 401) return false
  if (redirected && new URL(url).origin !== new URL(asked).origin) return false // it came there without a token
  const [, error = 'invalid_token'] = /\berror="?(\w+)/.exec(headers.get('www-authenticate') ?? '') ?? []
  return error === 'invalid_token'
}

/** Whether a body can be read once only. */
function isStream(body: unknown): boolean {
  return typeof body === 'object' && body !== null && ('getReader' in body || Symbol.asyncIterator in body)
}

async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => {})
}
