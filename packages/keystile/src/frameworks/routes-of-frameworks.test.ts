// Tests of the rules that only one framework has. The tests in test/openapi check that the
// documented guards are the guards that run.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import express from 'express'
import express4 from 'express-4'
import Fastify, { type FastifyInstance } from 'fastify'
import { Hono, type Context, type Next } from 'hono'
import { mount as mountHono } from 'hono/mount'
import type { SecuredApp } from '../openapi/app-routes.ts'
import { describe as describeApp, type DocumentInfo } from '../openapi/describe.ts'
import { secure, type OpenApiDocument, type SecureOptions } from '../openapi/secure.ts'
import { createTestIssuer } from '../testing/test-issuer.ts'
import { createGuard as createExpressGuard } from './express/guard.ts'
import {
  createGuard as createFastifyGuard,
  documentRoutes,
  mount as mountInFastify,
} from './fastify/guard.ts'
import { createGuard } from './hono/guard.ts'
import { isHono } from './hono/routes.ts'

const scopes = { read: 'Read', write: 'Write', other: 'Other' }
const options = { verifier: createTestIssuer().verifier, scopes }
const info: DocumentInfo = { title: 'Items', version: '1' }

/** The `security` of a guard without scopes, and of guards with scopes. */
const anybody = [{ keystile: [] }]
const reader = [{ keystile: ['read'] }]
const writer = [{ keystile: ['write'] }]

type Operations = Readonly<Record<string, unknown>>

function securities(document: OpenApiDocument): Operations {
  const paths = Object.entries(
    document.paths as Record<string, Record<string, { readonly security?: unknown }>>,
  )
  return Object.fromEntries(
    paths.flatMap(([path, item]) =>
      Object.entries(item)
        .filter(([method]) => method !== 'parameters')
        .map(([method, { security }]) => [`${method} ${path}`, security]),
    ),
  )
}

const described = (app: SecuredApp, options?: SecureOptions): Operations =>
  securities(describeApp(app, info, options))

function secured(app: SecuredApp, ...operations: readonly string[]): Operations {
  const paths: Record<string, Record<string, object>> = {}
  for (const operation of operations) {
    const [method, path] = operation.split(' ') as [string, string]
    ;(paths[path] ??= {})[method] = { responses: {} }
  }
  return securities(secure({ openapi: '3.1.1', paths }, app))
}

