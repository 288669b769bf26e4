import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import express from 'express'
import express4 from 'express-4'
import Fastify from 'fastify'
import { Hono } from 'hono'
import { createGuard as createExpressGuard } from '../frameworks/express/guard.ts'
import { createGuard as createFastifyGuard, documentRoutes } from '../frameworks/fastify/guard.ts'
import { createGuard } from '../frameworks/hono/guard.ts'
import { createVerifier } from '../guard/verifier.ts'
import { generateKey } from '../keys/generate-key.ts'
import { keySetOf } from '../keys/jwk-set.ts'
import type { SecuredApp } from './app-routes.ts'
import { describe as describeApp } from './describe.ts'
import { secure, type OpenApiDocument } from './secure.ts'

const issuer = 'https://auth.example'
const options = {
  verifier: createVerifier({
    issuer,
    audience: 'api',
    keys: keySetOf([generateKey('ES256')]),
    revocations: 'none',
  }),
  scopes: { 'items:read': 'Read items', 'items:write': 'Change items' },
}
const guard = createGuard(options)
const expressGuard = createExpressGuard(options)
const fastifyGuard = createFastifyGuard(options)

type Operation = {
  readonly security?: unknown
  readonly responses: Record<string, Record<string, unknown>>
}

/** A document with these operations, such as `get /items`. */
const documentOf = (
  ...operations: readonly string[]
): OpenApiDocument & { paths: Record<string, object> } => {
  const paths: Record<string, Record<string, object>> = {}
  for (const operation of operations) {
    const [method, path] = operation.split(' ') as [string, string]
    ;(paths[path] ??= {})[method] = { responses: { 200: { description: 'Yes' } } }
  }
  return { openapi: '3.1.1', paths }
}

const operationIn = (document: OpenApiDocument, operation: string): Operation => {
  const [method, path] = operation.split(' ') as [string, string]
  return (document.paths as Record<string, Record<string, Operation>>)[path]![method]!
}

const securityOf = (app: SecuredApp, operation: string): unknown =>
  operationIn(secure(documentOf(operation), app), operation).security

const read = [{ keystile: ['items:read'] }]
const ok = (c: { text(text: string): Response }): Response => c.text('ok')

const description = 'Leave `client_id` and `client_secret` empty.'

