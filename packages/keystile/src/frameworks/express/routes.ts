// Reads the routes and guards of an Express 4 or 5 app from the layers of its routers: `layers.ts`.
import type { AppRoutes } from '../routes.ts'
import { findRoute } from './find-route.ts'
import type { Layer } from './layers.ts'
import { listRoutes } from './list-routes.ts'

/** An app of Express. The types of its members differ between the versions of Express. */
export interface ExpressLike {
  readonly router?: unknown
  readonly _router?: unknown
}

interface Router {
  readonly stack: readonly Layer[]
}

/** Whether an app is an Express app. An Express app has a member `handle`. */
export function isExpress(app: object): app is ExpressLike {
  return 'handle' in app
}

/** Reads the routes of an Express app from its layers, in the order of the layers. */
export function routesOfExpress(app: ExpressLike): AppRoutes {
  const stack = stackOf(app)
  return {
    byTemplate: false,
    find: (method, path) => findRoute(stack, method, path),
    list: (isIgnored) => listRoutes(stack, '', isIgnored),
  }
}

/** Returns the layers of the app's router; none if the app has no route yet. */
function stackOf(app: object): readonly Layer[] {
  // Reading `router` throws in Express 4. Express 5 creates the router at the first access.
  const { _router } = app as { readonly _router?: Router }
  if (_router) return _router.stack
  try {
    return (app as { readonly router: Router }).router.stack
  } catch {
    return []
  }
}
