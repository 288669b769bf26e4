import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { TokenError } from '../../base/errors.ts'
import { createTestIssuer } from '../../testing/test-issuer.ts'
import { createGuard } from './guard.ts'
import { onUpgrade, type UpgradeListener } from './upgrade.ts'

const issuer = createTestIssuer()
const guard = createGuard({ verifier: issuer.verifier, user: ({ subject }) => ({ name: subject }) })
const { authorization } = issuer.headers({ subject: 'ada' })

async function serve(t: TestContext, listener: UpgradeListener): Promise<Server> {
  const server = createServer().on('upgrade', listener).listen(0, 'localhost')
  await once(server, 'listening')
  t.after(() => server.close())
  return server
}

/** Asks for an upgrade, and keeps its half of the connection open. */
async function ask(t: TestContext, server: Server, credential?: string): Promise<Socket> {
  const { port } = server.address() as AddressInfo
  const socket = connect({ port, host: 'localhost', allowHalfOpen: true })
  await once(socket, 'connect')
  const fields = ['Host: localhost', 'Connection: Upgrade', 'Upgrade: websocket']
  if (credential !== undefined) fields.push(`Authorization: ${credential}`)
  t.after(() => socket.destroy())
  socket.write(`GET /live HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\nfirst bytes`)
  return socket
}

/** Reads a socket to its end. It does not iterate, because that would close the client's half. */
async function read(socket: Socket): Promise<string> {
  let answer = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk))
  await once(socket, 'end')
  return answer
}

/** Resolves when the server has closed all connections. */
const closed = (server: Server): Promise<unknown> =>
  new Promise((resolve) => {
    server.close(resolve)
  })

describe('onUpgrade', () => {
  it('onUpgrade calls open() with the caller and the bytes that follow the request', async (t) => {
    const server = await serve(
      t,
      onUpgrade(
        (request) => guard.check(request),
        (request, socket, head, { user }) =>
          socket.end(`${request.url} of ${user.name}: ${head.toString()}`, () => socket.destroy()),
      ),
    )
    const socket = await ask(t, server, authorization)
    assert.equal(await read(socket), '/live of ada: first bytes')
    socket.destroy()
  })

  it('onUpgrade calls open() without a caller if a token is optional and missing', async (t) => {
    const server = await serve(
      t,
      onUpgrade(
        (request) => guard.optional.check(request),
        (_request, socket, _head, caller) =>
          socket.end(caller?.user.name ?? 'no caller', () => socket.destroy()),
      ),
    )
    const socket = await ask(t, server)
    assert.equal(await read(socket), 'no caller')
    socket.destroy()
  })

  it('onUpgrade sends the refusal of the guard and closes the connection', async (t) => {
    let opened = 0
    const server = await serve(
      t,
      onUpgrade(
        (request) => guard.check(request),
        () => opened++,
      ),
    )
    for (const [credential, start, challenge] of [
      [
        undefined,
        'HTTP/1.1 401 Unauthorized\r\n',
        'www-authenticate: Bearer realm="https://test-issuer.example"\r\n',
      ],
      ['Bearer abc', 'HTTP/1.1 401 Unauthorized\r\n', 'error="invalid_token"'],
      ['Bearer', 'HTTP/1.1 400 Bad Request\r\n', 'error="invalid_request"'],
    ] as const) {
      const socket = await ask(t, server, credential)
      const answer = await read(socket)
      assert.ok(answer.startsWith(start) && answer.includes(challenge), answer)
      const [head = '', body = ''] = answer.split('\r\n\r\n')
      assert.match(head, new RegExp(`\r\ncontent-length: ${body.length}\r\nconnection: close$`))
    }
    await closed(server)
    assert.equal(opened, 0)
  })

  it('onUpgrade refuses an upgrade of a login without the demanded acr', async (t) => {
    const server = await serve(
      t,
      onUpgrade(
        (request) => guard.check(request, { acr: 'mfa' }),
        (_request, socket) => socket.end('opened', () => socket.destroy()),
      ),
    )
    const answer = await read(await ask(t, server, authorization))
    assert.match(
      answer,
      /^HTTP\/1.1 401 [^]*error="insufficient_user_authentication"[^]*acr_values="mfa"/,
    )
    const strong = issuer.headers({ acr: 'mfa' }).authorization
    assert.equal(await read(await ask(t, server, strong)), 'opened')
  })

  it('if guard.check() throws, onUpgrade returns 500 without the error message', async (t) => {
    const printed = t.mock.method(console, 'error', () => {})
    let opened = 0
    const failing = createGuard({
      verifier: issuer.verifier,
      user: () => Promise.reject(new Error('select people')),
    })
    for (const check of [
      (request: Parameters<typeof failing.check>[0]) => failing.check(request),
      () => {
        throw new Error('select people')
      },
      () => Promise.reject(), // without a reason
    ]) {
      const server = await serve(
        t,
        onUpgrade(check, () => opened++),
      )
      const answer = await read(await ask(t, server, authorization))
      assert.match(answer, /^HTTP\/1\.1 500 Internal Server Error\r\n/)
      assert.doesNotMatch(answer, /select|people/)
      assert.match(answer, /"detail":"Internal error"/)
      await closed(server)
    }
    assert.equal(opened, 0)
    assert.equal(printed.mock.callCount(), 3)
  })

  it('onUpgrade sends no body if the refusal has no body', async (t) => {
    const error = new TokenError('not_authenticated', 'Not authenticated')
    const answer = { status: 401, headers: { 'x-own': 'yes' } }
    const server = await serve(
      t,
      onUpgrade(
        async () => ({ allowed: false, error, answer }),
        () => {},
      ),
    )
    assert.equal(
      await read(await ask(t, server)),
      'HTTP/1.1 401 Unauthorized\r\nx-own: yes\r\nx-content-type-options: nosniff\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
    )
  })

  it('if open() throws, onUpgrade prints the error and closes the connection', async (t) => {
    const printed = t.mock.method(console, 'error', () => {})
    for (const open of [
      () => {
        throw new Error('inside')
      },
      () => Promise.reject(new Error('inside')),
    ]) {
      const server = await serve(
        t,
        onUpgrade((request) => guard.check(request), open),
      )
      assert.equal(await read(await ask(t, server, authorization)), '')
      await closed(server)
    }
    assert.equal(printed.mock.callCount(), 2)
  })

  it('if a client disconnects during guard.check(), onUpgrade never calls open()', async (t) => {
    let opened = 0
    for (const allowed of [true, false]) {
      const asked = Promise.withResolvers<void>()
      const answered = Promise.withResolvers<void>()
      const server = await serve(
        t,
        onUpgrade(
          async (request) => {
            asked.resolve()
            await answered.promise
            return allowed
              ? guard.check(request)
              : guard.check({ method: 'GET', url: '/', headers: new Headers() })
          },
          () => opened++,
        ),
      )
      const socket = await ask(t, server, authorization)
      await asked.promise
      socket.resetAndDestroy()
      await closed(server)
      answered.resolve()
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.equal(opened, 0)
  })

  it('if a client resets an open WebSocket connection, onUpgrade throws no error', async (t) => {
    const server = await serve(
      t,
      onUpgrade(
        (request) => guard.check(request),
        (_request, socket) => socket.resume().write('open'),
      ),
    )
    const socket = await ask(t, server, authorization)
    await once(socket, 'data')
    socket.resetAndDestroy()
    await closed(server)
  })
})
