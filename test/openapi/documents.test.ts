// `secure` on documents of common tools: the result is valid and states what the guards demand.
import 'reflect-metadata'
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fastifySwagger from '@fastify/swagger'
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { Controller, Get, Module, Param, Post, type INestApplication } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ApiOperation, ApiSecurity, DocumentBuilder, SwaggerModule } from '@nestjs/swagger'
import { Validator } from '@seriousme/openapi-schema-validator'
import Fastify from 'fastify'
import { createGuard as createExpressGuard } from 'keystile/express'
import { createGuard as createFastifyGuard, documentRoutes } from 'keystile/fastify'
import { createGuard as createHonoGuard } from 'keystile/hono'
import { Guard, KeystileModule, OptionalGuard, Public, secureDocument } from 'keystile/nest'
import { secure, type GuardFinder, type OpenApiDocument } from 'keystile/openapi'
import { createTestIssuer } from 'keystile/testing'
import { decorate } from '../adapters/nest-app.ts'
import { scopes } from './plans.ts'

const { verifier } = createTestIssuer()

/** Checks that the document is valid and returns what each operation demands. */
async function securityOf(document: OpenApiDocument): Promise<Readonly<Record<string, unknown>>> {
  const written = JSON.parse(JSON.stringify(document)) as {
    readonly paths: Readonly<
      Record<string, Readonly<Record<string, { readonly security?: unknown }>>>
    >
  }
  assert.deepEqual(await new Validator().validate(written), { valid: true })
  return Object.fromEntries(
    Object.entries(written.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, { security }]) => [`${method} ${path}`, security]),
    ),
  )
}

describe('secure() with a document from @hono/zod-openapi', () => {
  const guard = createHonoGuard({ verifier, scopes })
  const Item = z
    .object({ id: z.string().openapi({ example: 'a1' }), name: z.string() })
    .openapi('Item')
  const answers = (c: { json(value: unknown, status: 200): Response }): never =>
    c.json({ id: 'a1', name: 'One' }, 200) as never
  const responses = {
    200: { description: 'Found', content: { 'application/json': { schema: Item } } },
  }
  const app = new OpenAPIHono()
  const items = new OpenAPIHono()
  items.use(guard('items:read'))
  items.openapi(
    createRoute({
      method: 'get',
      path: '/{id}',
      request: { params: z.object({ id: z.string().length(2) }) },
      responses,
    }),
    answers,
  )
  items.openapi(
    createRoute({
      method: 'put',
      path: '/{id}',
      middleware: [guard({ scopes: ['items:write'], maxAgeSeconds: 300 })] as const,
      request: {
        params: z.object({ id: z.string() }),
        body: { content: { 'application/json': { schema: Item } }, required: true },
      },
      responses: { ...responses, 400: { description: 'Not an item' } },
    }),
    answers,
  )
  app.route('/items', items)
  app.openapi(
    createRoute({ method: 'get', path: '/news', middleware: guard.optional(), responses }),
    answers,
  )
  app.openapi(createRoute({ method: 'get', path: '/open', responses }), answers)
  const info = { title: 'Items', version: '1' }

  for (const document of [
    app.getOpenAPI31Document({ openapi: '3.1.0', info }),
    app.getOpenAPIDocument({ openapi: '3.0.3', info }),
  ]) {
    it(`secure() documents a Hono app’s guards in valid OpenAPI ${document.openapi}`, async () => {
      assert.deepEqual(await securityOf(secure(document, app)), {
        'get /items/{id}': [{ keystile: ['items:read'] }],
        'put /items/{id}': [{ keystile: ['items:read', 'items:write'] }],
        'get /news': [{ keystile: [] }, {}],
        'get /open': undefined,
      })
    })
  }

  it('secure() keeps the bodies and error answers that the Hono app has described', () => {
    const { paths } = secure(app.getOpenAPI31Document({ openapi: '3.1.0', info }), app)
    const { requestBody, responses } = paths!['/items/{id}']!.put!
    assert.ok(requestBody)
    assert.deepEqual(Object.keys(responses!), ['200', '400', '401', '403', '503'])
    assert.equal((responses![400] as { description: string }).description, 'Not an item')
  })
})

describe('secure() with a document from @fastify/swagger', () => {
  const guard = createFastifyGuard({ verifier, scopes })

  it('secure() documents guards of Fastify plugins and routes in valid OpenAPI 3.1', async () => {
    const app = Fastify()
    await app.register(documentRoutes)
    await app.register(fastifySwagger, {
      openapi: { openapi: '3.1.0', info: { title: 'Items', version: '1' } },
    })
    const response = {
      200: { description: 'Found', type: 'object', properties: { id: { type: 'string' } } },
    }
    const answer = async (): Promise<object> => ({ id: 'a1' })
    await app.register(
      async (items) => {
        items.addHook('onRequest', guard('items:read'))
        items.get('/:id(^[a-z][0-9]$)', { schema: { response } }, answer)
        items.post(
          '/',
          { preHandler: guard.anyOf('items:write', 'admin'), schema: { response } },
          answer,
        )
        items.get('/:shop/last-:count', { schema: { response } }, answer)
      },
      { prefix: '/items' },
    )
    app.get('/files/*', { onRequest: guard() }, answer)
    app.get('/times/::now', { onRequest: guard.optional() }, answer)
    app.get('/open', answer)
    await app.ready()
    const document = app.swagger() as OpenApiDocument
    // OpenAPI has no wildcards; @fastify/swagger writes them, and the validator accepts them.
    assert.deepEqual(await securityOf(secure(document, app)), {
      'get /items/{id}': [{ keystile: ['items:read'] }],
      'post /items/': [
        { keystile: ['items:read', 'items:write'] },
        { keystile: ['items:read', 'admin'] },
      ],
      'get /items/{shop}/last-{count}': [{ keystile: ['items:read'] }],
      'get /files/{*}': [{ keystile: [] }],
      'get /times/:now': [{ keystile: [] }, {}],
      'get /open': undefined,
    })
    await app.close()
  })

  it('secure() refuses Swagger 2.0, which @fastify/swagger writes by default', async () => {
    const app = Fastify()
    await app.register(documentRoutes)
    await app.register(fastifySwagger)
    await app.ready()
    assert.throws(
      () => secure(app.swagger() as OpenApiDocument, app),
      /TypeError: .*set its option "openapi"/,
    )
    await app.close()
  })
})

