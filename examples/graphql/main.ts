// GraphQL: one endpoint, and each field has its own demand.
import { serve } from '@hono/node-server'
import { createKeystile } from '@keystile/server'
import { Hono } from 'hono'
import { createGuard, mount } from 'keystile/hono'
import { execute, FieldError } from './execute.ts'

const port = Number(process.env['PORT'] ?? 3000)

const keystile = await createKeystile({
  issuer: `http://localhost:${port}/auth`,
  database: 'data/graphql-example.db',
  scopes: { 'items:read': 'Read items', 'items:write': 'Change items' },
  defaultScopes: ['items:read'],
})
const guard = createGuard(keystile)

/**
 * Returns the caller of a resolver. A refusal becomes an error of that field; the other fields are
 * still answered.
 */
async function callerOf(deciding: ReturnType<typeof guard.check>) {
  const decision = await deciding
  if (decision.allowed) return decision.caller
  const { code, message } = decision.error
  throw new FieldError(message, { code, status: decision.answer.status })
}

// As in graphql-js and Yoga, a resolver gets the context of its request.
const resolvers = {
  news: () => ['Chairs are in'],
  me: async ({ request }: { request: Request }) =>
    (await callerOf(guard.check(request))).user.username,
  items: async ({ request }: { request: Request }) => {
    const { user } = await callerOf(guard.check(request, 'items:read'))
    return [`a lamp of ${user.username}`]
  },
  removeItems: async ({ request }: { request: Request }) => {
    await callerOf(guard.check(request, { scopes: ['items:write'], maxAgeSeconds: 300 }))
    return true
  },
}

const app = new Hono()
  .use(mount(keystile))
  // A bad token is refused here; without a token, the fields decide.
  .post('/graphql', guard.optional(), async (c) => {
    const { query } = await c.req.json<{ query: string }>()
    return c.json(await execute(resolvers, query, { request: c.req.raw }))
  })

serve({ fetch: app.fetch, hostname: 'localhost', port }, () =>
  console.log(`listening on http://localhost:${port}`),
)
