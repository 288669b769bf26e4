// Tests of behaviour that differs between frameworks, or between the platforms that run them.
import assert from 'node:assert/strict'
import { IncomingMessage, type RequestListener } from 'node:http'
import { Socket } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import express from 'express'
import express4 from 'express-4'
import Fastify, { type FastifyRequest } from 'fastify'
import { createGuard as createExpressGuard, mount as mountInExpress } from 'keystile/express'
import { createGuard as createFastifyGuard, mount as mountInFastify } from 'keystile/fastify'
import type { AnswerStream, Mountable } from 'keystile/internal'
import { createGuard as createNodeGuard, mount as mountInNode } from 'keystile/node'
import { createStage } from './app.ts'
import { serve } from './client.ts'

describe('a guard when the app has already answered, for example after a timeout', () => {
  const apps: Record<
    string,
    (options: Parameters<typeof createNodeGuard>[0]) => Promise<RequestListener>
  > = {
    'Express 4': async (options) => express4().use(answerNow).use(createExpressGuard(options)()),
    'Express 5': async (options) => express().use(answerNow).use(createExpressGuard(options)()),
    'node:http': async (options) => (request, response) => {
      answerNow(request, response, () => {})
      void createNodeGuard(options)()(request, response, () => {})
    },
    Fastify: async (options) => {
      const app = Fastify()
      app.get('/', { onRequest: createFastifyGuard(options)() }, () => 'in')
      app.addHook('onRequest', (_request, reply, done) => {
        reply.code(503).send('too late')
        done()
      })
      await app.ready()
      return (request, response) => app.routing(request, response)
    },
  }
  const answerNow = (
    _request: unknown,
    response: Parameters<RequestListener>[1],
    next: () => void,
  ): void => {
    response.writeHead(503).end('too late')
    next()
  }
  for (const [framework, makeApp] of Object.entries(apps)) {
    it(`a ${framework} guard logs no error if the app answered already`, async (t: TestContext) => {
      const printed = t.mock.method(console, 'error', () => {})
      const stage = createStage({ withUser: true })
      const served = await serve(await makeApp(stage.table.options))
      t.after(() => served.close())
      const connection = served.connect()
      for (const subject of ['slow-ghost', 'slow-ghost']) {
        stage.hold()
        connection.write(
          `GET / HTTP/1.1\r\nHost: x\r\nAuthorization: ${stage.bearer({ subject })}\r\n\r\n`,
        )
        assert.equal((await connection.read()).text, 'too late')
        if (framework !== 'Fastify') await stage.waiting
        stage.release()
      }
      assert.equal(printed.mock.callCount(), 0)
      connection.socket.destroy()
    })
  }
})

describe('a request without a socket, as on a serverless platform', () => {
  it('guard.check reads request.headers if a Node request has no rawHeaders', async () => {
    const stage = createStage({ withUser: false })
    const guard = createNodeGuard(stage.table.options)
    const request = new IncomingMessage(new Socket())
    Object.assign(request, { method: 'GET', url: '/', headers: { authorization: stage.bearer() } })
    const decision = await guard.check(request)
    assert.ok(decision.allowed)
  })
})

describe('app.inject of Fastify', () => {
  it('app.inject of Fastify can send requests to guards and mounted endpoints', async () => {
    const stage = createStage({ withUser: true })
    const guard = createFastifyGuard(stage.table.options)
    const app = Fastify()
    app.register(
      mountInFastify({ answer: async ({ url }) => (url === '/auth/keys' ? keys : undefined) }),
    )
    app.get('/me', { onRequest: guard() }, (request) => guard.caller(request).user)
    assert.equal((await app.inject('/me')).statusCode, 401)
    const good = await app.inject({ url: '/me', headers: { authorization: stage.bearer() } })
    assert.deepEqual([good.statusCode, good.json()], [200, { name: 'ALICE', emailVerified: true }])
    const two = await app.inject({
      url: '/me',
      headers: { authorization: [stage.bearer(), stage.bearer()] as never },
    })
    assert.equal(two.statusCode, 400)
    const answered = await app.inject('/auth/keys')
    assert.deepEqual(
      [answered.statusCode, answered.body, answered.headers['x-own']],
      [200, 'keys', 'yes'],
    )
  })
  const keys = { status: 200, headers: { 'x-own': 'yes' }, body: 'keys' }
})

