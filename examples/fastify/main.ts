// A Fastify app with accounts, login and guarded routes.
import { createKeystile } from '@keystile/server'
import Fastify from 'fastify'
import { createGuard, mount } from 'keystile/fastify'

const port = Number(process.env['PORT'] ?? 3000)

const keystile = await createKeystile({
  issuer: `http://localhost:${port}/auth`,
  database: 'data/fastify-example.db',
  scopes: { 'items:read': 'Read items', 'items:write': 'Change items' },
  defaultScopes: ['items:read'],
})
const guard = createGuard(keystile)

const app = Fastify()
app.register(mount(keystile))
app.get('/items', { onRequest: guard('items:read') }, (request) => ({ owner: guard.caller(request).user.username }))
app.post('/items', { onRequest: guard('items:write') }, (request, reply) => reply.code(201).send(request.body))

await app.listen({ port, host: 'localhost' })
console.log(`listening on http://localhost:${port}`)
