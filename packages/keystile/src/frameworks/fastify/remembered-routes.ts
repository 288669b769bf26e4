import type { FastifyInstance, RouteOptions } from 'fastify'

/** A route as it was registered, and where: the hooks of that place are its hooks as well. */
export interface RememberedRoute {
  readonly url: string
  readonly options: RouteOptions
  readonly instance: FastifyInstance
}

// A member of the app itself, which the instances of its plugins inherit.
const remembered: unique symbol = Symbol.for('keystile.routes') as never
type Remembering = FastifyInstance & { [remembered]?: RememberedRoute[] }

/** From now on, the routes of this app are remembered. */
export function rememberRoutes(app: FastifyInstance): void {
  if (routesOf(app)) return
  const routes: RememberedRoute[] = []
  ;(app as Remembering)[remembered] = routes
  app.addHook('onRoute', function (options) {
    // The path of these options changes: a prefix is registered with a slash at its end as well, and not told again.
    routes.push({ url: options.url, options, instance: this })
  })
}

/** The routes of an app, `undefined` where nobody has remembered them. */
export function routesOf(app: FastifyInstance): readonly RememberedRoute[] | undefined {
  return (app as Remembering)[remembered]
}
