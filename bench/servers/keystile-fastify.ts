// Keystile embedded in Fastify on SQLite: the guard loads the user, and asks whether the session
// was revoked.
import { createGuard, mount } from 'keystile/fastify'
import { createBenchKeystile } from './embedded.ts'
import { serveFastify } from './fastify-routes.ts'

const keystile = await createBenchKeystile()

await serveFastify(createGuard(keystile)('items:read'), (app) => app.register(mount(keystile)))
