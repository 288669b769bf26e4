import type { HttpAnswer, HttpRequestWithBody, JsonObject } from 'keystile/internal'

/** A request that has reached its route. */
export interface RouteRequest extends HttpRequestWithBody {
  /** What stands in the path where the route has `{name}`, as it was sent. */
  readonly params: Readonly<Record<string, string>>
}

/** What a guarded route demands; also what its documentation says. */
export interface RouteGuard {
  readonly scopes: readonly string[]
  readonly maxAgeSeconds?: number
}

interface RouteBase {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Below the path of the issuer, or below the root where the standard wants it there. `{name}` is one segment. */
  readonly path: string
  readonly below: 'issuer' | 'root'
  /** How its refusals read: as RFC 6749 §5.2 or as RFC 9457. */
  readonly refusals: 'oauth' | 'problem'
  readonly doc: RouteDoc
}

export interface OpenRoute extends RouteBase {
  readonly guard?: undefined
  readonly isFirstPartyOnly?: undefined
  handle(request: RouteRequest): HttpAnswer | Promise<HttpAnswer>
}

/** `C`: who has called. */
export interface GuardedRoute<C> extends RouteBase {
  /** Checked before the handler runs. */
  readonly guard: RouteGuard
  /** Only with a token of the application itself: another client, or an API that was sent one, has no say in an account. */
  readonly isFirstPartyOnly?: true | undefined
  handle(request: RouteRequest, caller: C): HttpAnswer | Promise<HttpAnswer>
}

/** One endpoint. A feature lists its own; `server/wire.ts` puts all lists together. */
export type Route<C> = OpenRoute | GuardedRoute<C>

/** What the OpenAPI document says of a route, beside what follows from its guard and its body. */
export interface RouteDoc {
  /** The heading under which it is shown. */
  readonly tag: 'Tokens' | 'Own account' | 'All accounts' | 'Metadata'
  readonly summary: string
  readonly description?: string
  /** The body that it takes, as JSON Schema. */
  readonly body?: { readonly type: 'json' | 'form'; readonly schema: JsonObject }
  readonly query?: Readonly<Record<string, JsonObject>>
  readonly success: {
    readonly status: 200 | 201 | 204
    readonly description: string
    readonly schema?: JsonObject
    readonly type?: string
    readonly headers?: Readonly<Record<string, string>>
  }
  /** Refusals of its own, by status. */
  readonly refuses?: Readonly<Record<number, string>>
}

/** More than any honest body has; a longer one is refused before it is read to its end. */
export const maxBodyBytes = 65_536

export function jsonAnswer(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify(body),
  }
}

export const emptyAnswer: HttpAnswer = { status: 204, headers: { 'cache-control': 'no-store' } }

/** The media type of a body, without its parameters, in lower case. */
export function mediaTypeOf(request: HttpRequestWithBody): string {
  const [type = ''] = (request.headers.get('content-type') ?? '').split(';')
  return type.trim().toLowerCase()
}

/** The parameters of the query; `get` takes the first where a name appears twice. */
export function queryOf(request: HttpRequestWithBody): URLSearchParams {
  const start = request.url.indexOf('?')
  return new URLSearchParams(start < 0 ? '' : request.url.slice(start + 1).split('#')[0])
}
