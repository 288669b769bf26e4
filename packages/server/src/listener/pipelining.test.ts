import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, IncomingMessage } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { afterEach, describe, it } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createTurns, type PipelineLimits } from './pipelining.ts'

describe('createTurns', () => {
  const closing: (() => unknown)[] = []
  afterEach(() => {
    for (const close of closing.splice(0).toReversed()) close()
  })

  /**
   * Answers each request, except `/never`, with its path, `/large` with more bytes than the kernel
   * buffers, and `/close` with the last answer of the connection. `handled` lists the paths in the
   * order of their handling.
   */
  async function serve(limits: Partial<PipelineLimits> = {}) {
    const inTurn = createTurns({ pipelinedRequests: 10, pipelinedRequestsOfAll: 1_000, ...limits })
    const handled: string[] = []
    let parsed = 0
    class CountedRequest extends IncomingMessage {
      constructor(socket: Socket) {
        super(socket)
        parsed++
      }
    }
    const server = createServer({ IncomingMessage: CountedRequest }, (request, response) => {
      inTurn(response, () => {
        handled.push(request.url!)
        if (request.url === '/never') return
        if (request.url === '/close') response.setHeader('connection', 'close')
        const body = request.url === '/large' ? Buffer.alloc(20_000_000) : request.url
        request.resume().once('end', () => response.end(body))
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    closing.push(() => {
      server.close()
      server.closeAllConnections()
    })
    const { port } = server.address() as AddressInfo
    return {
      handled,
      server,
      parsed: () => parsed,
      /** Opens a connection and sends these requests in one piece. */
      send(...requests: string[]): Socket {
        const socket = connect({ host: '127.0.0.1', port }, () => socket.write(requests.join('')))
        closing.push(() => socket.destroy())
        return socket.on('error', () => {}).setEncoding('latin1')
      },
    }
  }

  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`
  const last = (path: string): string => get(path).replace('HTTP/1.1', 'HTTP/1.0')
  const post = (path: string): string =>
    `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\n\r\nx`

  async function isReset(socket: Socket): Promise<boolean> {
    const hadError = await new Promise<boolean>((resolve) => socket.resume().once('close', resolve))
    return hadError
  }

  async function untilAnswered(socket: Socket, path: string): Promise<string> {
    let said = ''
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      said += chunk
      if (said.endsWith(path)) break
    }
    return said
  }

  for (const [name, request] of [
    ['requests', get('/a')],
    [
      'requests that wait for 100 Continue',
      get('/a').replace('\r\n\r\n', '\r\nexpect: 100-continue\r\n\r\n'),
    ],
  ] as const) {
    it(`createTurns resets a connection that sends too many ${name} at once`, async () => {
      const { send, handled, parsed } = await serve()
      assert.ok(await isReset(send(...Array.from({ length: 500 }, () => request))))
      assert.deepEqual(handled, ['/a'])
      assert.equal(parsed(), 12)
    })
  }

  it('createTurns resets connections that send a body while a request is unanswered', async () => {
    const chunked =
      'POST /b HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n'
    for (const withBody of [post('/b'), chunked]) {
      const { send, handled } = await serve()
      assert.ok(await isReset(send(get('/never'), withBody)))
      assert.deepEqual(handled, ['/never'])
    }
    const { send } = await serve()
    await untilAnswered(send(post('/a'), get('/b')), '/b')
  })

  it('connections are served in parallel, but the requests of a connection in order', async () => {
    const { send, handled } = await serve()
    const paths = Array.from({ length: 10 }, (_, i) => `/${i}`)
    const [first, second] = [send(...paths.map(get)), send(...paths.map(get))]
    const [said] = await Promise.all([untilAnswered(first, '/9'), untilAnswered(second, '/9')])
    assert.deepEqual(
      Array.from(said.matchAll(/^\/\d$|(?<=\n)\/\d(?=HTTP)/gm), ([path]) => path),
      paths,
    )
    assert.deepEqual(handled.toSorted(), paths.flatMap((path) => [path, path]).toSorted())
    assert.notDeepEqual(handled.slice(0, 10), paths)
  })

  it('createTurns handles no request while one waits, or after the last answer', async () => {
    const { send, handled } = await serve()
    await untilAnswered(send(get('/a'), get('/never'), get('/b')), '/a')
    assert.equal(await isReset(send(last('/c'), get('/d'))), false)
    assert.equal(await isReset(send(get('/close'), get('/d'))), false)
    assert.deepEqual(handled, ['/a', '/never', '/c', '/close'])
  })

  it('createTurns resets a connection if too many requests wait across connections', async () => {
    const { send } = await serve({ pipelinedRequestsOfAll: 5 })
    const stuck = send(get('/never'), ...Array.from({ length: 5 }, () => get('/a')))
    const alone = send(get('/alone'))
    await untilAnswered(alone, '/alone')
    assert.ok(await isReset(send(get('/a'), last('/b'))))
    stuck.destroy()
    while (await isReset(send(get('/a'), last('/b'))));
  })

  it('the limit of waiting requests stays exact after connections end in any state', async () => {
    const { send, server } = await serve({ pipelinedRequestsOfAll: 1 })
    const end = async (
      requests: readonly string[],
      isReady: (client: Socket, connection: Socket) => unknown = () => {},
    ): Promise<void> => {
      const client = send(...requests)
      const [{ socket }] = (await once(server, 'request')) as [IncomingMessage]
      await isReady(client, socket)
      socket.destroy()
      await once(socket, 'close')
      await nextTurn()
    }
    await end([get('/a')], (client) => untilAnswered(client, '/a'))
    await end([get('/never')])
    await end([get('/a'), get('/b')], (client) => untilAnswered(client, '/b'))
    await end([get('/large'), get('/a')], async (client, connection) => {
      client.pause()
      while (connection.writableLength === 0) await nextTurn()
    })
    await end([get('/never'), get('/a')], async () => {
      assert.ok(await isReset(send(get('/a'), last('/b'))))
    })
    assert.equal(await isReset(send(get('/a'), last('/b'))), false)
  })
})