describe('secure() with a document from @nestjs/swagger', () => {
  const guard = createExpressGuard({ verifier, scopes })

  it('for a Nest app, secure() documents the guards that a callback returns', async () => {
    class Items {
      find(id: string): object {
        return { id }
      }
      create(): object {
        return {}
      }
    }
    // Decorators are called as functions, because Node does not support their syntax.
    Controller('items')(Items)
    const decorate = (name: keyof Items, ...decorators: readonly MethodDecorator[]): void => {
      for (const one of decorators)
        one(Items.prototype, name, Object.getOwnPropertyDescriptor(Items.prototype, name)!)
    }
    decorate('find', Get(':id'))
    decorate('create', Post())
    Param('id')(Items.prototype, 'find', 0)
    Reflect.defineMetadata('design:paramtypes', [String], Items.prototype, 'find')
    class App {
      configure(): void {}
    }
    Module({ controllers: [Items] })(App)
    const app = await NestFactory.create(App, { logger: false })
    const document = SwaggerModule.createDocument(
      app,
      new DocumentBuilder().setTitle('Items').build(),
    )
    const guards: Readonly<Record<string, readonly unknown[]>> = {
      'get /items/{id}': [guard('items:read')],
      'post /items': [],
    }
    const find: GuardFinder = (method, path) => guards[`${method} ${path}`]
    assert.deepEqual(await securityOf(secure(document as OpenApiDocument, find)), {
      'get /items/{id}': [{ keystile: ['items:read'] }],
      'post /items': undefined,
    })
    await app.close()
  })

  it('secureDocument describes what the decorators of keystile/nest enforce', async () => {
    const app = await createNestApp()
    const create = (): OpenApiDocument =>
      SwaggerModule.createDocument(app, new DocumentBuilder().build())
    const plain = JSON.stringify(create())
    const document = secureDocument(app, create)
    assert.deepEqual(await securityOf(document), {
      'get /api/v1/items/{id}': [{ keystile: ['items:read'] }],
      'get /api/v1/items/old/{id}': [{ keystile: ['items:read'] }],
      'post /api/v1/items': [{ keystile: ['items:read', 'items:write'] }],
      'get /api/admin': [{ keystile: [] }],
      'get /api/admin/open': undefined,
      'get /api/admin/news': [{ bearer: [], keystile: [] }, { bearer: [] }],
      'get /api/copies/{id}': [{ bearer: [], keystile: ['items:write'] }],
    })
    const createWithMore = (): OpenApiDocument => ({
      ...create(),
      paths: { '/more': { get: { responses: {} } } },
    })
    assert.throws(() => secureDocument(app, createWithMore), /the app has no route for GET \/more/)
    // The classes of the app are as before.
    assert.equal(JSON.stringify(create()), plain)
    await app.close()
  })
})

/** An app with a prefix, a version, two classes of one name, own ids and an inherited method. */
async function createNestApp(): Promise<INestApplication> {
  class Items {
    find(): void {}
    create(): void {}
  }
  Controller({ path: 'items', version: '1' })(Items)
  Guard('items:read')(Items)
  decorate(Items, 'find', [Get([':id', 'old/:id'])], [Param('id')])
  decorate(Items, 'create', [Post(), Guard('items:write'), ApiOperation({ operationId: 'add' })])
  Reflect.defineMetadata('design:paramtypes', [String], Items.prototype, 'find')

  const Admin = (() => {
    class Items {
      list(): void {}
      open(): void {}
      news(): void {}
    }
    return Items
  })()
  Controller('admin')(Admin)
  decorate(Admin, 'list', [Get()])
  decorate(Admin, 'open', [Get('open'), Public()])
  decorate(Admin, 'news', [Get('news'), Public(), OptionalGuard(), ApiSecurity('bearer')])

  class Base {
    find(): void {}
  }
  decorate(Base, 'find', [Get(':id')], [Param('id')])
  Reflect.defineMetadata('design:paramtypes', [String], Base.prototype, 'find')
  ApiSecurity('bearer')(Base)
  class Copies extends Base {}
  Controller('copies')(Copies)
  Guard('items:write')(Copies)

  class App {
    readonly name = 'app'
  }
  Module({
    imports: [KeystileModule.forRoot({ verifier, scopes })],
    controllers: [Items, Admin, Copies],
  })(App)
  const app = await NestFactory.create(App, { logger: false })
  app.setGlobalPrefix('api')
  app.enableVersioning()
  return app
}
