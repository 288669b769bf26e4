// A route with a hook that guards nothing: no guard in Fastify can cost less.
import { serveFastify } from './fastify-routes.ts'

await serveFastify((_request, _reply, done) => done())