describe('secure()', () => {
  const app = new Hono().get('/items', guard('items:read'), ok).get('/open', ok).get('/plain', ok)

  it('secure() adds the security scheme, the scopes and every possible refusal', () => {
    const document = documentOf('get /items', 'get /open')
    const secured = secure(document, app)
    const { security, responses } = operationIn(secured, 'get /items')
    assert.deepEqual(security, read)
    assert.deepEqual(Object.keys(responses), ['200', '400', '401', '403', '503'])
    for (const status of ['400', '401', '403', '503']) {
      const { headers, content } = responses[status]!
      assert.deepEqual(Object.keys(headers as object), [
        status === '503' ? 'Retry-After' : 'WWW-Authenticate',
      ])
      const schema = { $ref: '#/components/schemas/KeystileProblem' }
      assert.deepEqual(content, { 'application/problem+json': { schema } })
    }
    assert.deepEqual(operationIn(secured, 'get /open'), operationIn(document, 'get /open'))
    const { securitySchemes, schemas } = secured.components as Record<
      string,
      Record<string, unknown>
    >
    const flows = { password: { tokenUrl: `${issuer}/token`, scopes: options.scopes } }
    assert.deepEqual(securitySchemes, { keystile: { type: 'oauth2', description, flows } })
    assert.ok(schemas!['KeystileProblem'])
  })

  it('secure() does not change the given document, and adds nothing to an unguarded route', () => {
    const document = documentOf('get /items')
    secure(document, app)
    assert.deepEqual(document, documentOf('get /items'))
    assert.deepEqual(secure(documentOf('get /open'), app), documentOf('get /open'))
  })

  it('secure() copies the scopes: changing the document does not change the guard', async () => {
    const secured = secure(documentOf('get /items'), app)
    for (const requirement of operationIn(secured, 'get /items').security as Record<
      string,
      string[]
    >[])
      requirement['keystile']!.length = 0
    assert.deepEqual(securityOf(app, 'get /items'), read)
  })

  it('secure() removes Keystile’s security from an operation that has no guard', () => {
    const lost = (security: unknown, ofDocument?: object[]): unknown => {
      const document = documentOf('get /open')
      Object.assign(operationIn(document, 'get /open'), security === undefined ? {} : { security })
      return operationIn(
        secure({ ...document, ...(ofDocument && { security: ofDocument }) }, app),
        'get /open',
      ).security
    }
    assert.deepEqual(lost([{ keystile: ['admin'] }]), [])
    assert.deepEqual(lost(undefined, [{ keystile2: ['admin'] }]), [])
    assert.deepEqual(lost([{ keystile: ['admin'], apiKey: [] }]), [{ apiKey: [] }])
    assert.deepEqual(lost([{ apiKey: [] }]), [{ apiKey: [] }])
    assert.deepEqual(lost([{ keystile: [] }, { apiKey: [] }]), [{}, { apiKey: [] }])
    const similar = [{ 'my-keystile': [], 'keystile-v2': [] }]
    assert.deepEqual(lost(similar), similar)
    assert.equal(lost(undefined, [{ apiKey: [] }]), undefined)
  })

  it('secure() refuses a document if a security scheme of the app has Keystile’s name', () => {
    const apiKey = { type: 'apiKey', in: 'header', name: 'X-Key' }
    const securedWith = (securitySchemes: object): OpenApiDocument =>
      secure({ ...documentOf('get /items'), components: { securitySchemes } }, app)
    assert.throws(() => securedWith({ keystile2: apiKey }), {
      name: 'TypeError',
      message:
        'the security scheme "keystile2" of the document must have a different name, ' +
        'because secure() writes a scheme with this name. Fix: rename the scheme',
    })
    const others = { 'my-keystile': apiKey, 'keystile-v2': apiKey }
    const { securitySchemes } = securedWith(others).components as Record<string, object>
    assert.deepEqual(Object.keys(securitySchemes!), [...Object.keys(others), 'keystile'])
    const secured = secure(documentOf('get /items'), app)
    assert.deepEqual(secure(secured, app), secured)
  })

  it('in `security`, guard.optional adds {}, and guard.anyOf adds one item per alternative', () => {
    const app = new Hono()
      .get('/optional', guard.optional(), ok)
      .get('/optional-scope', guard.optional('items:read'), ok)
      .get('/any', guard.anyOf('items:read', ['items:write', 'items:read']), ok)
      .get('/recent', guard({ maxAgeSeconds: 60 }), ok)
    assert.deepEqual(securityOf(app, 'get /optional'), [{ keystile: [] }, {}])
    assert.deepEqual(securityOf(app, 'get /optional-scope'), [{ keystile: ['items:read'] }, {}])
    assert.deepEqual(securityOf(app, 'get /any'), [
      { keystile: ['items:read'] },
      { keystile: ['items:write', 'items:read'] },
    ])
    const secured = secure(documentOf('get /optional', 'get /recent'), app)
    assert.ok(!('x-max-age-seconds' in operationIn(secured, 'get /optional')))
    assert.deepEqual(Object.keys(operationIn(secured, 'get /optional').responses), [
      '200',
      '400',
      '401',
      '503',
    ])
    assert.equal(
      (operationIn(secured, 'get /recent') as { 'x-max-age-seconds'?: number })[
        'x-max-age-seconds'
      ],
      60,
    )
  })

  it('secure() adds x-acr-values to an operation that demands an acr', () => {
    const app = new Hono()
      .get('/strong', guard({ acr: ['pwd', 'other'] }), guard({ acr: 'mfa' }), ok)
      .get('/either', guard({ acr: ['phrh', 'phr'] }), ok)
      .get('/open', guard(), ok)
    const secured = secure(documentOf('get /strong', 'get /either', 'get /open'), app)
    const valuesOf = (operation: string): unknown =>
      (operationIn(secured, operation) as { 'x-acr-values'?: unknown })['x-acr-values']
    assert.deepEqual(valuesOf('get /strong'), ['mfa'])
    assert.deepEqual(valuesOf('get /either'), ['phrh', 'phr'])
    assert.ok(!('x-acr-values' in operationIn(secured, 'get /open')))
    assert.deepEqual(operationIn(secured, 'get /strong').security, [{ keystile: [] }])
  })

  it('secure() adds x-email-verified to an operation that demands a verified address', () => {
    const withUser = createGuard({ verifier: options.verifier, user: () => ({}) })
    const app = new Hono()
      .get('/verified', withUser(), withUser({ verified: true }), ok)
      .get('/open', withUser(), ok)
    const secured = secure(documentOf('get /verified', 'get /open'), app)
    const verified = operationIn(secured, 'get /verified')
    assert.equal((verified as { 'x-email-verified'?: boolean })['x-email-verified'], true)
    assert.deepEqual(verified.security, [{ keystile: [] }])
    assert.ok('403' in verified.responses)
    const open = operationIn(secured, 'get /open')
    assert.ok(!('x-email-verified' in open) && !('403' in open.responses))
  })

  it('secure() demands one token per issuer if a route has guards of two issuers', () => {
    const otherIssuer = 'https://other.example'
    const keys = keySetOf([generateKey('ES256')])
    const other = createGuard({
      verifier: createVerifier({ issuer: otherIssuer, audience: 'api', keys, revocations: 'none' }),
      user: () => ({}),
    })
    const app = new Hono()
      .get(
        '/both',
        guard({ maxAgeSeconds: 60 }),
        other({ scopes: ['x'], maxAgeSeconds: 30, verified: true }),
        ok,
      )
      .get('/other', other('y'), ok)
    const secured = secure(documentOf('get /both', 'get /other'), app)
    const both = operationIn(secured, 'get /both')
    assert.deepEqual(both.security, [{ keystile: [], keystile2: ['x'] }])
    const { 'x-max-age-seconds': maxAge, 'x-email-verified': verified } = both as object as {
      readonly 'x-max-age-seconds'?: number
      readonly 'x-email-verified'?: boolean
    }
    assert.deepEqual([maxAge, verified], [30, true])
    const { securitySchemes } = secured.components as Record<string, Record<string, unknown>>
    const flows = { password: { tokenUrl: `${otherIssuer}/token`, scopes: { x: '', y: '' } } }
    assert.deepEqual(securitySchemes?.['keystile2'], { type: 'oauth2', description, flows })
  })

  it('secure() keeps the requirements of other security schemes, and adds Keystile’s own', () => {
    const document = { ...documentOf('get /items'), security: [{ apiKey: [] }] }
    assert.deepEqual(operationIn(secure(document, app), 'get /items').security, [
      { apiKey: [], keystile: ['items:read'] },
    ])
    const own = documentOf('get /items')
    Object.assign(operationIn(own, 'get /items'), { security: [{ keystile: ['admin'] }, {}] })
    assert.deepEqual(operationIn(secure(own, app), 'get /items').security, read)
    Object.assign(operationIn(own, 'get /items'), { security: [{ apiKey: [], keystile2: [] }] })
    assert.deepEqual(operationIn(secure(own, app), 'get /items').security, [
      { apiKey: [], keystile: ['items:read'] },
    ])
  })

  it('secure() keeps the descriptions that the app wrote for refusals', () => {
    const document = documentOf('get /items')
    const schema = { type: 'string' }
    Object.assign(operationIn(document, 'get /items').responses, {
      400: { $ref: '#/components/responses/Bad' },
      403: { description: 'Not yours', content: { 'text/plain': { schema } } },
    })
    const { responses } = operationIn(secure(document, app), 'get /items')
    assert.deepEqual(responses['400'], { $ref: '#/components/responses/Bad' })
    assert.equal(responses['403']!['description'], 'Not yours')
    assert.deepEqual(Object.keys(responses['403']!['content'] as object), [
      'application/problem+json',
      'text/plain',
    ])
  })

  it('with the option `securityScheme`, secure() adds that scheme instead of the default', () => {
    const securityScheme = {
      type: 'openIdConnect',
      openIdConnectUrl: 'https://id.example/.well-known/x',
    }
    const secured = secure(documentOf('get /items'), app, { securityScheme })
    assert.deepEqual((secured.components as Record<string, unknown>)['securitySchemes'], {
      keystile: securityScheme,
    })
    assert.deepEqual(secure(secured, app, { securityScheme }), secured)
  })

  it('secure() refuses an operation without a route, unless `ignore` lists the path', () => {
    const document = documentOf('get /items', 'get /elsewhere', 'post /items')
    assert.throws(() => secure(document, app), /no route for POST \/items/)
    assert.throws(
      () => secure(document, app, { ignore: ['/items'] }),
      /no route for GET \/elsewhere/,
    )
    for (const options of [{}, { ignore: ['/else'] }, { ignore: ['/*'] }, { ignore: ['*'] }])
      assert.throws(() => secure(documentOf('get /elsewhere'), app, options), /no route/)
    const other = documentOf('get /elsewhere/a', 'get /items')
    assert.deepEqual(
      operationIn(secure(other, app, { ignore: ['/elsewhere/*', '/x'] }), 'get /items').security,
      read,
    )
  })

  it('secure() refuses a value that is not a document of OpenAPI 3.0 or 3.1', () => {
    for (const document of [undefined, { swagger: '2.0' }, ...['2.0', '3.2.0', '13.1.0'].map(of)])
      assert.throws(() => secure(document as never, app), {
        name: 'TypeError',
        message:
          'the document for secure() must be OpenAPI 3.0 or 3.1. ' +
          'Fix: with @fastify/swagger, set its option "openapi"',
      })
    assert.ok(secure(of('3.0.3'), app))
    function of(openapi: string): OpenApiDocument {
      return { openapi, paths: {} }
    }
  })

  it('if another route answers a path first, the error of secure() names that route', () => {
    const app = new Hono().get('/x/:id', ok).get('/x/:name{[a-z]+}', guard(), ok).get('/:a/:b', ok)
    const first = (path: string, other: string, ...more: readonly string[]): void =>
      assert.throws(() => secure(documentOf(`get ${path}`, ...more), app), {
        message:
          `GET ${path} reaches the route ${other} instead, because the app registers that route first: ` +
          'give each path parameter an example that matches its pattern, ' +
          'or add the path to "ignore"',
      })
    first('/x/{name}', '/x/{id}', 'get /x/{id}')
    first('/y/{id}', '/{a}/{b}')
    assert.equal(securityOf(app, 'get /x/{name}'), undefined) // the route found is /x/:id
    assert.throws(() => secure(documentOf('get /y'), app), {
      message: 'the app has no route for GET /y: add the path to "ignore"',
    })
  })

  it('secure() uses the examples of the path and of the operation to find a route', () => {
    const app = new Hono().get('/x/:a{v7-.+}/:b{w8-.+}', guard(), ok)
    const example = (name: string, example: string): object => ({
      parameters: [{ name, in: 'path', example }],
    })
    const document = documentOf('get /x/{a}/{b}')
    assert.throws(() => secure(document, app), /no route for GET \/x\/\{a\}\/\{b\}: give each/)
    Object.assign(document.paths['/x/{a}/{b}']!, example('a', 'v7-x'))
    Object.assign(operationIn(document, 'get /x/{a}/{b}'), example('b', 'w8-x'))
    const { security } = operationIn(secure(document, app), 'get /x/{a}/{b}')
    assert.deepEqual(security, [{ keystile: [] }])
  })

  it('secure() follows the $ref of a path item without changing the shared item', () => {
    const said = { responses: { 200: { description: 'Yes' } } }
    const document = {
      openapi: '3.1.1',
      paths: {
        '/items': { $ref: '#/components/pathItems/Shared', summary: 'Items' },
        '/open': { $ref: '#/components/pathItems/Shared' },
        '/plain': { $ref: '#/components/pathItems/Plain' },
      },
      components: {
        pathItems: {
          Shared: { get: { ...said, security: [{ keystile: ['admin'] }] } },
          Plain: { get: said },
        },
      },
    }
    const secured = secure(document, app)
    assert.deepEqual(operationIn(secured, 'get /items').security, read)
    assert.equal((secured.paths['/items'] as { summary?: string }).summary, 'Items')
    assert.ok(!('$ref' in secured.paths['/items']))
    assert.deepEqual(operationIn(secured, 'get /open').security, [])
    assert.deepEqual(secured.paths['/plain'], document.paths['/plain'])
    assert.deepEqual(secured.components.pathItems, document.components.pathItems)
  })

  it('secure() refuses a $ref that leads to no path item in the document', () => {
    const components = { pathItems: { Loop: { $ref: '#/components/pathItems/Loop' }, Text: 'x' } }
    for (const $ref of [
      '#/components/pathItems/Loop',
      '#/components/pathItems/Text',
      '#/components/pathItems/Missing',
      'other.json',
    ]) {
      const document = { openapi: '3.1.1', paths: { '/items': { $ref } }, components }
      assert.throws(() => secure(document, app), {
        message:
          'the $ref of /items does not lead to a path item of this document: ' +
          'write the operations into the path itself',
      })
    }
  })

  it('secure() refuses a value that is not an app', () => {
    for (const app of [undefined, null, {}, 'app', 7, { routes: [] }])
      assert.throws(
        () => secure(documentOf(), app as never),
        /TypeError: the app must be a Hono, Express or Fastify app/,
      )
  })

  it('secure() accepts, instead of an app, a function that finds the guards of a path', () => {
    const find = (method: string, path: string): readonly unknown[] | undefined =>
      method === 'get' && path === '/x/{id}' ? [() => {}, guard('items:read')] : undefined
    assert.deepEqual(securityOf(find, 'get /x/{id}'), read)
    assert.throws(() => securityOf(find, 'get /y'), /no route/)
    assert.throws(
      () => describeApp(find, { title: 'Items', version: '1' }),
      /TypeError: describe\(\) must get/,
    )
  })
})

