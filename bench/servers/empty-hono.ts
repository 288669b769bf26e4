// What Hono itself takes for a second function on a route: the floor under every guard there.
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { answer, hostname, variable } from './environment.ts'

const app = new Hono()
  .get('/open', (c) => c.json(answer))
  .get(
    '/guarded',
    (_c, next) => next(),
    (c) => c.json(answer),
  )

serve({ fetch: app.fetch, port: Number(variable('PORT')), hostname })
