// A Hono app with accounts, login and guarded routes.
import { createKeystile } from '@keystile/server'
import { Hono } from 'hono'
import { createGuard, mount } from 'keystile/hono'

const port = Number(process.env['PORT'] ?? 3000)

const keystile = await createKeystile({
  issuer: `http://localhost:${port}/auth`,
  database: 'data/hono-example.db',
  scopes: { 'items:read': 'Read items', 'items:write': 'Change items' },
  defaultScopes: ['items:read'],
})
const guard = createGuard(keystile)

export const app = new Hono()
  .use(mount(keystile))
  .get('/items', guard('items:read'), (c) =>
    c.json({ owner: c.var.user.username, items: ['lamp', 'chair'] }),
  )
  .post('/items', guard('items:write'), (c) => c.json({ created: 'table' }, 201))
