// A route with a second function that guards nothing: no guard in Hono can cost less.
import { serveHono } from './hono-routes.ts'

serveHono((_c, next) => next())
