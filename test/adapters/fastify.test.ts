import Fastify, { type FastifyInstance } from 'fastify'
import { createGuard, mount } from 'keystile/fastify'
import type { MakeApp } from './app.ts'
import { describeMount, type Mounted, type MountIn } from './mounted.ts'
import { describeGuards } from './suite.ts'

const makeApp: MakeApp = async ({ options, verified, answer, fail }) => {
  const guard = createGuard(options)
  const app = Fastify()
  app.setErrorHandler((error, _request, reply) => reply.code(500).send(fail(error)))
  app.all('/items', { onRequest: guard('items:read') }, (request) =>
    answer('items', guard.caller(request)),
  )
  app.all('/items/new', { onRequest: guard('items:write') }, (request) =>
    answer('items/new', guard.caller(request)),
  )
  app.all(
    '/any',
    { onRequest: guard.anyOf('items:write', ['items:read', 'items:list']) },
    (request) => answer('any', guard.caller(request)),
  )
  app.get('/me', { onRequest: guard() }, (request) => answer('me', guard.caller(request)))
  app.get('/news', { onRequest: [guard.optional()] }, (request) =>
    answer('news', guard.optional.caller(request)),
  )
  app.get('/news/strict', { onRequest: guard.optional() }, (request) =>
    answer('news/strict', guard.caller(request)),
  )
  app.get(
    '/recent',
    { onRequest: guard({ scopes: ['items:read'], maxAgeSeconds: 300 }) },
    (request) => answer('recent', guard.caller(request)),
  )
  app.get('/strong', { onRequest: guard({ acr: 'mfa' }) }, (request) =>
    answer('strong', guard.caller(request)),
  )
  app.get('/verified', { onRequest: guard(...verified) }, (request) =>
    answer('verified', guard.caller(request)),
  )
  app.get(
    '/verified/any',
    {
      onRequest: guard.anyOf('items:write', ['items:read', 'items:list']),
      preHandler: guard(...verified),
    },
    (request) => answer('verified/any', guard.caller(request)),
  )
  app.get('/verified/news', { onRequest: guard.optional(...verified) }, (request) =>
    answer('verified/news', guard.optional.caller(request)),
  )
  app.get('/secret', { onRequest: guard() }, () => answer('secret', undefined))
  app.get('/open', (request) => answer('open', guard.caller(request)))
  app.get('/throws', { onRequest: guard() }, () => {
    throw new Error('inside')
  })
  app.post('/parsed/after', { onRequest: guard() }, (request) =>
    answer('parsed/after', guard.caller(request), request.body),
  )
  app.post('/parsed/before', { preHandler: guard() }, (request) =>
    answer('parsed/before', guard.caller(request), request.body),
  )
  app.register(
    async (area) => {
      area.addHook('onRequest', guard('items:read'))
      area.get('/read', (request) => answer('area/read', guard.caller(request)))
      area.get('/write', { onRequest: guard('items:write') }, (request) =>
        answer('area/write', guard.caller(request)),
      )
      area.get('/strong', { preHandler: guard({ acr: 'mfa', maxAgeSeconds: 300 }) }, (request) =>
        answer('area/strong', guard.caller(request)),
      )
      area.get('/recent', { preHandler: guard({ maxAgeSeconds: 300 }) }, (request) =>
        answer('area/recent', guard.caller(request)),
      )
      area.get('/news', { onRequest: guard.optional() }, (request) =>
        answer('area/news', guard.optional.caller(request)),
      )
      area.get('/verified', { preHandler: guard(...verified) }, (request) =>
        answer('area/verified', guard.caller(request)),
      )
    },
    { prefix: '/area' },
  )
  app.register(
    async (lounge) => {
      lounge.addHook('onRequest', guard.optional())
      lounge.get('/anybody', (request) => answer('lounge/anybody', guard.optional.caller(request)))
      lounge.get('/members', { onRequest: guard() }, (request) =>
        answer('lounge/members', guard.caller(request)),
      )
    },
    { prefix: '/lounge' },
  )
  await app.ready()
  return (request, response) => app.routing(request, response)
}

describeGuards('Fastify', makeApp, { route: '/items/new', inRouter: '/area/read' })

const mountIn =
  (prepare: (app: FastifyInstance, keystile: Mounted) => unknown, options = {}): MountIn =>
  async (keystile) => {
    const guard = createGuard(keystile)
    const app = Fastify(options)
    await prepare(app, keystile)
    app.get('/items', { onRequest: guard('items:read') }, (request) => ({
      owner: guard.caller(request).user.username,
    }))
    app.post('/echo', (request) => request.body)
    app.post('/auth/own', () => ({ own: true }))
    app.setNotFoundHandler((_request, reply) => reply.code(404).send({ missing: true }))
    await app.ready()
    return (request, response) => app.routing(request, response)
  }

describeMount('Fastify', {
  'at the root': mountIn((app, keystile) => app.register(mount(keystile))),
  'with body parsers of the app': mountIn((app, keystile) => {
    app.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string' },
      (_request, body, done) => {
        done(null, Object.fromEntries(new URLSearchParams(body as string)))
      },
    )
    app.addContentTypeParser('*', (_request, _payload, done) => done(new Error('no such type')))
    app.register(mount(keystile))
  }),
  'with a prefix, and hooks of the app': mountIn(async (app, keystile) => {
    app.addHook('onRequest', async () => {})
    app.addHook('onSend', async (_request, reply, payload) => {
      reply.header('x-app', 'yes')
      return payload
    })
    await app.register(mount(keystile), { prefix: '/api' })
  }),
})
