import { findGuardMark, type GuardMark } from '../guard/guard-mark.ts'
import { cannotLookInto, cannotSay, methodsOfAll, templateOf, type AppRoutes } from './routes.ts'

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
    match(method: string, path: string): readonly [readonly (readonly [unknown, unknown])[], ...unknown[]]
  }
}

export function isHono(app: object): app is HonoLike {
  const hono = app as Partial<HonoLike>
  // Express 4 throws for `router`: it is asked last.
  return Array.isArray(hono.routes) && typeof hono.router?.match === 'function'
}

/** Asks the app's own router, so that every kind of path is matched as it will be. No route can be added afterwards. */
export function routesOfHono({ routes, router }: HonoLike): AppRoutes {
  return {
    byTemplate: false,
    find(method, path) {
      const verb = method.toUpperCase() === 'HEAD' ? 'GET' : method.toUpperCase()
      const [matched] = router.match(verb, path)
      const guards: GuardMark[] = []
      for (const [entry] of matched) {
        const route = (entry as readonly [unknown, HonoRoute])[1]
        const mark = findGuardMark(innermost(route.handler))
        if (mark) guards.push(mark)
        else if (isMounted(route)) throw cannotLookInto(path)
        else if (answers(route, routes)) return { guards, template: templateOf(route.path) }
      }
      return undefined
    },
    list(isIgnored) {
      return routes
        .filter((route) => !isIgnored(route.path) && !findGuardMark(innermost(route.handler)))
        .flatMap((route) => {
          if (isMounted(route)) throw cannotSay(route.path, 'is an app mounted there')
          if (!answers(route, routes)) return []
          const template = templateOf(route.path)
          if (template === undefined) throw cannotSay(route.path, 'has a part that OpenAPI cannot say')
          return (route.method === 'ALL' ? methodsOfAll : [route.method.toLowerCase()]).map((method) => ({
            method,
            template,
          }))
        })
    },
  }
}

/** The last function of a route, or one that takes no `next`: what follows never runs. */
function answers(route: HonoRoute, routes: readonly HonoRoute[]): boolean {
  if (innermost(route.handler).length < 2) return true
  const following = routes[routes.indexOf(route) + 1]
  return route.method !== 'ALL' && !(following?.method === route.method && following.path === route.path)
}

function innermost(handler: HonoHandler): HonoHandler {
  return handler.__COMPOSED_HANDLER ? innermost(handler.__COMPOSED_HANDLER) : handler
}

/** What `app.mount` registers: it has no other sign than the name of its function. */
function isMounted({ method, path, handler }: HonoRoute): boolean {
  return method === 'ALL' && path.endsWith('*') && handler.name === 'handler' && handler.length === 2
}
