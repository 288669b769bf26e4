// Builds the app that app.ts describes, in Hono.
import { Hono } from 'hono'
import { createGuard } from 'keystile/hono'
import type { MakeFetch } from './app.ts'

export const makeHonoApp: MakeFetch = ({ options, verified, answer, fail }) => {
  const guard = createGuard(options)
  const area = new Hono()
    .use(guard('items:read'))
    .get('/read', (c) => c.json(answer('area/read', guard.caller(c))))
    .get('/write', guard('items:write'), (c) => c.json(answer('area/write', guard.caller(c))))
    .get('/recent', guard({ maxAgeSeconds: 300 }), (c) =>
      c.json(answer('area/recent', guard.caller(c))),
    )
    .get('/strong', guard({ acr: 'mfa', maxAgeSeconds: 300 }), (c) =>
      c.json(answer('area/strong', guard.caller(c))),
    )
    .get('/news', guard.optional(), (c) => c.json(answer('area/news', guard.optional.caller(c))))
    .get('/verified', guard(...verified), (c) => c.json(answer('area/verified', guard.caller(c))))
  const lounge = new Hono()
    .use(guard.optional())
    .get('/anybody', (c) => c.json(answer('lounge/anybody', guard.optional.caller(c))))
    .get('/members', guard(), (c) => c.json(answer('lounge/members', guard.caller(c))))
  const app = new Hono()
    .all('/items', guard('items:read'), (c) => c.json(answer('items', guard.caller(c))))
    .all('/items/new', guard('items:write'), (c) => c.json(answer('items/new', guard.caller(c))))
    .all('/any', guard.anyOf('items:write', ['items:read', 'items:list']), (c) =>
      c.json(answer('any', guard.caller(c))),
    )
    .get('/me', guard(), (c) =>
      c.json(answer('me', { identity: c.var.identity, user: c.var.user })),
    )
    .get('/news', guard.optional(), (c) => c.json(answer('news', guard.optional.caller(c))))
    .get('/news/strict', guard.optional(), (c) => c.json(answer('news/strict', guard.caller(c))))
    .get('/recent', guard({ scopes: ['items:read'], maxAgeSeconds: 300 }), (c) =>
      c.json(answer('recent', guard.caller(c))),
    )
    .get('/strong', guard({ acr: 'mfa' }), (c) => c.json(answer('strong', guard.caller(c))))
    .get('/verified', guard(...verified), (c) => c.json(answer('verified', guard.caller(c))))
    .get(
      '/verified/any',
      guard.anyOf('items:write', ['items:read', 'items:list']),
      guard(...verified),
      (c) => c.json(answer('verified/any', guard.caller(c))),
    )
    .get('/verified/news', guard.optional(...verified), (c) =>
      c.json(answer('verified/news', guard.optional.caller(c))),
    )
    .get('/secret', guard(), (c) => c.json(answer('secret', undefined)))
    .get('/open', (c) => c.json(answer('open', guard.caller(c))))
    .get('/throws', guard(), () => {
      throw new Error('inside')
    })
    .post('/parsed/after', guard(), async (c) =>
      c.json(answer('parsed/after', guard.caller(c), await c.req.json())),
    )
    .post(
      '/parsed/before',
      async (c, next) => {
        await c.req.json()
        await next()
      },
      guard(),
      async (c) => c.json(answer('parsed/before', guard.caller(c), await c.req.json())),
    )
    .route('/area', area)
    .route('/lounge', lounge)
  app.onError((error, c) => c.json(fail(error), 500))
  return (request) => app.fetch(request)
}
