// The routes of the app that `secure()` and `describe()` get, of whichever framework it is.
import { isExpress, routesOfExpress, type ExpressLike } from '../frameworks/express/routes.ts'
import type { FastifyLike } from '../frameworks/fastify/recorded-routes.ts'
import { isFastify, routesOfFastify } from '../frameworks/fastify/routes.ts'
import { isHono, routesOfHono, type HonoLike } from '../frameworks/hono/routes.ts'
import type { AppRoutes, GuardFinder } from '../frameworks/routes.ts'
import { findGuardMark } from '../guard/guard-mark.ts'

/**
 * An app of Hono, Express 4 or 5, or Fastify. For any other framework: a function that takes a
 * method and a path, and returns the functions that run for a request with this method and path.
 */
export type SecuredApp = HonoLike | ExpressLike | FastifyLike | GuardFinder

/**
 * Returns the routes of an app of any supported framework.
 *
 * @throws {TypeError} if `app` is not a `SecuredApp`
 * @throws {Error} if the framework does not know its routes or guards yet
 */
export function routesOf(app: SecuredApp): AppRoutes {
  if (typeof app === 'object' ? app !== null : typeof app === 'function') {
    if (isHono(app)) return routesOfHono(app)
    if (isExpress(app)) return routesOfExpress(app)
    if (isFastify(app)) return routesOfFastify(app)
    if (typeof app === 'function') return routesOfFinder(app)
  }
  throw new TypeError(
    'the app must be a Hono, Express or Fastify app; secure() also accepts a function ' +
      '(method, path) that returns the guards of a route',
  )
}

/**
 * Returns the routes of an app that passes its own `GuardFinder`. These routes can be looked up,
 * but not listed.
 */
function routesOfFinder(find: GuardFinder): AppRoutes {
  return {
    byTemplate: true,
    find(method, path) {
      const functions = find(method, path)
      return (
        functions && {
          guards: functions.map(findGuardMark).filter((mark) => mark !== undefined),
          template: path,
        }
      )
    },
    list() {
      throw new TypeError(
        'describe() must get a Hono, Express or Fastify app; it got a plain function',
      )
    },
  }
}
