import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { answer, hostname, variable } from './environment.ts'

/** A hook that calls `done`, or one that returns a promise. */
type Hook = (
  request: FastifyRequest,
  reply: FastifyReply,
  done: (error?: Error) => void,
) => void | Promise<void>

/**
 * Serves an open route, one behind a hook that does nothing, and a guarded one, in Fastify. `prepare`
 * registers plugins before them.
 */
export async function serveFastify(
  guard: Hook,
  prepare?: (app: FastifyInstance) => unknown,
): Promise<void> {
  const app = Fastify()
  await prepare?.(app)
  app.get('/open', async () => answer)
  const empty: Hook = (_request, _reply, done) => done()
  app.get('/empty', { onRequest: empty }, async () => answer)
  app.get('/guarded', { onRequest: guard }, async () => answer)
  await app.listen({ port: Number(variable('PORT')), host: hostname })
}
