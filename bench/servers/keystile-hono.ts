// Keystile embedded in a Hono app on SQLite: the guard loads the user, and asks whether the session was revoked.
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { createGuard, mount } from 'keystile/hono'
import { createBenchKeystile } from './embedded.ts'
import { answer, hostname, variable } from './environment.ts'

const keystile = await createBenchKeystile()
const guard = createGuard(keystile)

const app = new Hono()
  .use(mount(keystile))
  .get('/open', (c) => c.json(answer))
  .get('/guarded', guard('items:read'), (c) => c.json(answer))

serve({ fetch: app.fetch, port: Number(variable('PORT')), hostname })
