// No guard, but a second function on a route: the floor under every guard there.
import { serveExpress } from './express-routes.ts'

serveExpress((_req, _res, next) => next())
