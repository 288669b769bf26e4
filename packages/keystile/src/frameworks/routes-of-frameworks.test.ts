// What is particular to a framework. That what is found is what is enforced, in any app:
// test/openapi.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import express from 'express'
import express4 from 'express-4'
import Fastify from 'fastify'
import { Hono, type Context, type Next } from 'hono'
import { mount as mountHono } from 'hono/mount'
import { createGuard as createExpressGuard } from './express/guard.ts'
import { createGuard as createFastifyGuard, documentRoutes } from './fastify/guard.ts'
import { createGuard } from './hono/guard.ts'
import { createTestIssuer } from '../testing/test-issuer.ts'
import { describe as describeApp, type DocumentInfo } from '../openapi/describe.ts'
import {
  secure,
  type OpenApiDocument,
  type SecuredApp,
  type SecureOptions,
} from '../openapi/secure.ts'

const scopes = { read: 'Read', write: 'Write', other: 'Other' }
const options = { verifier: createTestIssuer().verifier, scopes }
const info: DocumentInfo = { title: 'Items', version: '1' }

/** What a guard of nothing, and guards of scopes, look like. */
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

  it('are found by decoded paths, and with any slash at their end where the app is not strict', () => {
    const app = new Hono({ strict: false })
      .get('/größe/:n', guard('read'), ok)
      .get('/x', guard('write'), ok)
    assert.deepEqual(secured(app, 'get /größe/{n}', 'get /x/'), {
      'get /größe/{n}': reader,
      'get /x/': writer,
    })
  })

  it('are those of sub-apps with an error handler, and of theirs, too', () => {
    const inner = new Hono().use(guard('read')).get('/x', ok)
    inner.onError((_error, c) => c.text('inner', 500))
    const outer = new Hono().use(async (_c, next) => await next()).route('/inner', inner)
    outer.onError((_error, c) => c.text('outer', 500))
    const app = new Hono().route('/outer', outer)
    assert.deepEqual(described(app), { 'get /outer/inner/x': reader })
  })

  it('are answered by the last function of a route, or the first that takes no next', () => {
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
      'get /guarded/x': reader,
      'get /a': writer,
      'put /a': writer,
      'get /b': writer,
      'put /b': writer,
    })
  })

  it('cannot be told where a function hides what it takes and a guard is behind it', () => {
    const wrapped = (...all: readonly unknown[]): Promise<void> => (all[1] as Next)()
    const behind = new Hono().use(wrapped as never).get('/x', guard('read'), ok)
    assert.throws(
      () => described(behind),
      /a guard of \/x follows a function that may answer or call next/,
    )
    const before = new Hono()
      .use(guard('read'))
      .use(wrapped as never)
      .get('/x', ok)
    assert.deepEqual(described(before), { 'get /x': reader })
  })

  it('are found for HEAD as Hono answers it: with GET, whatever there is for HEAD', () => {
    const app = new Hono().on('HEAD', '/x', guard('write'), ok).get('/x', guard('read'), ok)
    assert.deepEqual(secured(app, 'head /x'), { 'head /x': reader })
    assert.deepEqual(described(app), { 'get /x': reader })
  })

  it('cannot be seen in what is mounted, by the app or by hono/mount, unless that is ignored', () => {
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

  it('may be called handler without being taken for a mounted app', () => {
    const handler = async (_c: Context, next: Next): Promise<void> => await next()
    assert.deepEqual(described(new Hono().use(handler).get('/x', guard('read'), ok)), {
      'get /x': reader,
    })
  })

  it('may be a wildcard, which a document does not have', () => {
    const app = new Hono().get('/x', guard('read'), ok).get('*', ok)
    assert.throws(() => described(app), /the route \/\* has a part that OpenAPI cannot describe/)
    assert.deepEqual(described(app, { ignore: ['/*'] }), { 'get /x': reader })
    assert.deepEqual(secured(app, 'get /other/{id}'), { 'get /other/{id}': undefined })
  })

  it('may answer methods that OpenAPI does not have', () => {
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

    it('are told apart by the methods of one path', () => {
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

    it('have a HEAD of their own, or that of GET', () => {
      const app = make()
      app.get('/x', guard('read'), answer)
      app.head('/x', guard('write'), answer)
      const own = make()
      own.route('/x').head(guard('write'), answer).get(guard('read'), answer)
      assert.deepEqual(secured(app, 'head /x'), { 'head /x': reader })
      assert.deepEqual(secured(own, 'head /x'), { 'head /x': writer })
    })

    it('are several where there are several paths', () => {
      const app = make()
      app.use(['/a', '/b'], make.Router().get(['/x', '/y/:id'], guard('read'), answer))
      const all = ['get /a/x', 'get /a/y/{id}', 'get /b/x', 'get /b/y/{id}']
      const expected = Object.fromEntries(all.map((operation) => [operation, reader]))
      assert.deepEqual(secured(app, ...all), expected)
      if (make === express) assert.deepEqual(described(app), expected)
    })

    it('may be expressions, which a document does not have', () => {
      const app = make()
      app.get(/^\/x\/(\d+)$/, guard('read'), answer)
      assert.throws(() => described(app), /OpenAPI cannot describe/)
      assert.deepEqual(secured(app, 'get /x/{id}'), { 'get /x/{id}': reader })
    })

    it('are not behind a guard whose expression ends within a segment', () => {
      const app = make()
      app.use(/^\/a/, guard('read'))
      app.get('/abc', answer)
      app.get('/a/bc', answer)
      assert.deepEqual(secured(app, 'get /abc', 'get /a/bc'), {
        'get /abc': undefined,
        'get /a/bc': reader,
      })
    })

    it('are answered for OPTIONS by the router itself, where there are other methods', () => {
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

    it('are behind functions that go on, whatever they take, but not behind one that takes no next', () => {
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

    it('may be wildcards and have optional parts, and are then taken at their word', () => {
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

    it('are behind the guards of routers that had no answer', () => {
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

    it('are told apart in a router by the names of their parameters', () => {
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

    it('cannot be seen in an app that is mounted, unless that is ignored', () => {
      const app = make()
      app.get('/x', guard('read'), answer)
      app.use('/foreign', make())
      if (make === express) {
        assert.throws(() => described(app), /the route \/foreign is a mounted app/)
        assert.deepEqual(described(app, { ignore: ['/foreign'] }), { 'get /x': reader })
      } else assert.throws(() => described(app), /is a mounted app/)
    })

    it('are found in routers of Express 5, and told where the app is one, too', () => {
      const inner = express.Router().get('/x', guard('read'), answer)
      const app = make().use('/a', express.Router().use('/b', inner))
      assert.deepEqual(secured(app, 'get /a/b/x'), { 'get /a/b/x': reader })
      if (make === express) assert.deepEqual(described(app), { 'get /a/b/x': reader })
      else assert.throws(() => described(app), /does not keep the path of the router/)
    })

    it('are none before there is any', () => {
      assert.deepEqual(described(make()), {})
    })
  })
}

describe('a document', () => {
  const guard = createExpressGuard(options)
  const answer = (_request: unknown, response: { end(): unknown }): void => void response.end()

  it('is not made where another route answers first', () => {
    const app = express()
    app.get('/:any', answer)
    app.get('/x', guard('read'), answer)
    assert.throws(() => described(app), {
      message:
        'GET /x is answered by the route /{any}, which the app registers before it: add the path to "ignore"',
    })
    assert.deepEqual(described(app, { ignore: ['/x'] }), { 'get /{any}': undefined })
  })

  it('does not take a route for another that it has as well', () => {
    const make = express4
    const app = make()
    app.get('/:letters([a-z]+)/:more([a-z]+)', answer)
    app.get('/:digits([0-9]+)/x', guard('read'), answer)
    app.get('/:letters([a-z]+)/x', answer)
    assert.throws(
      () => secured(app, 'get /{digits}/x', 'get /{letters}/x'),
      /GET \/\{letters\}\/x is answered by .*: give each path parameter an example/,
    )
    assert.deepEqual(secured(app, 'get /{number}/x'), { 'get /{number}/x': reader })
  })

  it('may end its paths with a slash', () => {
    const app = express()
    app.get('/x', guard('read'), answer)
    const operations = ['get /x', 'get /x/']
    assert.deepEqual(secured(app, ...operations), { 'get /x': reader, 'get /x/': reader })
  })

  it('has an operation of its own for each path that refers to the same', () => {
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

  it('is one of OpenAPI 3.0 or 3.1', () => {
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
        /TypeError: secure takes a document of OpenAPI 3\.0 or 3\.1/,
      )
  })

  it('leaves out what is ignored, and is not all left out', () => {
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

  it('may have more in its paths than operations', () => {
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

  it('names the parameters of a path', () => {
    const app = express()
    app.get('/:shop/items/:id', answer)
    const schema = { type: 'string' }
    const parameters = ['shop', 'id'].map((name) => ({ name, in: 'path', required: true, schema }))
    assert.deepEqual(describeApp(app, info).paths, {
      '/{shop}/items/{id}': { parameters, get: { responses: { '2XX': { description: 'Done' } } } },
    })
  })

  it('knows two issuers apart, and demands both where both are on the way', () => {
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

  it('are known when the app is ready', async () => {
    const app = Fastify()
    await app.register(documentRoutes)
    app.addHook('onRequest', guard('read'))
    app.get('/x', answer)
    assert.throws(() => described(app), /await app\.ready\(\) first/)
    await app.ready()
    assert.deepEqual(described(app), { 'get /x': reader })
    await app.close()
  })

  it('have their guards in any of the hooks before the handler', async () => {
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

  it('have the HEAD that Fastify adds, which is not described, or their own', async () => {
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

  it('may be for all methods, or for several', async () => {
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

  it('are found by other names of parameters, and by their own first', async () => {
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

  it('may differ by more than a document can say', async () => {
    const app = await make((app) => {
      app.get('/x', { constraints: { version: '1.0.0' }, onRequest: guard('read') }, answer)
      app.get('/x', { constraints: { version: '2.0.0' }, onRequest: guard('write') }, answer)
    })
    assert.throws(() => described(app), /several routes for GET \/x have different guards/)
    await app.close()
  })

  it('may be wildcards, which a document does not have', async () => {
    const app = await make((app) => void app.get('/files/*', { onRequest: guard('read') }, answer))
    assert.throws(
      () => described(app),
      /the route \/files\/\* has a part that OpenAPI cannot describe/,
    )
    assert.deepEqual(described(app, { ignore: ['/files/*'] }), {})
    assert.deepEqual(secured(app, 'get /files/{*}'), { 'get /files/{*}': reader })
    await app.close()
  })

  it('cannot be seen in a Fastify that keeps them elsewhere', () => {
    const route = { url: '/x', options: { method: 'GET' }, instance: {} }
    const app = {
      addHook() {},
      [Symbol('fastify.state')]: { ready: true },
      [Symbol.for('keystile.routes')]: [route],
    }
    assert.throws(() => described(app), /keeps its hooks elsewhere/)
  })
})
