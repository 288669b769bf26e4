// Keystile's guard in Hono: a verifier with a key set, without users or with the app's own.
import { createGuard } from 'keystile/hono'
import { guardOptions } from './guard-options.ts'
import { serveHono } from './hono-routes.ts'

serveHono(createGuard(guardOptions())('items:read'))
