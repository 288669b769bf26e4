import { getRequestListener } from '@hono/node-server'
import { createGuard, mount } from 'keystile/web'
import { describeMount } from './mounted.ts'
import { describeGuards } from './suite.ts'
import { makeWebApp } from './web-app.ts'

describeGuards('a handler over a web Request', (table) => getRequestListener(makeWebApp(table)))

describeMount('a handler over a web Request', {
  'before everything': (keystile) => {
    const guard = createGuard(keystile)
    const auth = mount(keystile)
    const items = guard('items:read')((_request, { user }) =>
      Response.json({ owner: user.username }),
    )
    const app = async (request: Request): Promise<Response> => {
      const { pathname } = new URL(request.url)
      if (pathname === '/items') return items(request)
      if (pathname === '/echo') return Response.json(await request.json())
      if (pathname === '/auth/own') return Response.json({ own: true })
      return Response.json({ missing: true }, { status: 404 })
    }
    return getRequestListener(async (request) => (await auth(request)) ?? app(request))
  },
})
