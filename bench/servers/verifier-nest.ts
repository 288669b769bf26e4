// Keystile's guard in Nest on Fastify: a verifier with a key set, without users or with the app's
// own.
import { Guard, KeystileModule } from 'keystile/nest'
import { guardOptions } from './guard-options.ts'
import { serveNest } from './nest-routes.ts'

const guards = KeystileModule.forRoot(guardOptions(), { openByDefault: true })
await serveNest(Guard('items:read'), guards)
