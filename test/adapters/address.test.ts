// Tests that each framework passes the client's IP address to Keystile.
import assert from 'node:assert/strict'
import { IncomingMessage, type RequestListener } from 'node:http'
import { describe, it } from 'node:test'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import express4 from 'express-4'
import Fastify from 'fastify'
import { Hono } from 'hono'
import type { HttpAnswer, HttpRequestWithBody } from 'keystile/internal'
import { readNodeRequest } from 'keystile/internal-node'
import { mount as mountInExpress } from 'keystile/express'
import { mount as mountInFastify } from 'keystile/fastify'
import { mount as mountInHono } from 'keystile/hono'
import { mount as mountInNode } from 'keystile/node'
import { mount as mountInWeb } from 'keystile/web'
import { serve } from './client.ts'

/** Answers with the address that it was given. */
const echo = {
  answer: async ({ remoteAddress }: HttpRequestWithBody): Promise<HttpAnswer> => ({
    status: 200,
    headers: {},
    body: String(remoteAddress),
  }),
}

describe('mount()', () => {
  const apps: Readonly<Record<string, () => RequestListener | Promise<RequestListener>>> = {
    'Express 4': () => express4().use(mountInExpress(echo)),
    'Express 5': () => express().use('/below', mountInExpress(echo)),
    'Express behind a body parser': () =>
      express().use(express.urlencoded()).use(mountInExpress(echo)),
    'Express that trusts proxies': () =>
      express().set('trust proxy', true).use(mountInExpress(echo)),
    Fastify: async () => {
      const app = Fastify({ trustProxy: true }).register(mountInFastify(echo))
      await app.ready()
      return (request, response) => app.routing(request, response)
    },
    Hono: () => getRequestListener(new Hono().use(mountInHono(echo)).fetch),
    'node:http': () => (request, response) => void mountInNode(echo)(request, response, () => {}),
  }
  for (const [framework, make] of Object.entries(apps)) {
    it(`mount() in ${framework} takes the client’s address from the socket only`, async (t) => {
      const served = await serve(await make())
      t.after(() => served.close())
      const headers = [
        'X-Forwarded-For',
        '192.0.2.1',
        'Forwarded',
        'for=192.0.2.1',
        'X-Real-IP',
        '192.0.2.1',
      ]
      assert.equal((await served.send({ path: '/below', headers })).text, '127.0.0.1')
    })
  }

  it('mount() gives Keystile no client address if the request has no socket', async () => {
    const request = new Request('http://localhost/', {
      headers: { 'x-forwarded-for': '192.0.2.1' },
    })
    assert.equal(await (await mountInWeb(echo)(request))!.text(), 'undefined')
    const app = new Hono().use(mountInHono(echo))
    assert.equal(await (await app.request(request)).text(), 'undefined')
    assert.equal(await (await app.fetch(request)).text(), 'undefined')
    assert.equal(await (await app.fetch(request, { incoming: {} })).text(), 'undefined')
    const unplugged = new IncomingMessage(undefined as never)
    assert.equal(readNodeRequest(unplugged).remoteAddress, undefined)
  })
})