describe('the routes of Hono', () => {
  const guard = createGuard(options)
  const ok = (c: Context): Response => c.text('ok')

  it('secure() finds the Hono route /größe, and the route /x for /x/ if `strict` is false', () => {
    const app = new Hono({ strict: false })
      .get('/größe/:n', guard('read'), ok)
      .get('/x', guard('write'), ok)
    assert.deepEqual(secured(app, 'get /größe/{n}', 'get /x/'), {
      'get /größe/{n}': reader,
      'get /x/': writer,
    })
  })

  it('describeApp finds the routes of nested Hono apps that have their own error handlers', () => {
    const inner = new Hono().use(guard('read')).get('/x', ok)
    inner.onError((_error, c) => c.text('inner', 500))
    const outer = new Hono().use(async (_c, next) => await next()).route('/inner', inner)
    outer.onError((_error, c) => c.text('outer', 500))
    const app = new Hono().route('/outer', outer)
    assert.deepEqual(described(app), { 'get /outer/inner/x': reader })
  })

  it('describeApp includes a Hono guard only if it runs before the handler', () => {
    const app = new Hono()
      .get(
        '/last',
        (_c, next) => next(),
        guard('read'),
        (c: Context, _next: Next) => c.text('ok'),
      )
      .get('/first', ok, guard('read'), ok)
      .get('/nothing', guard('read'), () => new Response('ok'))
      .all('/every', guard('read'), () => new Response('ok'))
      .get('/next', guard('read'), (c: Context, _next: Next) => c.text('ok'))
      .put('/next', guard('write'), ok)
      .get('/other', guard('read'), (c: Context, _next: Next) => c.text('ok'))
      .get('/guarded/*', guard('read'))
      .get('/guarded/x', ok)
      .on(['GET', 'PUT'], ['/a', '/b'], guard('write'), ok)
    const all = ['get', 'put', 'post', 'delete', 'patch'].map((method) => [
      `${method} /every`,
      reader,
    ])
    assert.deepEqual(described(app), {
      'get /last': reader,
      'get /first': undefined,
      'get /nothing': reader,
      ...Object.fromEntries(all),
      'get /next': reader,
      'put /next': writer,
      'get /other': reader,
      'get /guarded/x': reader,
      'get /a': writer,
      'put /a': writer,
      'get /b': writer,
      'put /b': writer,
    })
  })

  it('describeApp refuses a Hono guard behind middleware that has a rest parameter', () => {
    const wrapped = (...all: readonly unknown[]): Promise<void> => (all[1] as Next)()
    const behind = new Hono().use(wrapped as never).get('/x', guard('read'), ok)
    assert.throws(() => described(behind), {
      message:
        'the guard of /x may never run: the parameters of a function before it are unknown. ' +
        'Fix: write that function as (c) => … or as (c, next) => …',
    })
    const rest = (_c: Context, ...all: readonly Next[]): Promise<void> => all[0]!()
    const behindRest = new Hono().use(rest as never).get('/x', guard('read'), ok)
    assert.throws(() => described(behindRest), /the guard of \/x may never run/)
    const before = new Hono()
      .use(guard('read'))
      .use(wrapped as never)
      .get('/x', ok)
    assert.deepEqual(described(before), { 'get /x': reader })
  })

  it('secure() finds a Hono route whose parameter has a pattern', () => {
    const app = new Hono().get('/x/:id{[0-9]+}', guard('read'), ok)
    assert.deepEqual(secured(app, 'get /x/{id}'), { 'get /x/{id}': reader })
  })

  it('describeApp leaves out HEAD routes of Hono, because Hono uses the GET route for HEAD', () => {
    const app = new Hono().on('HEAD', '/x', guard('write'), ok).get('/x', guard('read'), ok)
    assert.deepEqual(secured(app, 'head /x'), { 'head /x': reader })
    assert.deepEqual(described(app), { 'get /x': reader })
  })

  it('describeApp refuses an app mounted in Hono, unless `ignore` lists its paths', () => {
    const foreign = (): Response => new Response('foreign')
    const mounted = new Hono().mount('/foreign', foreign).get('/x', guard('read'), ok)
    const all = new Hono().all('/foreign/*', mountHono(foreign)).get('/x', guard('read'), ok)
    const one = new Hono().get('/foreign/*', mountHono(foreign)).get('/x', guard('read'), ok)
    for (const app of [mounted, all, one]) {
      assert.throws(() => described(app), /the route \/foreign\/\* is a mounted app/)
      assert.deepEqual(described(app, { ignore: ['/foreign/*'] }), { 'get /x': reader })
      assert.throws(() => secured(app, 'get /foreign/x'), /a mounted app answers \/foreign\/x,/)
    }
  })

  it('describeApp does not mistake a Hono middleware named `handler` for a mounted app', () => {
    const handler = async (_c: Context, next: Next): Promise<void> => await next()
    assert.deepEqual(described(new Hono().use(handler).get('/x', guard('read'), ok)), {
      'get /x': reader,
    })
  })

  it('describeApp refuses a Hono wildcard route, unless `ignore` lists it', () => {
    const app = new Hono().get('/x', guard('read'), ok).get('*', ok)
    assert.throws(() => described(app), /the route \/\* has a part that OpenAPI cannot describe/)
    assert.deepEqual(described(app, { ignore: ['/*'] }), { 'get /x': reader })
    assert.deepEqual(secured(app, 'get /other/{id}'), { 'get /other/{id}': undefined })
  })

  it('isHono is true only for an object with routes and a router that has match()', () => {
    assert.ok(isHono(new Hono()))
    for (const app of [{}, { routes: [] }, { routes: [], router: {} }, { router: { match() {} } }])
      assert.equal(isHono(app), false)
  })

  it('describeApp finds the guard of a Hono handler that has a `next` parameter', () => {
    const app = new Hono().get('/x', guard('read'), (c: Context, _next: Next) => c.text('ok'))
    assert.deepEqual(described(app), { 'get /x': reader })
  })

  it('describeApp refuses a Hono route with a method that OpenAPI does not have', () => {
    const app = new Hono().on('PURGE', '/x', guard('read'), ok)
    assert.throws(() => described(app), /the route \/x answers PURGE/)
  })
})

