import { serve } from '@hono/node-server'
import { Hono, type MiddlewareHandler } from 'hono'
import { answer, hostname, variable } from './environment.ts'

/** Serves the routes of `addRoutes` in Hono. `mounted` gets each request first. */
export function serveHono(guard: MiddlewareHandler, mounted?: MiddlewareHandler): void {
  const app = new Hono()
  if (mounted) app.use(mounted)
  addRoutes(app, guard)
  serve({ fetch: app.fetch, port: Number(variable('PORT')), hostname })
}

/** Adds an open route, one behind a middleware that does nothing, and a guarded one. */
export function addRoutes(app: Hono, guard: MiddlewareHandler): Hono {
  app
    .get('/open', (c) => c.json(answer))
    .get(
      '/empty',
      (_c, next) => next(),
      (c) => c.json(answer),
    )
    .get('/guarded', guard, (c) => c.json(answer))
  return app
}
