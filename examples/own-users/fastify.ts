import Fastify from 'fastify'
import { createGuard, mount } from 'keystile/fastify'
import { keystile } from './auth.ts'

const guard = createGuard(keystile)

export const app = Fastify()
app.register(mount(keystile))
app.get('/orders', { onRequest: guard() }, (request, reply) => {
  reply.send({ email: guard.caller(request).user.email, orders: ['lamp', 'chair'] })
})
app.post('/orders', { onRequest: guard('orders:write') }, (_request, reply) => {
  reply.code(201).send({ sold: 'lamp' })
})
