import type { FastifyInstance, RouteOptions } from 'fastify'

/** A route as it was registered, and the plugin's instance, whose hooks run for the route too. */
export interface RememberedRoute {
  readonly url: string
  readonly options: RouteOptions
  readonly instance: FastifyInstance
}

// A member of the app itself. The instances of its plugins inherit it.
const remembered: unique symbol = Symbol.for('keystile.routes')
type Remembering = FastifyInstance & { [remembered]?: RememberedRoute[] }

/** Remembers the routes that this app registers from now on. */
export function rememberRoutes(app: FastifyInstance): void {
  const remembering: Remembering = app
  if (remembering[remembered]) return
  const routes: RememberedRoute[] = []
  remembering[remembered] = routes
  app.addHook('onRoute', function (options) {
    // Fastify changes the path of these options later, when it adds a prefix with a slash at its
    // end.
    routes.push({ url: options.url, options, instance: this })
  })
}

/** Returns the routes of an app; `undefined` if `rememberRoutes` was not called. */
export function rememberedRoutesOf(app: FastifyInstance): readonly RememberedRoute[] | undefined {
  const remembering: Remembering = app
  return remembering[remembered]
}
