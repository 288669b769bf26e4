// Keystile's guard in node:http: a verifier with a key set, without users or with the app's own.
import { createGuard } from 'keystile/node'
import { guardOptions } from './guard-options.ts'
import { serveNode } from './node-routes.ts'

serveNode(createGuard(guardOptions())('items:read'))
