import type { Fetch } from './ask-issuer.ts'
import type { LoginDemand } from './next-step.ts'
import type { IsResource } from './resources.ts'
import type { SessionKeeper } from './session-keeper.ts'
import type { StepUps } from './step-ups.ts'
import { continues, type KnownSession } from './stored-session.ts'

interface BearerFetchOptions {
  readonly fetch: Fetch
  readonly isResource: IsResource
  readonly keeper: Pick<SessionKeeper, 'current' | 'renew'>
  readonly stepUps: Pick<StepUps, 'raise'>
}

/**
 * Creates a function like `fetch` that adds the access token to requests whose URL passes
 * `isResource`. If the API refuses the token, the function refreshes the session and sends the
 * request once more with the new token. If the API demands a stronger login, the function does so
 * after a step-up. Requests to all other URLs stay unchanged.
 *
 * Does NOT follow redirects itself: the `fetch` of the platform does. If a redirect leads to a
 * different origin, the platform removes the `Authorization` header. If the redirect stays within
 * the origin, the platform keeps the header.
 */
export function createBearerFetch(options: BearerFetchOptions): Fetch {
  const { fetch, isResource, keeper, stepUps } = options

  return async (input, init) => {
    const isRequest = input instanceof Request
    const { url } = isRequest ? input : new Request(input)
    const headers = new Headers(init?.headers ?? (isRequest ? input.headers : {}))
    if (!isResource(url) || headers.has('authorization')) return fetch(input, init)

    // From here on, uses the URL that was checked. The caller could change its URL object during
    // the wait. The token would then go to a server that was not checked.
    const checked = isRequest ? input : url
    const current = await keeper.current()
    if (!current) return fetch(checked, init)

    const send = (by: KnownSession): Promise<Response> => {
      // The body of a request can be read only once, and the request may be sent again.
      const target = checked instanceof Request ? checked.clone() : checked
      return fetch(target, { ...init, headers: withToken(headers, by) })
    }
    let session: KnownSession = current
    let response = await send(session)
    if (isStream(init?.body)) return response // it cannot be sent again

    if (isTokenRefused(response, url)) {
      const renewed = await orDiscard(response, keeper.renew(session))
      // A request of one user must not be sent in the name of a different user.
      if (!renewed || !continues(renewed, session)) return response
      await discard(response)
      session = renewed
      response = await send(session)
    }

    for (;;) {
      const demand = demandOf(response, url)
      const raised = demand && (await orDiscard(response, stepUps.raise(session, demand)))
      if (!raised) return response
      await discard(response)
      session = raised.session
      response = await send(session)
      // After the step-up of another request, this request may demand more.
      if (raised.isOwn) return response
    }
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
function isTokenRefused(response: Response, asked: string): boolean {
  if (!isOwnRefusal(response, asked)) return false
  const error = challengeOf(response, 'error')
  return error === undefined || error === 'invalid_token'
}

/**
 * Returns what the API demands of a login; undefined if it demands no other login.
 *
 * @see RFC 9470 §3
 */
function demandOf(response: Response, asked: string): LoginDemand | undefined {
  if (!isOwnRefusal(response, asked)) return undefined
  if (challengeOf(response, 'error') !== 'insufficient_user_authentication') return undefined
  const [acr, age] = [challengeOf(response, 'acr_values'), challengeOf(response, 'max_age')]
  const isAge = age !== undefined && /^\d{1,9}$/.test(age)
  return {
    ...(acr !== undefined && { acr: acr.split(' ') }),
    ...(isAge && { maxAgeSeconds: Number(age) }),
  }
}

/**
 * Whether the API answered 401. After a redirect to another origin, `fetch` sends the request
 * without the token. A new token would not be sent either.
 */
function isOwnRefusal({ status, redirected, url }: Response, asked: string): boolean {
  return status === 401 && !(redirected && new URL(url).origin !== new URL(asked).origin)
}

function challengeOf({ headers }: Response, name: string): string | undefined {
  return new RegExp(`\\b${name}="?([^",]+)`).exec(headers.get('www-authenticate') ?? '')?.[1]
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

/** Waits for `work`. If it fails, frees the connection of a response that is not returned. */
async function orDiscard<T>(response: Response, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    await discard(response)
    throw error
  }
}
