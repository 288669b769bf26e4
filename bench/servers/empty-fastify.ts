// No guard, but a hook on a route: the floor under every guard there.
import { serveFastify } from './fastify-routes.ts'

await serveFastify((_request, _reply, done) => done())
