// The decorators above the handlers of a WebSocket gateway, over real sockets.
import 'reflect-metadata'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { Module, type INestApplication } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { WsAdapter } from '@nestjs/platform-ws'
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets'
import { Caller, Guard, KeystileModule, Public, type CallerOf } from 'keystile/nest'
import { createTestIssuer } from 'keystile/testing'
import { decorate } from './nest-app.ts'

const issuer = createTestIssuer()
const options = { verifier: issuer.verifier, scopes: { 'news:read': 'Read news' } }
const handled: string[] = []

class News {
  handleConnection(client: object, request: IncomingMessage): void {
    // A client of ws does not keep the request of its upgrade, which the guard reads.
    if (request.url !== '/?forgets') Object.assign(client, { request })
  }
  read({ identity }: CallerOf<typeof options>): object {
    handled.push('read')
    return { event: 'read', data: identity.subject }
  }
  plain(): object {
    handled.push('plain')
    return { event: 'plain', data: 'any caller with a token' }
  }
  open(): object {
    handled.push('open')
    return { event: 'open', data: 'everybody' }
  }
}
WebSocketGateway()(News)
decorate(News, 'read', [SubscribeMessage('read'), Guard('news:read')], [Caller()])
decorate(News, 'plain', [SubscribeMessage('plain')])
decorate(News, 'open', [SubscribeMessage('open'), Public()])

class App {
  readonly name = 'app'
}
Module({ imports: [KeystileModule.forRoot(options)], providers: [News] })(App)

describe('guards on the message handlers of a Nest gateway', () => {
  let app: INestApplication
  before(async () => {
    app = await NestFactory.create(App, { logger: false })
    app.useWebSocketAdapter(new WsAdapter(app))
    await app.listen(0, '127.0.0.1')
  })
  after(() => app.close())

  /** Opens a WebSocket, and returns a function that sends an event and returns the answer. */
  async function connect(
    headers: Record<string, string>,
    path = '/',
  ): Promise<(event: string) => Promise<unknown>> {
    const url = (await app.getUrl()).replace('http', 'ws')
    // Node's own WebSocket takes headers, though a browser's does not.
    const socket = new WebSocket(url + path, { headers })
    await once(socket, 'open')
    return async (event) => {
      const answer = once(socket, 'message') as Promise<[{ readonly data: string }]>
      socket.send(JSON.stringify({ event, data: null }))
      const [{ data }] = await answer
      const { data: answered } = JSON.parse(data) as { readonly data: unknown }
      return answered
    }
  }
  const refusal = (code: string, message: string): object => ({ status: 'error', code, message })

  it('a Nest gateway answers only callers with the scope that the handler requires', async () => {
    const ask = await connect(issuer.headers({ scopes: ['news:read'] }))
    assert.equal(await ask('read'), 'test-user')
    assert.equal(await ask('plain'), 'any caller with a token')
    handled.length = 0
    const without = await connect(issuer.headers())
    assert.deepEqual(
      await without('read'),
      refusal('insufficient_scope', 'The token lacks a required scope'),
    )
    assert.deepEqual(handled, [])
  })

  it('without a token, a caller reaches only Nest gateway handlers with @Public()', async () => {
    const ask = await connect({})
    handled.length = 0
    for (const event of ['read', 'plain'])
      assert.deepEqual(await ask(event), refusal('not_authenticated', 'Not authenticated'))
    assert.deepEqual(handled, [])
    assert.equal(await ask('open'), 'everybody')
  })

  it('a Nest gateway refuses the first message after the session has been revoked', async () => {
    const ask = await connect(issuer.headers({ scopes: ['news:read'], sessionId: 'ended' }))
    assert.equal(await ask('read'), 'test-user')
    issuer.revoke('ended')
    assert.deepEqual(await ask('read'), refusal('invalid_token', 'Token has been revoked'))
  })

  it('a Nest gateway refuses guarded messages if it cannot find the upgrade request', async () => {
    const ask = await connect(issuer.headers({ scopes: ['news:read'] }), '/?forgets')
    handled.length = 0
    const { message } = (await ask('read')) as { readonly message: string }
    assert.equal(message, 'Internal server error')
    assert.deepEqual(handled, [])
  })
})
