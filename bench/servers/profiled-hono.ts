// The routes of verifier-hono.ts, and two routes with one function. Hono composes nothing for
// those, so they show what composing costs: an async handler, and one that calls the guard itself.
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { createGuard } from 'keystile/hono'
import { createGuardCore } from '../../packages/keystile/src/guard/guard.ts'
import { toResponse } from '../../packages/keystile/src/http/message.ts'
import { answer, hostname, variable } from './environment.ts'
import { guardOptions } from './guard-options.ts'
import { addRoutes } from './hono-routes.ts'

const options = guardOptions()
const core = createGuardCore(options)
const demand = core.demand(['items:read'], false)

const app = addRoutes(new Hono(), createGuard(options)('items:read'))
  .get('/async', async (c) => c.json(answer))
  .get('/guarded-inside', (c): Response | Promise<Response> => {
    if (core.enterAtOnce(c, c.req.raw, demand)) return c.json(answer)
    return core
      .enter(c, c.req.raw, demand)
      .then((decision) => (decision.allowed ? c.json(answer) : toResponse(decision.answer)))
  })
serve({ fetch: app.fetch, port: Number(variable('PORT')), hostname })
