// Records the routes of a Fastify app while the app registers them, because Fastify cannot list the
// routes and their hooks later. This file does not import the types of Fastify, because `secure()`
// and `describe()` must also compile in apps without Fastify.

/** The member that distinguishes a Fastify app from apps of other frameworks. */
export interface FastifyLike {
  readonly addHook: (...args: never) => unknown
}

/** What the app passed to Fastify when it registered a route. */
export interface RouteOptions {
  readonly url: string
  readonly method: string | readonly string[]
  readonly onRequest?: unknown
  readonly preValidation?: unknown
  readonly preHandler?: unknown
}

/** A route, and the Fastify instance of its plugin, whose hooks also run for the route. */
export interface RecordedRoute {
  readonly url: string
  readonly options: RouteOptions
  readonly instance: object
}

// The key of the list of routes. The list is a member of the app itself, and the instances of its
// plugins inherit it. The symbol is global, so that a second copy of this package in the same
// program finds the routes too.
const recorded: unique symbol = Symbol.for('keystile.routes')

interface WithRecord extends FastifyLike {
  [recorded]?: RecordedRoute[]
}

interface RecordableApp extends WithRecord {
  addHook(name: 'onRoute', hook: (this: object, route: RouteOptions) => void): unknown
}

/** Starts to record the routes that this app registers. A second call does nothing. */
export function recordRoutes(app: RecordableApp): void {
  if (app[recorded]) return

  const routes: RecordedRoute[] = []
  app[recorded] = routes
  app.addHook('onRoute', function (options) {
    // Copies the URL, because Fastify changes it in these options later, when it adds a prefix that
    // ends with a slash.
    routes.push({ url: options.url, options, instance: this })
  })
}

/** Returns the recorded routes of an app; `undefined` if `recordRoutes` was not called. */
export function recordedRoutesOf(app: WithRecord): readonly RecordedRoute[] | undefined {
  return app[recorded]
}
