import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import express from 'express'
import express4 from 'express-4'
import Fastify from 'fastify'
import { Hono } from 'hono'
import { mount as mountExpress } from 'keystile/express'
import { mount as mountFastify } from 'keystile/fastify'
import { mount as mountHono } from 'keystile/hono'
import { mount as mountNode } from 'keystile/node'
import { mount as mountWeb } from 'keystile/web'
import { docs } from './docs.ts'
import { createSwaggerUi } from './swagger-ui.ts'

const document = {
  openapi: '3.1.1',
  info: { title: 'Items & <more>', version: '1' },
  paths: {},
  components: {
    securitySchemes: {
      keystile: {
        type: 'oauth2',
        flows: { password: { tokenUrl: 'https://auth.example/login/token', scopes: {} } },
      },
      same: {
        type: 'oauth2',
        flows: { clientCredentials: { tokenUrl: 'https://auth.example/token', scopes: {} } },
      },
      here: { type: 'oauth2', flows: { password: { tokenUrl: '/token', scopes: {} } } },
      key: { type: 'apiKey', in: 'header', name: 'X-Key' },
    },
  },
}

const app = (made = docs(document)): Hono =>
  new Hono().use(mountHono(made)).all('*', (c) => c.text('the app'))
const get = async (
  path: string,
  made?: ReturnType<typeof docs>,
  init?: RequestInit,
): Promise<Response> => app(made).request(path, init)

describe('docs()', () => {
  it('docs() serves an HTML page, its scripts and styles, and the OpenAPI document', async () => {
    for (const [path, type, part] of [
      ['/docs', 'text/html', '<div id="swagger-ui">'],
      ['/docs/start.js', 'text/javascript', 'SwaggerUIBundle({ url: "/docs/openapi.json"'],
      ['/docs/start.css', 'text/css', '.swagger-ui'],
      ['/docs/swagger-ui.css', 'text/css', '.swagger-ui'],
      ['/docs/swagger-ui-bundle.js', 'text/javascript', 'SwaggerUIBundle'],
      ['/docs/openapi.json', 'application/json', '"openapi":"3.1.1"'],
    ] as const) {
      const answer = await get(path)
      assert.equal(answer.status, 200, path)
      assert.equal(answer.headers.get('content-type')?.split(';')[0], type)
      assert.ok((await answer.text()).includes(part), path)
    }
    assert.deepEqual(await (await get('/docs/openapi.json')).json(), document)
  })

  it('the page of docs() shows the title of the OpenAPI document, escaped', async () => {
    assert.ok(
      (await (await get('/docs')).text()).includes('<title>Items &#38; &#60;more&#62;</title>'),
    )
    for (const untitled of [{}, { info: {} }, { info: { title: 7 } }])
      assert.ok((await (await get('/docs', docs(untitled))).text()).includes('<title>API</title>'))
  })

  it('the page of docs() can send requests only to its own server and the token URL', async () => {
    const policy = async (document: object): Promise<string | undefined> =>
      (await get('/docs', docs(document))).headers
        .get('content-security-policy')!
        .split('; ')
        .find((one) => one.startsWith('connect-src'))
    assert.equal(await policy(document), "connect-src 'self' https://auth.example")
    assert.equal(await policy({}), "connect-src 'self'")
    assert.equal(
      await policy({ components: { securitySchemes: { odd: null, none: { flows: null } } } }),
      "connect-src 'self'",
    )
    assert.equal(
      await policy({
        components: {
          securitySchemes: {
            odd: { flows: { password: { tokenUrl: 7 }, implicit: 'x', other: null } },
          },
        },
      }),
      "connect-src 'self'",
    )
  })

  it('each file of docs() forbids inline scripts, frames and requests to other servers', () => {
    const pages = createSwaggerUi({ path: '/docs', documentPath: '/openapi.json', title: 'API' })
    const policy =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
      "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    for (const [path, type, cache] of [
      ['/docs', 'text/html', 'no-cache'],
      ['/docs/start.js', 'text/javascript', 'public, max-age=3600'],
      ['/docs/swagger-ui.css', 'text/css', 'public, max-age=3600'],
    ] as const)
      assert.deepEqual(pages(path)?.headers, {
        'content-type': `${type}; charset=utf-8`,
        'cache-control': cache,
        'content-security-policy': policy,
        'referrer-policy': 'no-referrer',
      })
    const settings = `{ url: "/openapi.json", dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null }`
    const start = String(pages('/docs/start.js')?.body)
    assert.ok(start.startsWith(`SwaggerUIBundle(${settings})\n`), start)
    const style = pages('/docs/swagger-ui.css')
    assert.ok(style)
    assert.equal(pages('/docs/swagger-ui.css'), style, 'a file is read once')
  })

  it('docs() leaves unknown paths, and POST, DELETE and OPTIONS requests, to the app', async () => {
    for (const path of ['/', '/docsearch', '/docs/', '/docs/other', '/doc', '/DOCS'])
      assert.equal(await (await get(path)).text(), 'the app', path)
    for (const method of ['POST', 'DELETE', 'OPTIONS'])
      assert.equal(await (await get('/docs', undefined, { method })).text(), 'the app', method)
  })

  it('docs() answers HEAD like GET, without the body', async () => {
    const answer = await docs(document).answer({
      method: 'HEAD',
      url: '/docs?x',
      headers: new Headers(),
      body: async () => new Uint8Array(),
    })
    assert.equal(answer?.status, 200)
    assert.equal(answer?.body, undefined)
    assert.equal(answer?.headers['content-type'], 'text/html; charset=utf-8')
  })

  it('docs() creates the OpenAPI document once, at the first request for its page', async () => {
    let made = 0
    const app = new Hono().use(mountHono(docs(() => ({ ...document, made: ++made }))))
    await app.request('/elsewhere')
    assert.equal(made, 0)
    await app.request('/docs')
    const answer = await app.request('/docs/openapi.json')
    assert.equal(((await answer.json()) as { made: number }).made, 1)
    assert.equal(made, 1)
  })

  it('if docs() fails to create the OpenAPI document, the next request tries again', async () => {
    let tries = 0
    const answers = docs(() => {
      if (++tries === 1) throw new Error('the app has no route for GET /items')
      return document
    })
    const app = new Hono().use(mountHono(answers)).onError((error, c) => c.text(error.message, 500))
    assert.equal(await (await app.request('/docs')).text(), 'the app has no route for GET /items')
    assert.equal((await app.request('/docs')).status, 200)
  })

  it('docs(document, { path }) serves the page and its script at that path', async () => {
    const elsewhere = docs(document, { path: '/api/v1.0/docs_~' })
    assert.ok(
      (await (await get('/api/v1.0/docs_~', elsewhere)).text()).includes(
        'src="/api/v1.0/docs_~/start.js"',
      ),
    )
    assert.ok(
      (await (await get('/api/v1.0/docs_~/start.js', elsewhere)).text()).includes(
        '"/api/v1.0/docs_~/openapi.json"',
      ),
    )
    assert.equal(await (await get('/docs', elsewhere)).text(), 'the app')
  })

  it('docs() refuses an invalid path', () => {
    for (const path of [
      '',
      '/',
      'docs',
      '/docs/',
      '//docs',
      '/do cs',
      '/docs"',
      '/docs?x',
      '/<script>',
      '/docs/\n',
    ])
      assert.throws(() => docs(document, { path }), TypeError, JSON.stringify(path))
  })
})

