// The record of an endpoint.
import type { HttpAnswer, HttpRequestWithBody, JsonObject } from 'keystile/internal'

export interface RouteRequest extends HttpRequestWithBody {
  /** The values of the path's parameters, as they were sent. */
  readonly params: Readonly<Record<string, string>>
}

/**
 * What a guarded route demands of the access token. The OpenAPI document shows these demands as
 * well.
 */
export interface RouteGuard {
  readonly scopes: readonly string[]
  readonly maxAgeSeconds?: number
}

/** The format of refusals: `oauth` is RFC 6749 §5.2, `problem` is RFC 9457. */
export type RefusalFormat = 'oauth' | 'problem'

interface RouteBase {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** The path, relative to `below`. `{name}` is a parameter for one segment. */
  readonly path: string
  /**
   * `issuer`: `path` is below the path of the issuer. `root`: `path` is below the root of the host,
   * because a standard requires this.
   */
  readonly below: 'issuer' | 'root'
  readonly refusals: RefusalFormat
  readonly doc: RouteDoc
}

/** A route without a guard. */
export interface OpenRoute extends RouteBase {
  readonly guard?: undefined
  readonly isOptional?: undefined
  readonly isFirstPartyOnly?: undefined
  handle(request: RouteRequest): HttpAnswer | Promise<HttpAnswer>
}

/** What a guarded route demands of its caller. The router checks it before the handler runs. */
export interface CallerDemands {
  readonly guard: RouteGuard
  /**
   * Whether the token must have been issued to the app itself. Without this check, another OAuth
   * client, or an API that received a user's token, could change the user's account.
   */
  readonly isFirstPartyOnly?: true | undefined
  /**
   * Whether an account with a second factor must have proved it in the login of the token. A stolen
   * password, or a session from before the factor, must not change such an account.
   */
  readonly needsFactor?: true | undefined
}

/**
 * A route that requires an access token. The token must meet the demands of `guard`.
 *
 * @typeParam C the caller that the handler gets
 */
export interface GuardedRoute<C> extends RouteBase, CallerDemands {
  readonly isOptional?: undefined
  /** What the route also demands if the parameter `id` of its path names the caller. */
  readonly ofOwnId?: CallerDemands | undefined
  handle(request: RouteRequest, caller: C): HttpAnswer | Promise<HttpAnswer>
}

/**
 * A route that also admits requests without an access token. If a request has a token, the token
 * must meet the demands of `guard`.
 *
 * @typeParam C the caller that the handler gets if the request has a token
 */
export interface OptionalRoute<C> extends RouteBase {
  readonly guard: RouteGuard
  readonly isOptional: true
  /** Whether a token must have been issued to the app itself: see `GuardedRoute`. */
  readonly isFirstPartyOnly?: true | undefined
  handle(request: RouteRequest, caller: C | undefined): HttpAnswer | Promise<HttpAnswer>
}

/** One endpoint. Each feature lists its endpoints; `server/wire/wire.ts` joins the lists. */
export type Route<C> = OpenRoute | GuardedRoute<C> | OptionalRoute<C>

export interface SuccessDoc {
  readonly status: 200 | 201 | 202 | 204 | 302
  readonly description: string
  readonly schema?: JsonObject
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** What the OpenAPI document says about a route in addition to its path and its guard. */
export interface RouteDoc {
  /** The heading in the document. */
  readonly tag: 'Tokens' | 'Own account' | 'All accounts' | 'Metadata'
  readonly summary: string
  readonly description?: string
  readonly body?: { readonly type: 'json' | 'form'; readonly schema: JsonObject }
  readonly query?: Readonly<Record<string, JsonObject>>
  readonly success: SuccessDoc
  /** The other answer that a successful request can get. Its status differs from `success`. */
  readonly otherSuccess?: SuccessDoc
  /**
   * Maps the status of a refusal to its description. Refusals that follow from the guard or the
   * body need not be listed.
   */
  readonly refuses?: Readonly<Record<number, string>>
}