describe('secure() with Hono', () => {
  it('secure() combines the guards of Hono routers, and ignores guards that never run', () => {
    const items = new Hono()
      .use(guard('items:read'))
      .get('/', ok)
      .get('/:id{[0-9]+}', ok)
      .post('/', guard('items:write'), ok)
    items.onError((_error, c) => c.text('broken', 500))
    const app = new Hono()
      .route('/items', items)
      .get('/early', ok)
      .use('/early', guard())
      .use('/later/*', guard())
      .get('/later/on', (_c, next) => next(), guard('items:read'), ok)
      .all('/every', guard(), ok)
    assert.deepEqual(securityOf(app, 'get /items'), read)
    assert.deepEqual(securityOf(app, 'head /items'), read)
    assert.deepEqual(securityOf(app, 'get /items/{number}'), read)
    assert.deepEqual(securityOf(app, 'post /items'), [{ keystile: ['items:read', 'items:write'] }])
    assert.equal(securityOf(app, 'get /early'), undefined)
    assert.deepEqual(securityOf(app, 'get /later/on'), read)
    assert.deepEqual(securityOf(app, 'put /every'), [{ keystile: [] }])
  })

  it('secure() refuses a Hono guard that follows middleware with a rest parameter', () => {
    const traced = (c: never, ...rest: readonly unknown[]): unknown => [c, rest]
    const app = new Hono().use(traced as never).get('/a', guard(), ok)
    assert.throws(
      () => securityOf(app, 'get /a'),
      /the parameters of a function before it are unknown/,
    )
  })

  it('secure() distinguishes Hono routes that differ only in a parameter’s pattern', () => {
    const app = new Hono().get('/x/:id{[0-9]+}', guard(), ok).get('/x/:name{[a-z]+}', ok)
    assert.deepEqual(securityOf(app, 'get /x/{id}'), [{ keystile: [] }])
    assert.equal(securityOf(app, 'get /x/{name}'), undefined)
  })

  it('secure() refuses a path that Hono passes to a mounted app', () => {
    const app = new Hono().mount('/foreign', () => new Response('x')).get('/foreign/x', guard(), ok)
    assert.throws(() => securityOf(app, 'get /foreign/x'), /a mounted app answers/)
  })
})