for (const [name, make] of [
  ['5', express],
  ['4', express4],
] as const) {
  describe(`the routes of Express ${name}`, () => {
    const guard = createExpressGuard(options)
    const answer = (_request: unknown, response: { end(): unknown }): void => void response.end()
    const goOn = (_request: unknown, _response: unknown, next: () => void): void => next()
    const onError = (_e: unknown, _request: unknown, _response: unknown, next: () => void): void =>
      next()
    const wildcard = make === express ? '/files/*path' : '/files/*'

    it(`describeApp lists each method of an Express ${name} path with its own guards`, () => {
      const app = make()
      app
        .route('/x')
        .all(goOn, guard('read'))
        .get(answer)
        .put(guard('write'), answer)
        .options(answer)
      app.route('/every').all(guard('write'), answer)
      app.all('/all', guard('read'), answer)
      app.all('/only', guard('read'))
      app.all(wildcard, guard('read'))
      const all = app.route('/goes-on')
      all.all(guard('read'), goOn).get((_request, response, _next) => void response.end())
      app.route('/answers').all((_request, response, _next) => void response.end())
      const both = [{ keystile: ['read', 'write'] }]
      const every = ['get', 'put', 'post', 'delete', 'patch']
      assert.deepEqual(described(app), {
        'get /x': reader,
        'put /x': both,
        'options /x': reader,
        ...Object.fromEntries(every.map((method) => [`${method} /every`, writer])),
        ...Object.fromEntries(every.map((method) => [`${method} /all`, reader])),
        'get /goes-on': reader,
        ...Object.fromEntries(every.map((method) => [`${method} /answers`, undefined])),
      })
      assert.throws(() => secured(app, 'post /x'), /no route for POST \/x/)
    })

    it(`for HEAD, secure() takes the first Express ${name} route that answers GET or HEAD`, () => {
      const app = make()
      app.get('/x', guard('read'), answer)
      app.head('/x', guard('write'), answer)
      const own = make()
      own.route('/x').head(guard('write'), answer).get(guard('read'), answer)
      assert.deepEqual(secured(app, 'head /x'), { 'head /x': reader })
      assert.deepEqual(secured(own, 'head /x'), { 'head /x': writer })
    })

    it(`secure() finds each path of an Express ${name} route that has several paths`, () => {
      const app = make()
      app.use(['/a', '/b'], make.Router().get(['/x', '/y/:id'], guard('read'), answer))
      const all = ['get /a/x', 'get /a/y/{id}', 'get /b/x', 'get /b/y/{id}']
      const expected = Object.fromEntries(all.map((operation) => [operation, reader]))
      assert.deepEqual(secured(app, ...all), expected)
      if (make === express) assert.deepEqual(described(app), expected)
    })

    it(`describeApp refuses an Express ${name} RegExp route, but secure() finds its guard`, () => {
      const app = make()
      app.get(/^\/x\/(\d+)$/, guard('read'), answer)
      assert.throws(() => described(app), /OpenAPI cannot describe/)
      assert.deepEqual(secured(app, 'get /x/{id}'), { 'get /x/{id}': reader })
    })

    it(`secure() applies an Express ${name} guard at RegExp ^/a to /a/bc, but not to /abc`, () => {
      const app = make()
      app.use(/^\/a/, guard('read'))
      app.get('/abc', answer)
      app.get('/a/bc', answer)
      assert.deepEqual(secured(app, 'get /abc', 'get /a/bc'), {
        'get /abc': undefined,
        'get /a/bc': reader,
      })
    })

    it(`if Express ${name} answers OPTIONS itself, secure() finds only app.use() guards`, () => {
      const app = make()
      app.use(guard('read'))
      app.get('/x', guard('write'), answer)
      app.use(make.Router().put('/y', answer))
      app.options('/y', guard('write'), answer)
      assert.deepEqual(secured(app, 'options /x', 'options /y'), {
        'options /x': reader,
        'options /y': reader,
      })
      app.options('/guarded', guard('read'))
      app.route('/guarded').all(guard('read'))
      for (const path of ['/z', '/guarded'])
        assert.throws(() => secured(app, `options ${path}`), /no route/)
    })

    it(`secure() ignores Express ${name} guards that follow a function without \`next\``, () => {
      const app = make()
      app.use((...all: readonly unknown[]) => (all[2] as () => void)())
      app.use((_error: unknown, _request: unknown, _response: unknown, next: () => void) => next())
      app.get(
        '/x',
        ((...all: readonly unknown[]) => (all[2] as () => void)()) as never,
        guard('read'),
        goOn,
        answer,
      )
      app.get('/errors', guard('read'), onError as never)
      app.get('/errors', guard('write'), answer, guard('other'), answer)
      app.use((_request, response) => void response.status(404).end())
      app.get('/late', guard('read'), answer)
      const both = [{ keystile: ['read', 'write'] }]
      const expected = { 'get /x': reader, 'get /errors': both, 'get /late': undefined }
      assert.deepEqual(secured(app, 'get /x', 'get /errors', 'get /late'), expected)
    })

    it(`secure() finds Express ${name} routes with wildcards and optional parameters`, () => {
      const app = make()
      app.get(wildcard, guard('read'), answer)
      app.get(make === express ? '/x{/:id}' : '/x/:id?', guard('read'), answer)
      app.use(/^\/(r\d)/, make.Router().get('/y', guard('read'), answer))
      app.use('/:any', make.Router().get('/y', guard('write'), answer))
      const expected = {
        'get /files/a': reader,
        'get /x': reader,
        'get /x/{id}': reader,
        'get /r1/y': reader,
      }
      assert.deepEqual(secured(app, ...Object.keys(expected)), expected)
      if (make !== express) assert.deepEqual(secured(app, 'get /%28/y'), { 'get /%28/y': writer })
      assert.throws(() => described(app), /OpenAPI cannot describe|does not keep the path/)
    })

    it(`a guard in an Express ${name} router at /a also applies to later routes under /a`, () => {
      const app = make()
      app.use('/a', make.Router().use(guard('read')))
      app.get('/a/x', guard('write'), answer)
      app.get('/b', answer)
      const both = [{ keystile: ['read', 'write'] }]
      assert.deepEqual(secured(app, 'get /a/x', 'get /b'), {
        'get /a/x': both,
        'get /b': undefined,
      })
    })

    it(`secure() prefers the Express ${name} route with the documented parameter names`, () => {
      const app = make()
      const router = make.Router({ mergeParams: true })
      if (make === express) router.get(['/:letters/x'], guard('read'), answer)
      else router.get('/:letters([a-z]+)/x', guard('read'), answer)
      router.get('/:digits/y', guard('write'), answer)
      router.get('/:from-:to', answer)
      app.use('/r/:shop', router)
      app.use(
        make === express ? '/v1/:number' : '/v1/:number(1)',
        make.Router().get('/x', guard('write'), answer),
      )
      const expected = {
        'get /r/{shop}/{letters}/x': reader,
        'get /r/{store}/{digits}/y': writer,
        'get /r/{shop}/{from}-{to}': undefined,
        'get /v1/{number}/x': writer,
      }
      assert.deepEqual(secured(app, ...Object.keys(expected)), expected)
    })

    it(`describeApp refuses apps mounted in Express ${name} unless \`ignore\` lists them`, () => {
      const app = make()
      app.get('/x', guard('read'), answer)
      app.use('/foreign', make())
      if (make === express) {
        assert.throws(() => described(app), /the route \/foreign is a mounted app/)
        assert.deepEqual(described(app, { ignore: ['/foreign'] }), { 'get /x': reader })
      } else {
        const expected = /^Error: the route with an unknown path is a mounted app/
        assert.throws(() => described(app), expected)
      }
    })

    it(`secure() finds routes of Express 5 routers inside an Express ${name} app`, () => {
      const inner = express.Router().get('/x', guard('read'), answer)
      const app = make().use('/a', express.Router().use('/b', inner))
      assert.deepEqual(secured(app, 'get /a/b/x'), { 'get /a/b/x': reader })
      if (make === express) assert.deepEqual(described(app), { 'get /a/b/x': reader })
      else {
        assert.throws(() => described(app), {
          message:
            'this version of Express does not keep the path of the router around /x: ' +
            'use Express 5 with router 2.3 or later, ' +
            'or secure(document, app) with your own document',
        })
        assert.deepEqual(described(app, { ignore: ['/x'] }), {})
      }
    })

    it(`describeApp finds Express ${name} routes in a router mounted without a path`, () => {
      const app = make().use(make.Router().get('/x', guard('read'), answer))
      assert.deepEqual(described(app), { 'get /x': reader })
    })

    it(`describeApp lists no paths for an Express ${name} app without routes`, () => {
      assert.deepEqual(described(make()), {})
    })
  })
}

