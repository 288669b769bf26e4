// A common hand-written login: Fastify, @fastify/jwt, and bcrypt with its default of 10 rounds,
// users in memory.
import Fastify, { type FastifyPluginAsync, type FastifyRequest } from 'fastify'
import { answer, hostname, variable } from '../servers/environment.ts'

/**
 * The parts of the packages that are used. They are installed only for measurements, so their own
 * types may be absent.
 */
interface Bcrypt {
  hash(password: string, rounds: number): Promise<string>
  compare(password: string, hash: string): Promise<boolean>
}
type Jwt = FastifyPluginAsync<{ readonly secret: string }>
type Verifying = FastifyRequest & {
  readonly user: { readonly sub: string }
  jwtVerify(): Promise<unknown>
}
interface Signing {
  readonly jwt: { sign(claims: object, options: object): string }
}

const [bcryptName, jwtName] = ['bcrypt', '@fastify/jwt']
const { default: bcrypt } = (await import(bcryptName)) as { readonly default: Bcrypt }
const { default: jwt } = (await import(jwtName)) as { readonly default: Jwt }

const username = 'user0'
const users = new Map([[username, { username, hash: await bcrypt.hash(variable('PASSWORD'), 10) }]])

const app = Fastify()
await app.register(jwt, { secret: variable('SECRET') })
const guard = {
  onRequest: async (request: FastifyRequest): Promise<void> =>
    void (await (request as Verifying).jwtVerify()),
}
app.post('/token', async (request, reply) => {
  const { username, password } = request.body as {
    readonly username: string
    readonly password: string
  }
  const user = users.get(username)
  if (!user || !(await bcrypt.compare(password, user.hash)))
    return reply.code(401).send({ detail: 'Incorrect username or password' })
  const token = (app as unknown as Signing).jwt.sign({ sub: username }, { expiresIn: '1d' })
  return { access_token: token, token_type: 'bearer' }
})
app.get('/open', async () => answer)
app.get('/guarded', guard, async () => answer)
app.get('/users/me', guard, (request, reply) => {
  const user = users.get((request as Verifying).user.sub)
  reply.send({ username: user?.username })
})
await app.listen({ port: Number(variable('PORT')), host: hostname })