for (const [name, make] of [
  ['5', express],
  ['4', express4],
] as const) {
  describe(`secure() with Express ${name}`, () => {
    it(`secure() combines the guards of Express ${name} routers and routes`, () => {
      const app = make()
      const answer = (_request: unknown, response: { end(): unknown }): void => void response.end()
      const items = make.Router()
      items.use(expressGuard('items:read'))
      items.get('/:id', answer)
      items.route('/').get(answer).post(expressGuard('items:write'), answer)
      app.use((_request, _response, next) => next())
      app.use('/shops/:shop/items', items)
      app.get('/early', answer)
      app.use('/early', expressGuard())
      app.use(['/a', '/b'], expressGuard())
      app.get('/b/c', [expressGuard('items:read')], answer)
      app.all('/every', expressGuard.optional(), answer)
      app.use((_error: unknown, _request: unknown, _response: unknown, next: () => void) => next())
      assert.deepEqual(securityOf(app, 'get /shops/{shop}/items/{id}'), read)
      assert.deepEqual(securityOf(app, 'get /shops/{shop}/items'), read)
      assert.deepEqual(securityOf(app, 'head /shops/{shop}/items'), read)
      assert.deepEqual(securityOf(app, 'post /shops/{shop}/items'), [
        { keystile: ['items:read', 'items:write'] },
      ])
      assert.equal(securityOf(app, 'get /early'), undefined)
      assert.deepEqual(securityOf(app, 'get /b/c'), read)
      assert.deepEqual(securityOf(app, 'patch /every'), [{ keystile: [] }, {}])
      assert.throws(() => securityOf(app, 'put /early'), /no route/)
      const { paths } = secure(documentOf('get /b/c', 'get /b/c/'), app)
      assert.deepEqual(paths['/b/c'], paths['/b/c/'])
    })

    it(`secure() finds an Express ${name} guard if the path is a regular expression`, () => {
      const app = make()
      app.get(/^\/a(b)?c$/, expressGuard(), (_request, response) => void response.end())
      assert.deepEqual(securityOf(app, 'get /abc'), [{ keystile: [] }])
    })

    it(`secure() finds an Express ${name} guard after a function with a rest parameter`, () => {
      const app = make()
      const answer = (_request: unknown, response: { end(): unknown }): void => void response.end()
      app.use(((_request: never, _response: never, ...rest: (() => void)[]) => rest[0]!()) as never)
      app.use(/^\/dot/, expressGuard())
      app.get('/a', expressGuard(), answer)
      app.get('/dot.txt', answer)
      assert.deepEqual(securityOf(app, 'get /a'), [{ keystile: [] }])
      assert.deepEqual(
        securityOf(app, 'get /dot.txt'),
        name === '4' ? [{ keystile: [] }] : undefined,
      )
    })

    it(`secure() refuses a path that Express ${name} passes to a mounted app`, () => {
      const app = make()
      app.use('/foreign', make())
      app.get('/foreign/x', expressGuard(), (_request, response) => void response.end())
      assert.throws(() => securityOf(app, 'get /foreign/x'), /a mounted app answers/)
    })
  })
}