describe('a Fastify guard and the hooks of Fastify', () => {
  it('a Fastify guard can run before the body is read, or later as a preHandler hook', async () => {
    const stage = createStage({ withUser: true })
    const guard = createFastifyGuard(stage.table.options)
    const app = Fastify()
    app.post('/first', { onRequest: guard() }, () => 'in')
    app.post('/last', { preHandler: guard() }, () => 'in')
    const broken = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{',
    } as const
    assert.equal((await app.inject({ ...broken, url: '/first' })).statusCode, 401)
    assert.equal((await app.inject({ ...broken, url: '/last' })).statusCode, 400)
    assert.equal((await app.inject({ ...broken, url: '/last', body: '{}' })).statusCode, 401)
  })

  it('after a Fastify guard refuses a request, onSend hooks run, but not the handler', async () => {
    const stage = createStage({ withUser: true })
    const guard = createFastifyGuard(stage.table.options)
    const app = Fastify()
    let entered = 0
    app.addHook(
      'onSend',
      (_request, _reply, payload) => new Promise((resolve) => setImmediate(resolve, payload)),
    )
    app.get('/', { onRequest: guard() }, () => `in ${++entered}`)
    assert.equal((await app.inject('/')).statusCode, 401)
    assert.equal(entered, 0)
  })

  it('Fastify runs the hooks that follow a guard, and answers 500 if a hook throws', async () => {
    const stage = createStage({ withUser: true })
    const guard = createFastifyGuard(stage.table.options)
    const app = Fastify()
    const headers = { authorization: stage.bearer() }
    const failing = (): never => {
      throw new Error('inside')
    }
    app.get('/', { onRequest: [guard(), failing] }, () => 'in')
    for (let time = 0; time < 2; time++) {
      const { statusCode, json } = await app.inject({ url: '/', headers })
      assert.deepEqual([statusCode, json().message], [500, 'inside'])
    }
  })
})

describe('mount() if Keystile itself fails', () => {
  // oxlint-disable-next-line typescript/prefer-promise-reject-errors
  const broken = { answer: () => Promise.reject() }
  it('mount() returns 500 and does not run the app if Keystile fails', async (t: TestContext) => {
    t.mock.method(console, 'error', () => {})
    let entered = 0
    const enter = (_request: unknown, response: Parameters<RequestListener>[1]): void => {
      entered++
      response.end('in')
    }
    const fastify = Fastify()
    fastify.register(mountInFastify(broken))
    fastify.get('/', (_request, reply) => enter(undefined, reply.raw))
    await fastify.ready()
    const apps: readonly RequestListener[] = [
      express().use(mountInExpress(broken)).use(enter),
      express4().use(mountInExpress(broken)).use(enter),
      (request, response) =>
        void mountInNode(broken)(request, response, () => enter(request, response)),
      (request, response) => fastify.routing(request, response),
    ]
    for (const app of apps) {
      const served = await serve(app)
      t.after(() => served.close())
      assert.equal((await served.send({ path: '/' })).status, 500)
    }
    assert.equal(entered, 0)
  })
})

describe('a stream when the HTTP server closes', { timeout: 600_000 }, () => {
  const framework: Record<string, (mountable: Mountable) => Promise<RequestListener>> = {
    'node:http': async (mountable) => (request, response) =>
      void mountInNode(mountable)(request, response, () => {}),
    'Express 5': async (mountable) => express().use(mountInExpress(mountable)),
    Fastify: async (mountable) => {
      const app = Fastify()
      app.register(mountInFastify(mountable))
      await app.ready()
      return (request, response) => app.routing(request, response)
    },
  }
  for (const [name, makeApp] of Object.entries(framework)) {
    it(`after server.close() in ${name}, a stream ends after its next chunk`, async () => {
      let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined
      let isCancelled = false
      const stream: AnswerStream = new ReadableStream({
        start: (given) => void (controller = given),
        cancel: () => void (isCancelled = true),
      })
      const app = await makeApp({ answer: async () => ({ status: 200, headers: {}, stream }) })
      const { server, port } = await serve(app)
      const response = await fetch(`http://127.0.0.1:${port}/`)
      const closed = new Promise((resolve) => server.close(resolve))
      controller?.enqueue(Uint8Array.from(Buffer.from('last')))
      assert.equal(await response.text(), 'last')
      await closed
      assert.ok(isCancelled)
    })
  }
})

describe('mount() in Express', () => {
  it('mount() in Express gets the whole URL, even inside a router', async (t: TestContext) => {
    const urls: string[] = []
    const mounted = mountInExpress({
      async answer({ url }) {
        urls.push(url)
        return { status: 200, headers: {} }
      },
    })
    const apps: readonly RequestListener[] = [
      express().use('/below', mounted),
      (request, response) => void mounted(request, response, () => {}),
    ]
    for (const app of apps) {
      const served = await serve(app)
      t.after(() => served.close())
      await served.send({ path: '/below/x' })
    }
    assert.deepEqual(urls, ['/below/x', '/below/x'])
  })
})

describe('guard.check in Fastify', () => {
  it('guard.check in Fastify accepts Fastify, Node and web requests', async (t: TestContext) => {
    const stage = createStage({ withUser: false })
    const guard = createFastifyGuard(stage.table.options)
    const app = Fastify()
    t.after(() => app.close())
    const decide = async (request: FastifyRequest): Promise<readonly boolean[]> => {
      const web = new Request('http://localhost', {
        headers: { authorization: request.headers.authorization ?? '' },
      })
      const decisions = await Promise.all([
        guard.check(request),
        guard.check(request.raw),
        guard.check(web),
      ])
      return decisions.map(({ allowed }) => allowed)
    }
    app.get('/', (request) => decide(request))
    const authorization = stage.bearer({ subject: 'ada' })
    assert.deepEqual((await app.inject({ url: '/', headers: { authorization } })).json(), [
      true,
      true,
      true,
    ])
    assert.deepEqual((await app.inject('/')).json(), [false, false, false])
  })
})
