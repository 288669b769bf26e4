// A route with a second function that guards nothing: no guard in Express can cost less.
import { serveExpress } from './express-routes.ts'

serveExpress((_req, _res, next) => next())
