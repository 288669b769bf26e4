// Reads the routes and guards of a Hono app. Hono lists single functions, each under a method and
// a path: middleware, guards, and the functions that answer. Only the parameters of a function and
// its place in the list show whether it answers (`answers`).
import { findGuardMark, type GuardMark } from '../../guard/guard-mark.ts'
import { templateOf } from '../path-templates.ts'
import {
  cannotDescribe,
  cannotLookInto,
  describedMethods,
  hidesParameters,
  methodsOfAll,
  type AppRoutes,
  type FoundRoute,
  type ListedRoute,
} from '../routes.ts'

/** A route as Hono lists it: one function, under a method and a path. */
interface HonoRoute {
  readonly path: string
  readonly method: string
  readonly handler: HonoHandler
}

type HonoHandler = ((...args: never) => unknown) & {
  /**
   * The function that the app registered. Set only if a sub-app with its own error handler has
   * wrapped this function.
   */
  readonly __COMPOSED_HANDLER?: HonoHandler
}

export interface HonoLike {
  readonly routes: readonly HonoRoute[]
  readonly router: {
    match(
      method: string,
      path: string,
    ): readonly [readonly (readonly [unknown, unknown])[], ...unknown[]]
  }
  /**
   * Returns the decoded path of a request. If the app is not strict, `getPath` removes a slash at
   * the end of the path.
   */
  getPath(request: Request): string
}

/**
 * Whether an app is a Hono app. Checks the app's members instead of its class, because the app may
 * use another copy of Hono.
 */
export function isHono(app: object): app is HonoLike {
  const hono = app as Partial<HonoLike>
  // Reading `router` of an Express 4 app throws, so this reads `routes` first.
  return Array.isArray(hono.routes) && typeof hono.router?.match === 'function'
}

/**
 * Reads the routes of a Hono app. Asks the app's own router, so every path matches exactly as in
 * a request. Hono accepts no further routes after the first look-up.
 */
export function routesOfHono(app: HonoLike): AppRoutes {
  return {
    byTemplate: false,
    find: (method, path) => findRoute(app, method, path),
    list: (isIgnored) =>
      app.routes
        .filter((route) => !isIgnored(route.path) && !findGuardMark(innermost(route.handler)))
        .flatMap((route) => listRoute(route, app.routes)),
  }
}

/**
 * Follows a request through the functions that match it, and collects the guards, up to the
 * function that answers. Returns undefined if no function answers.
 *
 * @throws {Error} if a guard comes after a function that may or may not answer
 */
function findRoute(app: HonoLike, method: string, path: string): FoundRoute | undefined {
  const verb = method === 'head' ? 'GET' : method.toUpperCase()
  const [matched] = app.router.match(verb, app.getPath(new Request(`http://localhost${path}`)))

  const guards: GuardMark[] = []
  // The first function whose parameters do not show whether it answers.
  let perhaps: FoundRoute | undefined
  for (const [entry] of matched) {
    // Hono registers each function as [the function, its route].
    const [, route] = entry as readonly [unknown, HonoRoute]
    const mark = findGuardMark(innermost(route.handler))
    if (mark) {
      guards.push(mark)
      continue
    }
    if (isMounted(route)) throw cannotLookInto(path)

    const answering = answers(route, app.routes)
    if (answering === 'unknown')
      perhaps ??= { guards: [...guards], template: templateOf(route.path) }
    if (answering !== 'yes') continue

    // A document must never omit a guard, and never name a guard that does not run.
    if (perhaps && perhaps.guards.length < guards.length) throw cannotTell(path)
    return { guards, template: templateOf(route.path) }
  }
  return perhaps
}

/** Lists a route, with one entry for each method that it answers. */
function listRoute(route: HonoRoute, routes: readonly HonoRoute[]): readonly ListedRoute[] {
  const { path, method } = route
  if (isMounted(route)) throw cannotDescribe(path, 'is a mounted app')

  if (method === 'HEAD') return [] // Hono always answers HEAD with the GET route

  const answering = answers(route, routes)
  const template = templateOf(path)
  // A function that may or may not answer, for a path that no template describes, is probably
  // middleware, as in `app.all('*', …)`.
  if (answering === 'no' || (answering === 'unknown' && template === undefined)) return []
  if (template === undefined) {
    throw cannotDescribe(path, 'has a part that OpenAPI cannot describe')
  }

  const methods = method === 'ALL' ? methodsOfAll : describedMethods([method.toLowerCase()], path)
  return methods.map((one) => ({ method: one, template, path }))
}

/**
 * Whether a route answers every request, so that no later function runs. Returns `yes` for
 * `(c) => …`. Also returns `yes` for the last function of a route that was not registered with
 * `use` or `all`. For any other function, returns `unknown` if the parameters do not show whether
 * it uses `next`, as in `() => …` and `(c, ...rest) => …`. Otherwise returns `no`.
 */
function answers(route: HonoRoute, routes: readonly HonoRoute[]): 'yes' | 'no' | 'unknown' {
  const handler = innermost(route.handler)
  const isPlain = !hidesParameters(handler)
  if (handler.length === 1 && isPlain) return 'yes'

  const following = routes[routes.indexOf(route) + 1]
  const isLast = following?.method !== route.method || following.path !== route.path
  // Hono registers `use` and `all` the same way, so a route of `ALL` may be middleware.
  if (isLast && route.method !== 'ALL') return 'yes'
  return handler.length === 0 || !isPlain ? 'unknown' : 'no'
}

/** Returns the function that the app registered, without the wrappers of sub-apps. */
function innermost(handler: HonoHandler): HonoHandler {
  return handler.__COMPOSED_HANDLER ? innermost(handler.__COMPOSED_HANDLER) : handler
}

/**
 * Whether a route was created by `app.mount` or by hono/mount. No property of the route's function
 * shows this, so `isMounted` reads the source text of the function.
 */
function isMounted({ handler }: HonoRoute): boolean {
  return Function.prototype.toString.call(innermost(handler)).includes('applicationHandler(')
}

function cannotTell(path: string): Error {
  return new Error(
    `the guard of ${path} may never run: the parameters of a function before it are unknown. ` +
      'Fix: write that function as (c) => … or as (c, next) => …',
  )
}
