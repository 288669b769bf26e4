// Tests of guards in the wrong place: the app itself calls them, or they run after the answer.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import express, { type ErrorRequestHandler } from 'express'
import Fastify from 'fastify'
import { createGuard as createExpressGuard } from 'keystile/express'
import { createGuard as createFastifyGuard } from 'keystile/fastify'
import { createTestIssuer } from 'keystile/testing'

const issuer = createTestIssuer()

async function statusOf(app: express.Express, headers: Record<string, string>): Promise<number> {
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const { port } = server.address() as AddressInfo
    return (await fetch(`http://127.0.0.1:${port}/`, { headers })).status
  } finally {
    server.close()
  }
}

describe('an Express guard that the app calls as a function', () => {
  const guard = createExpressGuard({ verifier: issuer.verifier })

  it('the promise of an Express guard resolves after the refusal has been sent', async () => {
    const app = express().get('/', (request, response) => {
      let isIn = false
      const asked = Promise.resolve(guard()(request, response, () => (isIn = true)))
      return asked.then(() => void (isIn && response.send('secret')))
    })
    assert.equal(await statusOf(app, {}), 401)
    assert.equal(await statusOf(app, issuer.headers()), 200)
  })

  it('if an app calls a guard with a callback that throws, Express handles the error', async () => {
    const seen: unknown[] = []
    const onError: ErrorRequestHandler = (error, _request, response, _next) => {
      seen.push(error)
      response.status(500).end()
    }
    const app = express()
      .get('/', (request, response) =>
        guard()(request, response, () => {
          throw new Error('a bug of the app')
        }),
      )
      .use(onError)
    const headers = issuer.headers()
    assert.deepEqual([await statusOf(app, headers), await statusOf(app, headers)], [500, 500])
    assert.equal(seen.length, 2)
  })
})

describe('a Fastify guard that runs after the answer', () => {
  it('a Fastify guard used as an onResponse hook logs that it runs too late', async () => {
    const lines: string[] = []
    const app = Fastify({
      logger: { level: 'error', stream: { write: (line: string) => void lines.push(line) } },
    })
    const guard = createFastifyGuard({ verifier: issuer.verifier })
    app.get('/', { onResponse: guard() }, () => 'open')
    await app.inject('/')
    assert.match(lines.join(''), /a guard must run before the answer, as an onRequest hook/)
  })
})
