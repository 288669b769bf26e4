// Records the routes of a Fastify app while the app registers them. Fastify has no way to list them
// later with their hooks.
import type { FastifyInstance, RouteOptions } from 'fastify'

/** A registered route, with the instance of its plugin, whose hooks also run for the route. */
export interface RememberedRoute {
  readonly url: string
  readonly options: RouteOptions
  readonly instance: FastifyInstance
}

// A member of the app itself, which the instances of its plugins inherit. The symbol is global, so
// that a second copy of this package in the same program finds the routes too.
const remembered: unique symbol = Symbol.for('keystile.routes')
type Remembering = FastifyInstance & { [remembered]?: RememberedRoute[] }

/** Starts to record the routes that this app registers. A second call does nothing. */
export function rememberRoutes(app: FastifyInstance): void {
  const remembering: Remembering = app
  if (remembering[remembered]) return

  const routes: RememberedRoute[] = []
  remembering[remembered] = routes
  app.addHook('onRoute', function (options) {
    // Copies the URL, because Fastify changes it in these options later, when it adds a prefix that
    // ends with a slash.
    routes.push({ url: options.url, options, instance: this })
  })
}

/** Returns the recorded routes of an app; `undefined` if `rememberRoutes` was not called. */
export function rememberedRoutesOf(app: FastifyInstance): readonly RememberedRoute[] | undefined {
  const remembering: Remembering = app
  return remembering[remembered]
}
