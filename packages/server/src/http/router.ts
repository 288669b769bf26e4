import {
  pathOf,
  ProblemError,
  randomId,
  type GuardCore,
  type HttpAnswer,
  type HttpRequestWithBody,
  type Logger,
  type TokenError,
} from 'keystile/internal'
import type { Caller, DemandArguments } from 'keystile'
import { DatabaseBusyError } from '../storage/database.ts'
import { describeRefusal, refusalAnswer } from './refusal.ts'
import type { Route } from './route.ts'

/** The routes at one path, and what stood in its `{…}`. */
interface Found<U> {
  /** As it is declared, with its `{…}`. */
  readonly pattern: string
  readonly routes: readonly Route<Caller<string, U>>[]
  readonly params: Readonly<Record<string, string>>
}

/**
 * Puts routes together: a request is answered when its path is one of theirs, whatever its method; any other request is
 * not ours. Paths are compared as they were sent, neither decoded nor cleaned, so no spelling of a path reaches a route
 * by another way. What a route demands is checked here, before its handler runs. Whatever is thrown ends as an answer.
 */
export function createRouter<U>(
  routes: readonly Route<Caller<string, U>>[],
  options: {
    readonly issuer: string
    readonly guard: GuardCore<string, U>
    readonly logger: Logger
    /** Whether a client is the application itself, which alone may use some routes. */
    isFirstParty(clientId: string): boolean
    /** Told of each request that a guard refuses. */
    onGuardRefusal?(error: TokenError): void
  },
): (request: HttpRequestWithBody) => Promise<HttpAnswer | undefined> {
  const { issuer, guard, logger } = options
  const find = createFinder(routes, issuer)
  const demands = new Map(
    routes.map((route) => [route, route.guard && guard.demand(demandOf(route.guard), false)] as const),
  )

  async function handle(request: HttpRequestWithBody, { pattern, routes, params }: Found<U>): Promise<HttpAnswer> {
    const method = request.method === 'HEAD' ? 'GET' : request.method
    const route = routes.find((candidate) => candidate.method === method)
    const { refusals } = route ?? routes[0]!
    try {
      if (!route) return methodNotAllowed(routes, refusals)
      const routeRequest = { ...request, params }
      if (!route.guard) return await route.handle(routeRequest)
      const decision = await guard.check(request, demands.get(route)!)
      if (!decision.allowed) {
        options.onGuardRefusal?.(decision.error)
        throw decision.error
      }
      if (route.isFirstPartyOnly && !options.isFirstParty(decision.caller!.identity.clientId))
        throw new ProblemError('forbidden', 'Only the application itself may do this, not another client')
      return await route.handle(routeRequest, decision.caller!)
    } catch (error) {
      return answerTo(error, pattern, refusals)
    }
  }

  function methodNotAllowed(routes: Found<U>['routes'], refusals: 'oauth' | 'problem'): HttpAnswer {
    const allow = routes.map(({ method }) => method).join(', ')
    const refusal = new ProblemError('method_not_allowed', `The method must be ${allow}`)
    const refused = refusalAnswer(refusal, refusals, issuer)!
    return { ...refused, headers: { ...refused.headers, allow } }
  }

  /** The log has the pattern of the route: what was sent as its path may be a secret in the wrong place. */
  function answerTo(error: unknown, route: string, refusals: 'oauth' | 'problem'): HttpAnswer {
    const refused = refusalAnswer(error, refusals, issuer)
    if (refused && (refused.status < 500 || isShed(error))) {
      logger.debug({ route, status: refused.status, ...describeRefusal(error) }, 'refused')
      return refused
    }
    // The id joins what the caller saw with what is written here.
    const incident = randomId()
    const fields = { err: error, route, incident, ...describeRefusal(error) }
    logger.error(fields, refused ? 'unavailable' : 'failed')
    const bug = new ProblemError('internal_server_error', `Internal error, incident ${incident}`)
    return refused ?? refusalAnswer(bug, refusals, issuer)!
  }

  return async (request) => {
    const path = pathOf(request.url)
    const found = path === undefined ? undefined : find(path)
    if (!found) return undefined
    const answered = await handle(request, found)
    return request.method === 'HEAD' ? { ...answered, body: undefined } : answered
  }
}

/** Whether a request was refused because too many were under way. Anybody can cause as many of these as they like. */
function isShed(error: unknown): boolean {
  if (error instanceof DatabaseBusyError) return true
  return error instanceof ProblemError && error.status === 503 && error.cause === undefined
}

/** What the guard is called with. A list without a scope would be refused as a mistake. */
function demandOf({ scopes, maxAgeSeconds }: NonNullable<Route<unknown>['guard']>): DemandArguments<string> {
  if (maxAgeSeconds === undefined) return [...scopes]
  return [{ ...(scopes.length > 0 && { scopes }), maxAgeSeconds }]
}

/** Tells the pattern of the route that a request is for, such as `/users/{id}`; `undefined` for what is none of ours. */
export function createRouteNames<U>(
  routes: readonly Route<Caller<string, U>>[],
  issuer: string,
): (request: HttpRequestWithBody) => string | undefined {
  const find = createFinder(routes, issuer)
  return ({ url }) => {
    const path = pathOf(url)
    return path === undefined ? undefined : find(path)?.pattern
  }
}

/** Finds routes by path: those without parameters first, so that `/users/me` is nobody's id. */
function createFinder<U>(
  routes: readonly Route<Caller<string, U>>[],
  issuer: string,
): (path: string) => Found<U> | undefined {
  const base = new URL(issuer).pathname.replace(/\/$/, '')
  const exact = new Map<string, Found<U>>()
  for (const route of routes) {
    const path = route.below === 'issuer' ? `${base}${route.path}` : route.path
    exact.set(path, { pattern: path, routes: [...(exact.get(path)?.routes ?? []), route], params: {} })
  }
  const patterns = [...exact]
    .filter(([path]) => path.includes('{'))
    .map(([path, found]) => ({ expression: expressionOf(path), found }))
  return (path) => {
    const exactly = path.includes('{') ? undefined : exact.get(path)
    if (exactly) return exactly
    for (const { expression, found } of patterns) {
      const match = expression.exec(path)
      if (match) return { ...found, params: { ...match.groups } }
    }
    return undefined
  }
}

/** `{name}` stands for one segment, of the letters that our ids have: whatever is encoded is no spelling of one. */
function expressionOf(path: string): RegExp {
  const source = path.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{(\w+)\}/g, '(?<$1>[\\w-]+)')
  return new RegExp(`^${source}$`)
}
