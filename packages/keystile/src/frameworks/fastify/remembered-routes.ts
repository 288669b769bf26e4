// Records the routes of a Fastify app while the app registers them, because Fastify cannot list the
// routes and their hooks later. This file does not import the types of Fastify, because `secure()`
// and `describe()` must also compile in apps without Fastify.

/** The member that distinguishes a Fastify app from apps of other frameworks. */
export interface FastifyLike {
  readonly addHook: (...args: never) => unknown
}

interface Registering extends FastifyLike {
  addHook(name: 'onRoute', hook: (this: object, route: RegisteredRoute) => void): unknown
}

interface RegisteredRoute {
  readonly url: string
  readonly method: string | readonly string[]
  readonly onRequest?: unknown
  readonly preValidation?: unknown
  readonly preHandler?: unknown
}

/**
 * A registered route, and the Fastify instance of its plugin. The hooks of that instance also run
 * for the route.
 */
export interface RememberedRoute {
  readonly url: string
  readonly options: RegisteredRoute
  readonly instance: object
}

// The key of the list of routes. The list is a member of the app itself, and the instances of its
// plugins inherit it. The symbol is global, so that a second copy of this package in the same
// program finds the routes too.
const remembered: unique symbol = Symbol.for('keystile.routes')

interface WithRoutes {
  [remembered]?: RememberedRoute[]
}

/** Starts to record the routes that this app registers. A second call does nothing. */
export function rememberRoutes(app: Registering): void {
  const withRoutes: Registering & WithRoutes = app
  if (withRoutes[remembered]) return

  const routes: RememberedRoute[] = []
  withRoutes[remembered] = routes
  app.addHook('onRoute', function (options) {
    // Copies the URL, because Fastify changes it in these options later, when it adds a prefix that
    // ends with a slash.
    routes.push({ url: options.url, options, instance: this })
  })
}

/** Returns the recorded routes of an app; `undefined` if `rememberRoutes` was not called. */
export function rememberedRoutesOf(app: FastifyLike): readonly RememberedRoute[] | undefined {
  const withRoutes: FastifyLike & WithRoutes = app
  return withRoutes[remembered]
}
