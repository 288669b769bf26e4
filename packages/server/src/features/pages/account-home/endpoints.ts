// Calls endpoints for the person who uses a browser. All that a page reads and changes goes through
// here, so a page can do nothing that the endpoints do not allow.
import {
  ProblemError,
  TokenError,
  tokenError,
  type Clock,
  type HttpRequestWithBody,
  type JsonObject,
} from 'keystile/internal'
import type { GuardedRoute, OptionalRoute, Route } from '../../../http/route.ts'
import { isRecentLogin } from '../../tokens/sessions/active-session.ts'
import { withJson } from '../account-pages/with-json.ts'
import type { SignedIn } from '../login-pages/signed-in.ts'
import type { EndpointAnswers, EndpointName } from './endpoint-answers.ts'

/** What the handlers of these endpoints take from an access token, and a page from the session. */
export interface EndpointCaller<U> {
  readonly identity: {
    readonly subject: string
    readonly clientId: string
    readonly sessionId: string | undefined
    readonly scopes: readonly string[]
    readonly acr: string | undefined
    readonly authenticatedAt: Date | undefined
  }
  readonly user: U
}

interface Sent {
  readonly json?: JsonObject
  /** The query of the URL. */
  readonly query?: string
  /** The parameters of the path. */
  readonly params?: Readonly<Record<string, string>>
}

/** The endpoints, for the person who has sent a request. */
export interface OwnEndpoints {
  has(name: EndpointName): boolean
  /**
   * Checks what an endpoint demands of the login.
   *
   * @throws {TokenError} as `call()`
   */
  admit(name: EndpointName): void
  /**
   * Calls an endpoint. Returns the JSON of its answer; an empty object if it has none. Trusts the
   * endpoint: does not check what it has answered.
   *
   * @throws {ProblemError} if the endpoint refuses
   * @throws {TokenError} `insufficient_user_authentication` if the endpoint demands a newer login
   */
  call<Name extends EndpointName>(name: Name, sent?: Sent): Promise<EndpointAnswers[Name]>
}

type Endpoint<U> = GuardedRoute<EndpointCaller<U>> | OptionalRoute<EndpointCaller<U>>
export type EndpointsByName<U> = ReadonlyMap<string, Endpoint<U>>

/** Finds the endpoints with a guard. Their names are as in `EndpointName`. */
export function findEndpoints<U>(routes: readonly Route<EndpointCaller<U>>[]): EndpointsByName<U> {
  const guarded = routes.filter((route) => route.guard !== undefined)
  return new Map(guarded.map((route) => [`${route.method} ${route.path}`, route]))
}

/** Makes the calls of the person who has sent a request, with the login of the browser. */
export function ownEndpoints<U>(
  request: HttpRequestWithBody,
  { session, user, isFactorSpared }: SignedIn<U>,
  { endpoints, clock }: { readonly endpoints: EndpointsByName<U>; readonly clock: Clock },
): OwnEndpoints {
  const { subject, clientId, id: sessionId, amr, authenticatedAt } = session
  const identity = {
    subject,
    clientId,
    sessionId,
    scopes: [],
    acr: amr?.includes('mfa') ? 'mfa' : 'pwd',
    authenticatedAt: new Date(authenticatedAt),
  }

  /** Returns an endpoint whose demands the login meets. */
  function admitted(name: EndpointName): Endpoint<U> {
    const endpoint = endpoints.get(name)
    if (!endpoint) throw new ProblemError('not_found', 'This endpoint is absent')

    // A remembered device spares the factor of a login, but not that of such an endpoint.
    if (isFactorSpared && 'needsFactor' in endpoint && endpoint.needsFactor)
      throw tokenError('login_too_weak', { acrValues: ['mfa'] })

    const { scopes, maxAgeSeconds } = endpoint.guard
    // The endpoints in `EndpointName` demand none, so a login of a browser needs none.
    if (scopes.length > 0) throw new Error('a browser has no scopes')
    if (maxAgeSeconds !== undefined && !isRecentLogin(session, { maxAgeSeconds, now: clock.now() }))
      throw tokenError('login_too_old', { maxAgeSeconds })
    return endpoint
  }

  return {
    has: (name) => endpoints.has(name),
    admit: (name) => void admitted(name),
    async call<Name extends EndpointName>(
      name: Name,
      { json, query = '', params = {} }: Sent = {},
    ) {
      const endpoint = admitted(name)
      const { method, path } = endpoint
      const sent = { ...withJson(request, json), method, url: `${path}?${query}`, params }
      const { body = '{}' } = await endpoint.handle(sent, { identity, user })
      return JSON.parse(body) as EndpointAnswers[Name]
    },
  }
}

/** Whether an endpoint demands a newer or a stronger login. */
export function needsLogin(error: unknown): boolean {
  if (error instanceof ProblemError) return error.reason === 'factor_missing'
  return error instanceof TokenError && error.code === 'insufficient_user_authentication'
}
