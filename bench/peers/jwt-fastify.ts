// @fastify/jwt, as in its documentation. With the argument "cached" it remembers the tokens that it
// has verified.
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { variable } from '../servers/environment.ts'
import { serveFastify } from '../servers/fastify-routes.ts'
import { audience, issuer } from '../tokens.ts'

/**
 * The part of @fastify/jwt that is used. The package is installed only for measurements, so its own
 * types may be absent.
 */
interface FastifyJwtModule {
  readonly default: FastifyPluginAsync<{ readonly secret: string; readonly verify: object }>
}
type Verifying = FastifyRequest & { jwtVerify(): Promise<unknown> }

const name = '@fastify/jwt'
const { default: fastifyJwt } = (await import(name)) as FastifyJwtModule
const demand = {
  algorithms: ['HS256'],
  allowedIss: issuer,
  allowedAud: audience,
  checkTyp: 'at+jwt',
}
const verify = { ...demand, cache: process.argv[2] === 'cached' }

await serveFastify(
  async (request, reply) => {
    try {
      await (request as Verifying).jwtVerify()
    } catch (error) {
      reply.send(error)
    }
  },
  (app) => app.register(fastifyJwt, { secret: variable('SECRET'), verify }),
)
