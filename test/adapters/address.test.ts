// Tests that each framework passes the client's IP address to Keystile.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, IncomingMessage, request as ask, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import express4 from 'express-4'
import Fastify from 'fastify'
import { Hono, type Context } from 'hono'
import type { ConnInfo } from 'hono/conninfo'
import { mount as mountInExpress } from 'keystile/express'
import { mount as mountInFastify } from 'keystile/fastify'
import { mount as mountInHono, type MountOptions } from 'keystile/hono'
import type { HttpAnswer, HttpRequestWithBody } from 'keystile/internal'
import { readNodeRequest } from 'keystile/internal-node'
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

  for (const framework of ['Express 5', 'Fastify', 'Hono', 'node:http']) {
    it(`mount() in ${framework} passes unix: for the peer on a UNIX socket`, async (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'keystile-socket-'))
      t.after(() => rmSync(folder, { recursive: true }))
      const server = createServer(await apps[framework]!())
      const socketPath = join(folder, 'http')
      server.listen(socketPath)
      t.after(() => server.close())
      await once(server, 'listening')

      const asking = ask({ socketPath, path: '/below', agent: false }).end()
      const [response] = (await once(asking, 'response')) as [IncomingMessage]
      assert.equal(await text(response), 'unix:')
    })
  }

  it('mount() of keystile/web passes the address that it is given to Keystile', async () => {
    const from = { remoteAddress: '192.0.2.7' }
    const answer = await mountInWeb(echo)(new Request('http://localhost/'), from)
    assert.equal(await answer!.text(), '192.0.2.7')
  })

  it('mount() of keystile/hono takes the address from getConnInfo', async () => {
    const getConnInfo = (c: Context): ConnInfo => ({ remote: { address: c.env.peer } })
    const app = new Hono().use(mountInHono(echo, { getConnInfo }))
    const env = { peer: '192.0.2.7', incoming: { socket: { remoteAddress: '192.0.2.8' } } }
    assert.equal(await (await app.request('/', {}, env)).text(), '192.0.2.7')
  })

  it('mount() of keystile/hono refuses unknown options and a wrong getConnInfo', () => {
    const wrong = { getConnInfo: 'node' } as unknown as MountOptions
    assert.throws(
      () => mountInHono(echo, wrong),
      /`getConnInfo` of mount must be a function; it is/,
    )
    assert.throws(() => mountInHono(echo, { connInfo: 1 } as MountOptions), /no option `connInfo`/)
  })

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