describe('the document of an app', () => {
  const guard = createExpressGuard(options)
  const answer = (_request: unknown, response: { end(): unknown }): void => void response.end()

  it('describeApp refuses a route if all its requests reach an earlier route', () => {
    const app = express()
    app.get('/:any', answer)
    app.get('/x', guard('read'), answer)
    assert.throws(() => described(app), {
      message:
        'GET /x reaches the route /{any} instead, because the app registers that route first: ' +
        'add the path to "ignore"',
    })
    assert.deepEqual(described(app, { ignore: ['/x'] }), { 'get /{any}': undefined })
  })

  it('secure() asks for parameter examples if a documented path leads to a different route', () => {
    const make = express4
    const app = make()
    app.get('/:letters([a-z]+)/:more([a-z]+)', answer)
    app.get('/:digits([0-9]+)/x', guard('read'), answer)
    app.get('/:letters([a-z]+)/x', answer)
    assert.throws(
      () => secured(app, 'get /{digits}/x', 'get /{letters}/x'),
      /GET \/\{letters\}\/x reaches the route .*: give each path parameter an example/,
    )
    assert.deepEqual(secured(app, 'get /{number}/x'), { 'get /{number}/x': reader })
  })

  it('secure() finds a route with or without a trailing slash', () => {
    const app = express()
    app.get('/x', guard('read'), answer)
    const operations = ['get /x', 'get /x/']
    assert.deepEqual(secured(app, ...operations), { 'get /x': reader, 'get /x/': reader })
  })

  it('secure() replaces the $ref of a guarded path with a copy of the path item', () => {
    const app = express()
    app.get('/a', guard('read'), answer)
    app.get('/b', guard('write'), answer)
    app.get('/c', answer)
    const components = { pathItems: { Item: { summary: 'shared', get: { responses: {} } } } }
    const $ref = '#/components/pathItems/Item'
    const document = {
      openapi: '3.1.1',
      paths: { '/a': { $ref }, '/b': { $ref, summary: 'own' }, '/c': { $ref } },
      components,
    }
    const { paths } = secure(document, app) as unknown as {
      paths: Record<string, Record<string, { security?: unknown }>>
    }
    assert.deepEqual(paths['/a']!['get']!.security, reader)
    assert.deepEqual(paths['/b']!['get']!.security, writer)
    assert.deepEqual([paths['/a']!['summary'], paths['/b']!['summary']], ['shared', 'own'])
    assert.deepEqual(paths['/c'], { $ref })
    for (const $ref of ['other.json#/Item', '#/components/pathItems/Chain', '#/nowhere']) {
      const document = {
        openapi: '3.1.1',
        paths: { '/a': { $ref } },
        components: { pathItems: { Chain: { $ref } } },
      }
      assert.throws(() => secure(document, app), /the \$ref of \/a does not lead to a path item/)
    }
  })

  it('secure() accepts only OpenAPI 3.0 and 3.1', () => {
    for (const openapi of ['3.0.0', '3.0.4', '3.1.0', '3.1.1'])
      secure({ openapi, paths: {} }, express())
    for (const document of [
      undefined,
      null,
      {},
      { openapi: '2.0' },
      { swagger: '2.0' },
      { openapi: '3.2.0' },
      { openapi: '13.1.0' },
    ])
      assert.throws(
        () => secure(document as never, express()),
        /TypeError: the document for secure\(\) must be OpenAPI 3\.0 or 3\.1/,
      )
  })

  it('describeApp leaves out only the paths that `ignore` lists', () => {
    const app = express()
    for (const path of ['/a', '/a/b', '/ab', '/c']) app.get(path, answer)
    const left = (...ignore: readonly string[]): readonly string[] =>
      Object.keys(described(app, { ignore }))
    assert.deepEqual(left('/a'), ['get /a/b', 'get /ab', 'get /c'])
    assert.deepEqual(left('/a/*'), ['get /a', 'get /ab', 'get /c'])
    assert.deepEqual(left('/ab'), ['get /a', 'get /a/b', 'get /c'])
    assert.deepEqual(left('/a*', '/c'), [])
    assert.equal(left('/*').length, 4)
  })

  it('secure() keeps the members of a path item that are not operations', () => {
    const app = express()
    app.get('/x', guard('read'), answer)
    const paths = {
      '/x': { summary: 'X', get: { responses: {} } },
      'x-text': 'text',
      'x-null': null,
    }
    const { paths: after } = secure({ openapi: '3.1.1', paths }, app)
    assert.deepEqual({ ...after, '/x': 0 }, { ...paths, '/x': 0 })
    assert.deepEqual(secure({ openapi: '3.1.1' }, app), { openapi: '3.1.1' })
  })

  it('describeApp lists the parameters of a path', () => {
    const app = express()
    app.get('/:shop/items/:id', answer)
    const schema = { type: 'string' }
    const parameters = ['shop', 'id'].map((name) => ({ name, in: 'path', required: true, schema }))
    assert.deepEqual(describeApp(app, info).paths, {
      '/{shop}/items/{id}': { parameters, get: { responses: { '2XX': { description: 'Done' } } } },
    })
  })

  it('describeApp shows that a route with guards of two issuers needs two tokens', () => {
    const other = createExpressGuard({
      verifier: createTestIssuer({ issuer: 'https://other.example' }).verifier,
    })
    const app = express()
    app.get('/one', guard('read'), answer)
    app.get('/other', other('x', 'y'), answer)
    app.get(
      '/both',
      guard('read'),
      other({ maxAgeSeconds: 60 }),
      guard({ scopes: ['write'], maxAgeSeconds: 30 }),
      answer,
    )
    const document = describeApp(app, info)
    assert.deepEqual(securities(document), {
      'get /one': reader,
      'get /other': [{ keystile2: ['x', 'y'] }],
      'get /both': [{ keystile: ['read', 'write'], keystile2: [] }],
    })
    const { securitySchemes } = document.components as {
      securitySchemes: Record<string, { flows: { password: object } }>
    }
    assert.deepEqual(securitySchemes['keystile']!.flows.password, {
      tokenUrl: 'https://test-issuer.example/token',
      scopes,
    })
    assert.deepEqual(securitySchemes['keystile2']!.flows.password, {
      tokenUrl: 'https://other.example/token',
      scopes: { x: '', y: '' },
    })
    const { get } = (document.paths as Record<string, { get: Record<string, unknown> }>)['/both']!
    assert.equal(get['x-max-age-seconds'], 30)
  })
})

