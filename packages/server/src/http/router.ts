import type { Caller, DemandArguments, Identity } from 'keystile'
import {
  cancelStream,
  pathOf,
  ProblemError,
  randomId,
  type GuardCore,
  type HttpAnswer,
  type HttpRequestWithBody,
  type Logger,
  TokenError,
} from 'keystile/internal'
import { DatabaseUnavailableError } from '../storage/database.ts'
import { prefersHtml } from './accept.ts'
import { createVisitorCheck } from './origin.ts'
import { describeRefusal, findRefusal, refusalAnswer, type Refusal } from './refusal.ts'
import { createRouteFinder, type FoundRoutes } from './route-finder.ts'
import type { CallerDemands, GuardedRoute, OptionalRoute, Route, RouteRequest } from './route.ts'

type RouteOf<U> = Route<Caller<string, U>>
type RouteWithGuard<U> = GuardedRoute<Caller<string, U>> | OptionalRoute<Caller<string, U>>
type Demand = ReturnType<GuardCore<string, unknown>['demand']>
type Decision<U> = Awaited<ReturnType<GuardCore<string, U>['check']>>

interface RouterOptions<U> {
  readonly issuer: string
  /** Origins whose pages may send requests that change something, besides that of the issuer. */
  readonly corsOrigins: readonly string[]
  readonly guard: GuardCore<string, U>
  readonly logger: Logger
  /** Whether a client is the app itself. Some routes are only for the app. */
  isFirstParty(clientId: string): boolean
  onGuardRefusal?(error: TokenError): void
  /** @throws {TokenError} if the login lacks the second factor that the account has */
  requireFactor?(identity: Identity): Promise<void>
  /** Returns the page that a browser gets in place of a page, with the status of the refusal. */
  showRefusal?(request: HttpRequestWithBody, refusal: Refusal): HttpAnswer
}

// decisions/0001-no-framework-inside-the-server.md
/**
 * Creates a router for these routes. The router answers each request whose path belongs to a route,
 * even if this path has no route for the method. It returns undefined if the path belongs to no
 * route. The router applies the guard of a route before the handler runs, and turns each error into
 * an answer.
 */
export function createRouter<U>(
  routes: readonly RouteOf<U>[],
  options: RouterOptions<U>,
): (request: HttpRequestWithBody) => Promise<HttpAnswer | undefined> {
  const { issuer, corsOrigins, guard } = options
  const find = createRouteFinder(routes, issuer)
  const checkVisitor = createVisitorCheck([new URL(issuer).origin, ...corsOrigins])
  const demands = demandsOf(routes, guard)

  async function handle(
    request: HttpRequestWithBody,
    found: FoundRoutes<Caller<string, U>>,
  ): Promise<HttpAnswer> {
    const method = request.method === 'HEAD' ? 'GET' : request.method
    const route = found.routes.find((candidate) => candidate.method === method)
    if (!route) return methodNotAllowed(found.routes, issuer)

    try {
      if (method !== 'GET') checkVisitor(request)
      const { params } = found
      if (!route.guard) return await route.handle({ ...request, params })

      // An `await` takes time, so a known token is admitted without it.
      const caller = recall(route, request) ?? (await check(route, request))
      const guarded = guardedRequest(request, params, route)
      if (route.isOptional) return await route.handle(guarded, caller)

      if (!caller) throw new Error('a guard that is not optional must return a caller')
      const own = params['id'] === caller.identity.subject ? route.ofOwnId : undefined
      if (own) await check(own, request)
      if (route.needsFactor || own?.needsFactor) await options.requireFactor?.(caller.identity)
      return await route.handle(guarded, caller)
    } catch (error) {
      const { refusals, doc } = route
      const refusal = refusalOf(error, found.pattern, options)
      const isPage = doc.success.type === 'text/html' && prefersHtml(request.headers.get('accept'))
      const shown = isPage ? options.showRefusal?.(request, refusal) : undefined
      return shown ?? refusalAnswer(refusal, refusals, issuer)
    }
  }

  /** Finds the caller if the token of the request is known. Undefined says nothing. */
  function recall(
    demanding: CallerDemands,
    request: HttpRequestWithBody,
  ): Caller<string, U> | undefined {
    const known = guard.enterAtOnce({}, request, getDemand(demands, demanding))
    return known && findCaller({ allowed: true, caller: known }, demanding, options)
  }

  /** Finds the caller of a request. See `findCaller`. */
  async function check(
    demanding: CallerDemands,
    request: HttpRequestWithBody,
  ): Promise<Caller<string, U> | undefined> {
    const decision = await guard.check(request, getDemand(demands, demanding))
    return findCaller(decision, demanding, options)
  }

  /**
   * Returns the request for the handler of a guarded route. When the handler has read the body, the
   * guard checks again: a body may arrive long after its headers, and the session may have ended
   * meanwhile.
   */
  function guardedRequest(
    request: HttpRequestWithBody,
    params: RouteRequest['params'],
    demanding: CallerDemands,
  ): RouteRequest {
    return {
      ...request,
      params,
      async body(maxBytes) {
        const body = await request.body(maxBytes)
        if (!recall(demanding, request)) await check(demanding, request)
        return body
      },
    }
  }

  return async (request) => {
    const path = pathOf(request.url)
    const found = path === undefined ? undefined : find(path)
    if (!found) return undefined

    const answered = await handle(request, found)
    if (request.method !== 'HEAD') return answered

    const { stream, ...head } = answered
    cancelStream(stream)
    return { ...head, body: undefined }
  }
}

