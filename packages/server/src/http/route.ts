import type { HttpAnswer, HttpRequestWithBody, JsonObject } from 'keystile/internal'

/** A request that has reached its route. */
export interface RouteRequest extends HttpRequestWithBody {
  /** The segment of the path at each `{name}` of the route, as it was sent. */
  readonly params: Readonly<Record<string, string>>
}

/** What a guarded route demands. The documentation is made from it as well. */
export interface RouteGuard {
  readonly scopes: readonly string[]
  readonly maxAgeSeconds?: number
}

interface RouteBase {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /**
   * Relative to `below`: the path of the issuer, or the root where a standard requires that.
   * `{name}` is one segment.
   */
  readonly path: string
  readonly below: 'issuer' | 'root'
  /** The format of its refusals: RFC 6749 §5.2 or RFC 9457. */
  readonly refusals: 'oauth' | 'problem'
  readonly doc: RouteDoc
}

export interface OpenRoute extends RouteBase {
  readonly guard?: undefined
  readonly isFirstPartyOnly?: undefined
  handle(request: RouteRequest): HttpAnswer | Promise<HttpAnswer>
}

/** @typeParam C the caller that the handler gets */
export interface GuardedRoute<C> extends RouteBase {
  /** The router checks it before the handler runs. */
  readonly guard: RouteGuard
  /**
   * The token must be one of the application itself. Another client, or an API that received a
   * token, must not change an account.
   */
  readonly isFirstPartyOnly?: true | undefined
  handle(request: RouteRequest, caller: C): HttpAnswer | Promise<HttpAnswer>
}

/** One endpoint. Each feature lists its own; `server/wire.ts` joins the lists. */
export type Route<C> = OpenRoute | GuardedRoute<C>

/** What the OpenAPI document says about a route, beside what follows from its guard and body. */
export interface RouteDoc {
  /** The heading in the document. */
  readonly tag: 'Tokens' | 'Own account' | 'All accounts' | 'Metadata'
  readonly summary: string
  readonly description?: string
  /** The body, as JSON Schema. */
  readonly body?: { readonly type: 'json' | 'form'; readonly schema: JsonObject }
  readonly query?: Readonly<Record<string, JsonObject>>
  readonly success: {
    readonly status: 200 | 201 | 204
    readonly description: string
    readonly schema?: JsonObject
    readonly type?: string
    readonly headers?: Readonly<Record<string, string>>
  }
  /** Further refusals, by status. */
  readonly refuses?: Readonly<Record<number, string>>
}

/** More than any honest body has. A longer one is refused before its end is read. */
export const maxBodyBytes = 65_536

export function jsonAnswer(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify(body),
  }
}

export const emptyAnswer: HttpAnswer = { status: 204, headers: { 'cache-control': 'no-store' } }

/** The media type of a body, without its parameters, in lower case. */
export function mediaTypeOf({ headers }: HttpRequestWithBody): string | undefined {
  return headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
}

/** The parameters of the query. Where a name appears twice, `get` returns the first value. */
export function queryOf(request: HttpRequestWithBody): URLSearchParams {
  const start = request.url.indexOf('?')
  return new URLSearchParams(start < 0 ? '' : request.url.slice(start + 1).split('#')[0])
}
