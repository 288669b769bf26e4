// Keystile's guard in Fastify: a verifier with a key set, without users or with the app's own.
import { createGuard } from 'keystile/fastify'
import { serveFastify } from './fastify-routes.ts'
import { guardOptions } from './guard-options.ts'

await serveFastify(createGuard(guardOptions())('items:read'))