/**
 * Returns the demand of each guarded route, and of each `ofOwnId`. The demands are compiled only
 * once, when the server starts.
 */
function demandsOf<U>(
  routes: readonly RouteOf<U>[],
  guard: GuardCore<string, U>,
): ReadonlyMap<object, Demand> {
  const guarded = routes.filter((route) => route.guard !== undefined)
  const own = guarded.flatMap((route) => (route.isOptional ? [] : (route.ofOwnId ?? [])))
  return new Map(
    [...guarded, ...own].map((one) => {
      const isOptional = 'isOptional' in one && one.isOptional
      return [one, guard.demand(argumentsOf(one.guard), isOptional)] as const
    }),
  )
}

/**
 * Returns the arguments for `guard.demand()`. If the list of scopes is empty, it is left out: the
 * guard would refuse an empty list as a mistake.
 */
function argumentsOf({
  scopes,
  maxAgeSeconds,
}: GuardedRoute<unknown>['guard']): DemandArguments<string> {
  if (maxAgeSeconds === undefined) return [...scopes]
  return [{ ...(scopes.length > 0 && { scopes }), maxAgeSeconds }]
}

function getDemand(demands: ReadonlyMap<object, Demand>, route: object): Demand {
  const demand = demands.get(route)
  if (demand === undefined) throw new Error('each guarded route must have a compiled demand')
  return demand
}

/**
 * Returns the caller that the guard admitted. Undefined if the request has no token and the route
 * does not require one.
 *
 * @throws {TokenError | ProblemError} if the guard refused the request, or if the route is only for
 *   the app and the token was issued to a different client
 */
function findCaller<U>(
  decision: Decision<U>,
  { isFirstPartyOnly }: Pick<RouteWithGuard<U>, 'isFirstPartyOnly'>,
  { isFirstParty, onGuardRefusal }: RouterOptions<U>,
): Caller<string, U> | undefined {
  if (!decision.allowed) {
    onGuardRefusal?.(decision.error)
    throw decision.error
  }

  const { caller } = decision
  if (caller && isFirstPartyOnly && !isFirstParty(caller.identity.clientId))
    throw new ProblemError(
      'forbidden',
      'Only the application itself may do this, not another client',
    )
  return caller
}

function methodNotAllowed<C>(
  [first, ...others]: FoundRoutes<C>['routes'],
  issuer: string,
): HttpAnswer {
  const allow = [first, ...others].map(({ method }) => method).join(', ')
  const refusal = new ProblemError('method_not_allowed', `The method must be ${allow}`)
  const refused = refusalAnswer(refusal, first.refusals, issuer)
  return { ...refused, headers: { ...refused.headers, allow } }
}

/**
 * Returns the refusal that an error means, and logs the error. A bug is refused with 500. The log
 * gets the pattern of the route and not the path that was sent, because a client may have put a
 * secret into it by mistake.
 */
function refusalOf(
  error: unknown,
  route: string,
  { logger }: Pick<RouterOptions<unknown>, 'logger'>,
): Refusal {
  const refusal = findRefusal(error)
  if (refusal && (refusal.status < 500 || isOverload(error))) {
    logger.debug({ route, status: refusal.status, ...describeRefusal(error) }, 'refused')
    return refusal
  }

  // If a user reports this answer, the operator finds its log line by this id.
  const incident = randomId()
  const fields = { err: error, route, incident, ...describeRefusal(error) }
  logger.error(fields, refusal ? 'unavailable' : 'failed')
  return (
    refusal ?? new ProblemError('internal_server_error', `Internal error, incident ${incident}`)
  )
}

/**
 * Whether a request was refused because too many other requests were running, or because of an
 * outage that has been logged. Any sender can cause many such refusals, so they must not fill the
 * log with errors.
 */
function isOverload(error: unknown): boolean {
  const cause = error instanceof TokenError ? error.cause : error
  if (cause instanceof DatabaseUnavailableError) return cause.isFrequent
  return error instanceof ProblemError && error.status === 503 && error.cause === undefined
}
