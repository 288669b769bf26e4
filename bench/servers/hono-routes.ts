import { serve } from '@hono/node-server'
import { Hono, type MiddlewareHandler } from 'hono'
import { answer, hostname, variable } from './environment.ts'

/** Serves an open and a guarded route in Hono. `mounted` gets each request first. */
export function serveHono(guard: MiddlewareHandler, mounted?: MiddlewareHandler): void {
  const app = new Hono()
  if (mounted) app.use(mounted)
  app.get('/open', (c) => c.json(answer)).get('/guarded', guard, (c) => c.json(answer))
  serve({ fetch: app.fetch, port: Number(variable('PORT')), hostname })
}