describe('secure() with Fastify', () => {
  it('secure() combines guards in the hooks of a Fastify route and of its plugins', async () => {
    const app = Fastify()
    await app.register(documentRoutes)
    const answer = async (): Promise<string> => 'ok'
    await app.register(
      async (items) => {
        items.get('/', answer)
        items.post('/', { preHandler: [fastifyGuard('items:write')] }, answer)
        items.addHook('onRequest', fastifyGuard('items:read'))
        await items.register(async (deep) => void deep.get('/:id', answer), { prefix: '/deep' })
      },
      { prefix: '/items' },
    )
    app.get('/open', answer)
    app.get('/optional', { onRequest: fastifyGuard.optional() }, answer)
    await app.ready()
    assert.deepEqual(securityOf(app, 'get /items'), read)
    assert.deepEqual(securityOf(app, 'head /items'), read)
    assert.deepEqual(securityOf(app, 'post /items'), [{ keystile: ['items:read', 'items:write'] }])
    assert.deepEqual(securityOf(app, 'get /items/deep/{id}'), read)
    assert.equal(securityOf(app, 'get /open'), undefined)
    assert.deepEqual(securityOf(app, 'get /optional'), [{ keystile: [] }, {}])
    await app.close()
  })

  it('describeApp lists a Fastify route once if documentRoutes is registered twice', async () => {
    const app = Fastify()
    await app.register(documentRoutes)
    app.get('/before', { onRequest: fastifyGuard() }, async () => 'ok')
    await app.register(documentRoutes)
    app.get('/after', { onRequest: fastifyGuard() }, async () => 'ok')
    await app.ready()
    assert.deepEqual(Object.keys(describeApp(app, { title: 'x', version: '1' }).paths!), [
      '/before',
      '/after',
    ])
    await app.close()
  })

  it('secure() throws an error if a Fastify app did not register documentRoutes', async () => {
    const app = Fastify()
    app.get('/', async () => 'ok')
    assert.throws(() => securityOf(app, 'get /'), /await app.register\(documentRoutes\)/)
    await app.close()
  })
})