/** Starts a server, sends one request, and stops the server. */
async function ask(listener: RequestListener, path: string): Promise<Response> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`)
    return new Response(await answer.text(), answer)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

describe('docs(), mounted in a framework', () => {
  const mounted: Readonly<Record<string, (path: string) => Promise<Response>>> = {
    Hono: (path) => get(path),
    'Express 5': (path) => {
      const app = express().use(mountExpress(docs(document)))
      return ask(
        app.use((_request, response) => void response.end('the app')),
        path,
      )
    },
    'Express 4': (path) => {
      const app = express4().use(mountExpress(docs(document)))
      return ask(
        app.use((_request, response) => void response.end('the app')),
        path,
      )
    },
    Fastify: async (path) => {
      const app = Fastify()
      await app.register(mountFastify(docs(document)))
      app.setNotFoundHandler(async () => 'the app')
      const { statusCode: status, headers, body } = await app.inject(path)
      await app.close()
      return new Response(body, {
        status,
        headers: { 'content-type': String(headers['content-type']) },
      })
    },
    'node:http': (path) =>
      ask(
        (request, response) =>
          void mountNode(docs(document))(request, response, () => response.end('the app')),
        path,
      ),
    'a web Request': async (path) =>
      (await mountWeb(docs(document))(new Request(`http://localhost${path}`))) ??
      new Response('the app'),
  }
  for (const [framework, asked] of Object.entries(mounted)) {
    it(`in ${framework}, docs() serves only its page, script and OpenAPI document`, async () => {
      const page = await asked('/docs')
      assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8')
      assert.ok((await page.text()).includes('swagger-ui-bundle.js'))
      assert.ok((await (await asked('/docs/swagger-ui-bundle.js')).text()).length > 1_000_000)
      const answer = await asked('/docs/openapi.json')
      assert.equal(answer.headers.get('content-type'), 'application/json')
      assert.deepEqual(await answer.json(), document)
      assert.equal(await (await asked('/items')).text(), 'the app')
    })
  }
})
