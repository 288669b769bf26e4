import { findGuardMark, type GuardMark } from '../../guard/guard-mark.ts'
import {
  cannotLookInto,
  cannotSay,
  describedMethods,
  hidesParameters,
  methodsOfAll,
  templateOf,
  type AppRoutes,
  type FoundRoute,
} from '../routes.ts'

interface HonoRoute {
  readonly path: string
  readonly method: string
  readonly handler: HonoHandler
}

type HonoHandler = ((...args: never) => unknown) & {
  /** A sub-app with its own error handler puts one function around each of its own. */
  readonly __COMPOSED_HANDLER?: HonoHandler
}

/** What we read of a Hono app. */
export interface HonoLike {
  readonly routes: readonly HonoRoute[]
  readonly router: {
    match(
      method: string,
      path: string,
    ): readonly [readonly (readonly [unknown, unknown])[], ...unknown[]]
  }
  /** Decodes a path, and cuts a slash from its end where the app is not strict. */
  getPath(request: Request): string
}

export function isHono(app: object): app is HonoLike {
  const hono = app as Partial<HonoLike>
  // Express 4 throws for `router`: it is asked last.
  return Array.isArray(hono.routes) && typeof hono.router?.match === 'function'
}

/**
 * Asks the app's own router, so that every kind of path is matched as it will be. No route can be
 * added afterwards.
 */
export function routesOfHono(app: HonoLike): AppRoutes {
  const { routes, router } = app
  return {
    byTemplate: false,
    find(method, path) {
      const verb = method === 'head' ? 'GET' : method.toUpperCase()
      const [matched] = router.match(verb, app.getPath(new Request(`http://localhost${path}`)))
      const guards: GuardMark[] = []
      let perhaps: FoundRoute | undefined
      for (const [entry] of matched) {
        const route = (entry as readonly [unknown, HonoRoute])[1]
        const mark = findGuardMark(innermost(route.handler))
        if (mark) guards.push(mark)
        else if (isMounted(route)) throw cannotLookInto(path)
        else {
          const known = answers(route, routes)
          if (known === undefined)
            perhaps ??= { guards: [...guards], template: templateOf(route.path) }
          if (!known) continue
          if (perhaps && perhaps.guards.length < guards.length) throw cannotTell(path)
          return { guards, template: templateOf(route.path) }
        }
      }
      return perhaps
    },
    list(isIgnored) {
      return routes
        .filter((route) => !isIgnored(route.path) && !findGuardMark(innermost(route.handler)))
        .flatMap((route) => {
          if (isMounted(route)) throw cannotSay(route.path, 'is an app mounted there')
          const known = answers(route, routes)
          const template = templateOf(route.path)
          // Hono answers HEAD with GET, always. What perhaps answers every path is more likely no
          // route.
          if (known === false || (known === undefined && !template) || route.method === 'HEAD')
            return []
          if (template === undefined)
            throw cannotSay(route.path, 'has a part that OpenAPI cannot say')
          const methods =
            route.method === 'ALL'
              ? methodsOfAll
              : describedMethods([route.method.toLowerCase()], route.path)
          return methods.map((method) => ({ method, template, path: route.path }))
        })
    },
  }
}

/**
 * Whether what follows never runs: behind a function that takes no `next`, and behind the last of
 * its route. `undefined` where it cannot be known: of `() => …` and `(c, ...rest) => …` nobody sees
 * what they take.
 */
function answers(route: HonoRoute, routes: readonly HonoRoute[]): boolean | undefined {
  const handler = innermost(route.handler)
  const isPlain = !hidesParameters(handler)
  if (handler.length === 1 && isPlain) return true
  const following = routes[routes.indexOf(route) + 1]
  // `use` and `all` are the same to Hono.
  if (
    route.method !== 'ALL' &&
    !(following?.method === route.method && following.path === route.path)
  )
    return true
  return handler.length === 0 || !isPlain ? undefined : false
}

function innermost(handler: HonoHandler): HonoHandler {
  return handler.__COMPOSED_HANDLER ? innermost(handler.__COMPOSED_HANDLER) : handler
}

/**
 * What `mount` makes, that of the app and that of hono/mount: it has no other sign than its own
 * words.
 */
function isMounted({ handler }: HonoRoute): boolean {
  return Function.prototype.toString.call(innermost(handler)).includes('applicationHandler(')
}

function cannotTell(path: string): Error {
  return new Error(
    `it cannot be told whether a function in front of ${path} answers or goes on, and there is a guard behind it: write it as (c) => … or as (c, next) => …`,
  )
}