describe('describeApp', () => {
  const info = { title: 'Items', version: '1' }
  const said = { responses: { '2XX': { description: 'Done' } } }

  it('describeApp lists the routes of a Hono app and what their guards demand', () => {
    const app = new Hono()
      .use(guard())
      .route('/shops/:shop', new Hono().get('/items', guard('items:read'), ok).post('/items', ok))
      .all('/every', ok)
    const { paths } = describeApp(app, info) as { paths: Record<string, Record<string, Operation>> }
    assert.deepEqual(Object.keys(paths), ['/shops/{shop}/items', '/every'])
    assert.deepEqual(paths['/shops/{shop}/items']!['get']!.security, read)
    assert.deepEqual(paths['/shops/{shop}/items']!['post']!.security, [{ keystile: [] }])
    assert.deepEqual(Object.keys(paths['/every']!), ['get', 'put', 'post', 'delete', 'patch'])
  })

  it('describeApp lists the routes of Express 5 and 4, but refuses a router in Express 4', () => {
    for (const make of [express, express4]) {
      const app = make()
      app.get('/open', (_request, response) => void response.end())
      app.post(
        '/items/:id',
        expressGuard('items:write'),
        (_request, response) => void response.end(),
      )
      assert.deepEqual(describeApp(app, info).paths, {
        '/open': { get: said },
        ...(secure(describeOnly('/items/{id}', 'post'), app).paths as object),
      })
      app.use(
        '/more',
        make.Router().get('/x', expressGuard(), (_request, response) => void response.end()),
      )
      if (make === express) assert.ok('/more/x' in describeApp(app, info).paths!)
      else assert.throws(() => describeApp(app, info), /does not keep the path of the router/)
    }
  })

  const describeOnly = (path: string, method: string): OpenApiDocument => ({
    openapi: '3.1.1',
    paths: {
      [path]: {
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
        [method]: said,
      },
    },
  })

  it('describeApp lists the routes of a Fastify app', async () => {
    const app = Fastify()
    await app.register(documentRoutes)
    app.get('/items/:id', { onRequest: fastifyGuard('items:read') }, async () => 'ok')
    await app.ready()
    assert.deepEqual(
      describeApp(app, info).paths,
      secure(describeOnly('/items/{id}', 'get'), app).paths,
    )
    await app.close()
  })

  it('describeApp refuses two routes that have the same path in the OpenAPI document', () => {
    const app = new Hono().get('/a/:id{[0-9]+}', guard(), ok).get('/a/:id', ok)
    assert.throws(() => describeApp(app, info), {
      message:
        'the routes /a/:id{[0-9]+} and /a/:id are the same operation in a document, GET /a/{id}, ' +
        'which can list only one set of guards. Fix: give their parameters different names',
    })
  })

  it('describeApp refuses a path that OpenAPI cannot express, unless `ignore` lists it', () => {
    const app = new Hono().get('/files/*', (c) => c.text('x')).get('/items', guard(), ok)
    assert.throws(
      () => describeApp(app, info),
      /\/files\/\* has a part that OpenAPI cannot describe/,
    )
    assert.deepEqual(Object.keys(describeApp(app, info, { ignore: ['/files/*'] }).paths!), [
      '/items',
    ])
  })
})