describe('the routes of Fastify', () => {
  const guard = createFastifyGuard(options)
  const answer = async (): Promise<string> => 'ok'
  const make = async (
    fill: (app: ReturnType<typeof Fastify>) => void,
  ): Promise<ReturnType<typeof Fastify>> => {
    const app = Fastify()
    await app.register(documentRoutes)
    fill(app)
    await app.ready()
    return app
  }

  it('describeApp throws until a Fastify app is ready, and then finds the routes', async () => {
    const app = Fastify()
    await app.register(documentRoutes)
    app.addHook('onRequest', guard('read'))
    app.get('/x', answer)
    assert.throws(() => described(app), {
      message: 'this Fastify app is not ready, so its guards are unknown: await app.ready() first',
    })
    await app.ready()
    assert.deepEqual(described(app), { 'get /x': reader })
    await app.close()
  })

  it('describeApp finds Fastify guards in every hook that runs before the handler', async () => {
    const app = await make((app) => {
      app.get('/a', { onRequest: guard('read') }, answer)
      app.get('/b', { preValidation: [guard('read')] }, answer)
      app.get('/c', { preHandler: [async () => {}, guard('read')] }, answer)
      app.get('/d', { preHandler: guard('read'), onRequest: guard('write') }, answer)
    })
    const both = [{ keystile: ['write', 'read'] }]
    assert.deepEqual(described(app), {
      'get /a': reader,
      'get /b': reader,
      'get /c': reader,
      'get /d': both,
    })
    await app.close()
  })

  it('describeApp includes HEAD routes of the app, but not those that Fastify adds', async () => {
    const app = await make((app) => {
      app.head('/own', { onRequest: guard('write') }, answer)
      app.get('/own', { onRequest: guard('read') }, answer)
      app.get('/x', { onRequest: guard('read') }, answer)
      app.head('/alone', { onRequest: guard('read') }, answer)
    })
    const expected = {
      'head /own': writer,
      'get /own': reader,
      'get /x': reader,
      'head /alone': reader,
    }
    assert.deepEqual(described(app), expected)
    assert.deepEqual(secured(app, 'head /own', 'head /x'), {
      'head /own': writer,
      'head /x': reader,
    })
    await app.close()
  })

  it('describeApp lists a Fastify route once for each of its methods', async () => {
    const app = await make((app) => {
      app.all('/all', { onRequest: guard() }, answer)
      app.route({
        method: ['PUT', 'OPTIONS'],
        url: '/some',
        onRequest: guard('write'),
        handler: answer,
      })
    })
    assert.deepEqual(described(app), {
      ...Object.fromEntries(
        ['get', 'put', 'post', 'delete', 'patch'].map((method) => [`${method} /all`, anybody]),
      ),
      'put /some': writer,
      'options /some': writer,
    })
    await app.close()
  })

  it('secure() prefers the Fastify route with the documented parameter names', async () => {
    const app = await make((app) => {
      app.get('/x/:id', { onRequest: guard('read') }, answer)
      app.get('/y/:a(^[0-9]$)/one', { onRequest: guard('read') }, answer)
      app.get('/y/:b(^[a-z]$)/one/', { onRequest: guard('write') }, answer)
      app.get('/t/::now', { onRequest: guard('read') }, answer)
    })
    assert.deepEqual(
      secured(app, 'get /x/{name}', 'get /y/{b}/one/', 'get /y/{z}/one', 'get /t/:now'),
      {
        'get /x/{name}': reader,
        'get /y/{b}/one/': writer,
        'get /y/{z}/one': reader,
        'get /t/:now': reader,
      },
    )
    assert.throws(() => secured(app, 'get /z'), /no route for GET \/z: add the path/)
    assert.ok('get /t/:now' in described(app))
    await app.close()
  })

  it('describeApp refuses Fastify routes that differ only by a constraint', async () => {
    const app = await make((app) => {
      app.get('/x', { constraints: { version: '1.0.0' }, onRequest: guard('read') }, answer)
      app.get('/x', { constraints: { version: '2.0.0' }, onRequest: guard('write') }, answer)
    })
    assert.throws(() => described(app), {
      message:
        'several routes for GET /x have different guards, ' +
        'but a document has one operation for all of them: give them the same guards',
    })
    await app.close()
  })

  it('secure() finds a Fastify wildcard route, but describeApp refuses the route', async () => {
    const app = await make((app) => {
      app.get('/files/*', { onRequest: guard('read') }, answer)
      app.get('/:shop/:shelf/*', { onRequest: guard('write') }, answer)
    })
    assert.throws(
      () => described(app),
      /the route \/files\/\* has a part that OpenAPI cannot describe/,
    )
    assert.deepEqual(described(app, { ignore: ['/files/*', '/:shop/:shelf/*'] }), {})
    const expected = { 'get /files/{*}': reader, 'get /{shop}/{shelf}/{*}': writer }
    assert.deepEqual(secured(app, ...Object.keys(expected)), expected)
    await app.close()
  })

  it('describeApp refuses a Fastify app if it cannot read the app’s hooks', () => {
    const route = { url: '/x', options: { method: 'GET' }, instance: {} }
    const app = {
      addHook() {},
      [Symbol('fastify.state')]: { ready: true },
      [Symbol.for('keystile.routes')]: [route],
    }
    assert.throws(() => described(app), {
      message:
        'Keystile cannot read the hooks of this version of Fastify, ' +
        'so the guards are unknown: ' +
        'use a version that Keystile supports',
    })
    const without = { addHook() {}, [Symbol.for('keystile.routes')]: [] }
    assert.throws(() => described(without), /is not ready/)
  })

  it('describeApp finds all Fastify routes if documentRoutes is registered twice', async () => {
    const app = Fastify()
    await app.register(documentRoutes)
    app.get('/a', answer)
    await app.register(documentRoutes)
    app.get('/b', answer)
    await app.ready()
    assert.deepEqual(Object.keys(described(app)), ['get /a', 'get /b'])
    await app.close()
  })

  it('describeApp finds Fastify routes that were added after Keystile was mounted', async () => {
    const app = Fastify()
    await app.register(mountInFastify({ answer: async () => undefined }))
    app.get('/x', { onRequest: guard('read') }, answer)
    await app.ready()
    assert.deepEqual(described(app), { 'get /x': reader })
    await app.close()
  })

  it('describeApp accepts a Fastify plugin’s own instance in place of the app', async () => {
    let inner: object = {}
    const app = await make((app) => {
      app.register(async (plugin: FastifyInstance) => {
        inner = plugin
        plugin.get('/x', { onRequest: guard('read') }, answer)
      })
    })
    assert.deepEqual(described(inner as SecuredApp), { 'get /x': reader })
    await app.close()
  })

  it('describeApp throws if a Fastify app called neither documentRoutes nor mount', () => {
    assert.throws(() => described(Fastify()), {
      message:
        'the routes of this Fastify app are unknown: ' +
        'call await app.register(documentRoutes), or register mount(…), before the routes',
    })
  })
})
