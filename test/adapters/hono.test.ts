import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { createGuard, mount } from 'keystile/hono'
import { makeHonoApp } from './hono-app.ts'
import { describeMount, type Mounted } from './mounted.ts'
import { describeGuards } from './suite.ts'

describeGuards('Hono', (table) => getRequestListener(makeHonoApp(table)), {
  route: '/items/new',
  inRouter: '/area/read',
})

const routes = (app: Hono, keystile: Mounted): Hono => {
  const guard = createGuard(keystile)
  app.get('/items', guard('items:read'), (c) => c.json({ owner: c.var.user.username }))
  app.post('/echo', async (c) => c.json(await c.req.json()))
  app.post('/auth/own', (c) => c.json({ own: true }))
  app.notFound((c) => c.json({ missing: true }, 404))
  return app
}

describeMount('Hono', {
  'at the root': (keystile) =>
    getRequestListener(routes(new Hono().use(mount(keystile)), keystile).fetch),
  'in an app that another app mounts': (keystile) => {
    const outer = routes(new Hono(), keystile)
    return getRequestListener(outer.route('/', new Hono().use(mount(keystile))).fetch)
  },
})
