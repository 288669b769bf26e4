// Keystile's guard in Express: a verifier with a key set, without users or with the app's own.
import { createGuard } from 'keystile/express'
import { serveExpress } from './express-routes.ts'
import { guardOptions } from './guard-options.ts'

serveExpress(createGuard(guardOptions())('items:read'))
