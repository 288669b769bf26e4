// Keystile embedded in Nest on Fastify: the guard loads the user, and asks whether the session was
// revoked.
import { mount } from 'keystile/fastify'
import { Guard, KeystileModule } from 'keystile/nest'
import { createBenchKeystile } from './embedded.ts'
import { serveNest } from './nest-routes.ts'

const keystile = await createBenchKeystile()
const guards = KeystileModule.forRoot(keystile, { openByDefault: true })

await serveNest(Guard('items:read'), guards, (app) => app.register(mount(keystile)))
