import {
  pathOf,
  ProblemError,
  randomId,
  type GuardCore,
  type HttpAnswer,
  type HttpRequestWithBody,
  type Logger,
} from 'keystile/internal'
import type { Caller } from 'keystile'
import { firstParty } from '../features/clients/clients.ts'
import { refusalAnswer } from '../http/refusal.ts'
import type { Route } from '../http/route.ts'

/** The routes at one path, and what stood in its `{…}`. */
interface Found<U> {
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
  options: { readonly issuer: string; readonly guard: GuardCore<string, U>; readonly logger: Logger },
): (request: HttpRequestWithBody) => Promise<HttpAnswer | undefined> {
  const { issuer, guard, logger } = options
  const find = createFinder(routes, new URL(issuer).pathname.replace(/\/$/, ''))
  const demands = new Map(routes.map((route) => [route, route.guard && guard.demand([route.guard], false)] as const))

  async function handle(request: HttpRequestWithBody, { routes, params }: Found<U>): Promise<HttpAnswer> {
    const method = request.method === 'HEAD' ? 'GET' : request.method
    const route = routes.find((candidate) => candidate.method === method)
    const { refusals } = route ?? routes[0]!
    try {
      if (!route) return methodNotAllowed(routes, refusals)
      const routeRequest = { ...request, params }
      if (!route.guard) return await route.handle(routeRequest)
      const decision = await guard.check(request, demands.get(route)!)
      if (!decision.allowed) throw decision.error
      if (route.isFirstPartyOnly && decision.caller!.identity.clientId !== firstParty.id)
        throw new ProblemError('forbidden', 'Only the application itself may do this, not another client')
      return await route.handle(routeRequest, decision.caller!)
    } catch (error) {
      return answerTo(error, request, refusals)
    }
  }

  function methodNotAllowed(routes: Found<U>['routes'], refusals: 'oauth' | 'problem'): HttpAnswer {
    const allow = routes.map(({ method }) => method).join(', ')
    const refusal = new ProblemError('method_not_allowed', `The method must be ${allow}`)
    const refused = refusalAnswer(refusal, refusals, issuer)!
    return { ...refused, headers: { ...refused.headers, allow } }
  }

  function answerTo(error: unknown, request: HttpRequestWithBody, refusals: 'oauth' | 'problem'): HttpAnswer {
    const path = pathOf(request.url)
    const refused = refusalAnswer(error, refusals, issuer)
    if (refused && refused.status < 500) {
      const { reason } = error as { reason?: string }
      logger.debug({ path, status: refused.status, reason }, 'refused')
      return refused
    }
    // The id joins what the caller saw with what is written here.
    const incident = randomId()
    logger.error({ err: error, path, incident }, refused ? 'unavailable' : 'failed')
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

/** Finds routes by path: those without parameters first, so that `/users/me` is nobody's id. */
function createFinder<U>(
  routes: readonly Route<Caller<string, U>>[],
  base: string,
): (path: string) => Found<U> | undefined {
  const exact = new Map<string, Found<U>>()
  for (const route of routes) {
    const path = route.below === 'issuer' ? `${base}${route.path}` : route.path
    exact.set(path, { routes: [...(exact.get(path)?.routes ?? []), route], params: {} })
  }
  const patterns = [...exact]
    .filter(([path]) => path.includes('{'))
    .map(([path, { routes }]) => ({ pattern: patternOf(path), routes }))
  return (path) => {
    const found = path.includes('{') ? undefined : exact.get(path)
    if (found) return found
    for (const { pattern, routes } of patterns) {
      const match = pattern.exec(path)
      if (match) return { routes, params: { ...match.groups } }
    }
    return undefined
  }
}

/** `{name}` stands for one segment, of the letters that our ids have: whatever is encoded is no spelling of one. */
function patternOf(path: string): RegExp {
  const source = path.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{(\w+)\}/g, '(?<$1>[\\w-]+)')
  return new RegExp(`^${source}$`)
}
