import express, { type RequestHandler } from 'express'
import { answer, hostname, variable } from './environment.ts'

/**
 * Serves an open route, one behind a middleware that does nothing, and a guarded one, in Express 5.
 * `mounted` gets each request first.
 */
export function serveExpress(guard: RequestHandler, mounted?: RequestHandler): void {
  const app = express()
  if (mounted) app.use(mounted)
  app.get('/open', (_req, res) => void res.json(answer))
  app.get(
    '/empty',
    (_req, _res, next) => next(),
    (_req, res) => void res.json(answer),
  )
  app.get('/guarded', guard, (_req, res) => void res.json(answer))
  app.listen(Number(variable('PORT')), hostname)
}
