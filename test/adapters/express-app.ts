// Builds the app that app.ts describes, in Express 4 or 5.
import type express from 'express'
import { createGuard, mount } from 'keystile/express'
import type { MakeApp } from './app.ts'
import type { Mounted, MountIn } from './mounted.ts'

export const makeExpressApp =
  (createApp: typeof express): MakeApp =>
  ({ options, verified, answer, fail }) => {
    const guard = createGuard(options)
    const area = createApp
      .Router()
      .use(guard('items:read'))
      .get('/read', (req, res) => void res.json(answer('area/read', guard.caller(req))))
      .get(
        '/write',
        guard('items:write'),
        (req, res) => void res.json(answer('area/write', guard.caller(req))),
      )
      .get(
        '/recent',
        guard({ maxAgeSeconds: 300 }),
        (req, res) => void res.json(answer('area/recent', guard.caller(req))),
      )
      .get(
        '/strong',
        guard({ acr: 'mfa', maxAgeSeconds: 300 }),
        (req, res) => void res.json(answer('area/strong', guard.caller(req))),
      )
      .get(
        '/news',
        guard.optional(),
        (req, res) => void res.json(answer('area/news', guard.optional.caller(req))),
      )
      .get(
        '/verified',
        guard(...verified),
        (req, res) => void res.json(answer('area/verified', guard.caller(req))),
      )
    // An Express app that is mounted in the outer app.
    const lounge = createApp()
    lounge.use(guard.optional())
    lounge.get(
      '/anybody',
      (req, res) => void res.json(answer('lounge/anybody', guard.optional.caller(req))),
    )
    lounge.get(
      '/members',
      guard(),
      (req, res) => void res.json(answer('lounge/members', guard.caller(req))),
    )

    const app = createApp()
    app.all(
      '/items',
      guard('items:read'),
      (req, res) => void res.json(answer('items', guard.caller(req))),
    )
    app.all(
      '/items/new',
      guard('items:write'),
      (req, res) => void res.json(answer('items/new', guard.caller(req))),
    )
    app.all('/any', guard.anyOf('items:write', ['items:read', 'items:list']), (req, res) => {
      res.json(answer('any', guard.caller(req)))
    })
    app.get('/me', guard(), (req, res) => void res.json(answer('me', guard.caller(req))))
    app.get(
      '/news',
      guard.optional(),
      (req, res) => void res.json(answer('news', guard.optional.caller(req))),
    )
    app.get(
      '/news/strict',
      guard.optional(),
      (req, res) => void res.json(answer('news/strict', guard.caller(req))),
    )
    app.get('/recent', guard({ scopes: ['items:read'], maxAgeSeconds: 300 }), (req, res) => {
      res.json(answer('recent', guard.caller(req)))
    })
    app.get('/strong', guard({ acr: 'mfa' }), (req, res) => {
      res.json(answer('strong', guard.caller(req)))
    })
    app.get('/verified', guard(...verified), (req, res) => {
      res.json(answer('verified', guard.caller(req)))
    })
    app.get(
      '/verified/any',
      guard.anyOf('items:write', ['items:read', 'items:list']),
      guard(...verified),
      (req, res) => void res.json(answer('verified/any', guard.caller(req))),
    )
    app.get('/verified/news', guard.optional(...verified), (req, res) => {
      res.json(answer('verified/news', guard.optional.caller(req)))
    })
    app.get('/secret', guard(), (_req, res) => void res.json(answer('secret', undefined)))
    app.get('/open', (req, res) => void res.json(answer('open', guard.caller(req))))
    app.get('/throws', guard(), () => {
      throw new Error('inside')
    })
    app.post('/parsed/after', guard(), createApp.json(), (req, res) => {
      res.json(answer('parsed/after', guard.caller(req), req.body))
    })
    app.post('/parsed/before', createApp.json(), guard(), (req, res) => {
      res.json(answer('parsed/before', guard.caller(req), req.body))
    })
    app.use('/area', area)
    app.use('/lounge', lounge)
    const onError: express.ErrorRequestHandler = (error, _req, res, _next) =>
      void res.status(500).json(fail(error))
    app.use(onError)
    return app
  }

/** Ways to mount Keystile in Express, behind different parsers and routers. */
export const expressMounts = (createApp: typeof express): Readonly<Record<string, MountIn>> => {
  const appWith = (
    keystile: Mounted,
    ...before: readonly express.RequestHandler[]
  ): express.Express => {
    const guard = createGuard(keystile)
    const app = createApp()
    for (const handler of before) app.use(handler)
    app.get(
      '/items',
      guard('items:read'),
      (req, res) => void res.json({ owner: guard.caller(req).user.username }),
    )
    app.post('/echo', createApp.json(), (req, res) => void res.json(req.body))
    app.post('/auth/own', (_req, res) => void res.json({ own: true }))
    app.use((_req, res) => void res.status(404).json({ missing: true }))
    return app
  }
  return {
    'before any parser': (keystile) => appWith(keystile, mount(keystile)),
    'behind express.json and express.urlencoded': (keystile) =>
      appWith(
        keystile,
        createApp.json(),
        createApp.urlencoded({ extended: false }),
        mount(keystile),
      ),
    'behind express.urlencoded({ extended: true })': (keystile) =>
      appWith(
        keystile,
        createApp.urlencoded({ extended: true }),
        createApp.json(),
        mount(keystile),
      ),
    'behind express.text and express.raw': (keystile) =>
      appWith(
        keystile,
        createApp
          .Router()
          .use(
            '/auth',
            createApp.raw({ type: 'application/json' }),
            createApp.text({ type: '*/x-www-form-urlencoded' }),
          ),
        mount(keystile),
      ),
    'below a router': (keystile) => appWith(keystile, createApp.Router().use(mount(keystile))),
    'at its path, which Express strips': (keystile) => {
      const router = createApp.Router().use('/auth', mount(keystile))
      // The path of the metadata, /.well-known, is not below /auth.
      return appWith(keystile, router.use('/.well-known', mount(keystile)))
    },
  }
}
