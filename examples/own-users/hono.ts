import { Hono } from 'hono'
import { createGuard, mount } from 'keystile/hono'
import { keystile } from './auth.ts'

const guard = createGuard(keystile)

export const app = new Hono()
  .use(mount(keystile))
  .get('/orders', guard(), (c) => c.json({ email: c.var.user.email, orders: ['lamp', 'chair'] }))
  .post('/orders', guard('orders:write'), (c) => c.json({ sold: 'lamp' }, 201))
