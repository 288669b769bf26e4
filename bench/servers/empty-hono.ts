// No guard, but a second function on a route: the floor under every guard there.
import { serveHono } from './hono-routes.ts'

serveHono((_c, next) => next())
