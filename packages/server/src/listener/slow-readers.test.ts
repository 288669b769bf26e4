import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { text as readAll } from 'node:stream/consumers'
import { afterEach, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { AnswerBody } from 'keystile/internal'
import { createAnswerWriter, type ReaderLimits } from './slow-readers.ts'

const small = 'x'.repeat(60_000)
/** An answer with more bytes than the kernel buffers for a connection. */
const large = new Uint8Array(20_000_000)
/** A large answer that the kernel can buffer. */
const text = 'é'.repeat(100_000)
/** After this time, a large answer may be ended to make room for another one. */
const fairMilliseconds = 1_000

describe('createAnswerWriter', () => {
  const closing: (() => unknown)[] = []
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close()
  })

  async function serve(
    limits: Partial<ReaderLimits>,
    onWritten: (socket: Socket) => void = () => {},
  ) {
    const write = createAnswerWriter({
      answerMilliseconds: 60_000,
      largeAnswers: 10,
      waitingMebibytes: 32,
      ...limits,
    })
    const bodies: Readonly<Record<string, AnswerBody>> = {
      '/tiny': 'x',
      '/small': small,
      '/large': large,
      '/text': text,
    }
    const server = createServer((request, response) => {
      const body = bodies[request.url!]
      if (body === undefined) return // the test answers
      write(response, { status: 200, headers: {}, body })
      onWritten(request.socket)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const closed: Promise<unknown>[] = []
    server.on('connection', (socket) => closed.push(once(socket, 'close')))
    closing.push(async () => {
      server.close().closeAllConnections()
      // Waits until each connection has cleared its timer. If the next test mocks the timers first,
      // the real timer is never cleared and keeps the process alive.
      await Promise.all(closed)
    })
    const { port } = server.address() as AddressInfo
    return {
      write,
      server,
      get: (path: string) => fetch(`http://127.0.0.1:${port}${path}`),
      /**
       * Connects a client that reads nothing. @returns the client, a function that sends a request,
       * and the server's end of the connection
       */
      async connectSlow() {
        const [client, [connection]] = [
          connect({ host: '127.0.0.1', port }),
          await once(server, 'connection'),
        ]
        closing.push(() => client.destroy())
        client.on('error', () => {}).pause()
        const ask = (...paths: readonly string[]): unknown =>
          client.write(
            paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`).join(''),
          )
        return { client, ask, connection: connection as Socket }
      },
    }
  }

  it('createAnswerWriter ends a connection if its client does not read small answers', async () => {
    const { connectSlow } = await serve({ answerMilliseconds: 200 }, ({ writableLength }) => {
      if (writableLength === 0) ask('/small')
    })
    const { ask, connection } = await connectSlow()
    ask('/small')
    await once(connection, 'close')
    assert.ok(connection.bytesWritten > 10 * small.length)
  })

  it('at the memory limit, createAnswerWriter resets the longest-waiting connection', async () => {
    const waiting: Socket[] = []
    const { connectSlow } = await serve(
      { waitingMebibytes: (small.length * 2) / 2 ** 20 },
      (socket) => {
        if (socket.writableLength > 0) waiting.push(socket)
      },
    )
    const untilWaiting = async (count: number): Promise<void> => {
      const { ask } = await connectSlow()
      while (waiting.length < count) {
        ask('/small')
        await wait(1)
      }
    }
    for (const count of [1, 2, 3]) await untilWaiting(count)
    assert.deepEqual(
      waiting.map(({ destroyed }) => destroyed),
      [true, false, false],
    )
    waiting[2]!.destroy()
    await untilWaiting(4)
    assert.deepEqual(
      waiting.map(({ destroyed }) => destroyed),
      [true, false, true, false],
    )
    await untilWaiting(5)
    assert.equal(waiting[1]!.destroyed, true)
  })

  it('at the limit, a new large answer ends a large answer that is at least 1 s old', async () => {
    const { connectSlow, get } = await serve({ largeAnswers: 2 })
    const [first, second] = [await connectSlow(), await connectSlow()]
    first.ask('/large')
    await wait(50)
    second.ask('/large')
    await wait(50)
    const refused = await get('/large')
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '1'])
    await wait(fairMilliseconds)
    const answered = await get('/large')
    assert.equal(answered.status, 200)
    assert.equal((await answered.arrayBuffer()).byteLength, large.length)
    assert.deepEqual([first.connection.destroyed, second.connection.destroyed], [true, false])
  })

  it('up to the limit `largeAnswers`, createAnswerWriter ends no large answer', async () => {
    const { connectSlow, get } = await serve({ largeAnswers: 2 })
    const { ask, connection } = await connectSlow()
    ask('/large')
    await wait(fairMilliseconds + 100)
    const answered = await get('/large')
    assert.equal((await answered.arrayBuffer()).byteLength, large.length)
    assert.equal(connection.destroyed, false)
  })

  it('createAnswerWriter sends a large string completely', async () => {
    const { get } = await serve({})
    assert.equal(await (await get('/text')).text(), text)
  })

  it('after a large answer, createAnswerWriter ends the connection', async () => {
    const { connectSlow } = await serve({ largeAnswers: 1, answerMilliseconds: 3_000 })
    for (let answers = 0; answers < 2; answers++) {
      const { client, ask, connection } = await connectSlow()
      ask('/text')
      const said = await readAll(client)
      assert.match(said, /^HTTP\/1\.1 200 /)
      assert.match(said, /^connection: close\r$/m)
      assert.match(said, /^content-length: 200000\r$/m)
      if (!connection.closed) await once(connection, 'close')
    }
  })

  it('an answer for a closed connection takes no place, and its stream is cancelled', async () => {
    const { server, write, get } = await serve({ largeAnswers: 1 })
    const isCancelled = Promise.withResolvers<void>()
    const stream = new ReadableStream({ cancel: () => isCancelled.resolve() })
    server.on('request', ({ url, socket }, response) => {
      if (url !== '/late') return
      socket.destroy()
      socket.once('close', () => {
        for (const answer of [{ body: large }, { stream }])
          assert.equal(write(response, { status: 299, headers: {}, ...answer }), 299)
      })
    })
    await assert.rejects(get('/late'))
    await isCancelled.promise
    assert.equal((await get('/text')).status, 200)
  })

  it('a client that reads in time keeps its connection, also during a stream', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { server, write, connectSlow } = await serve({ answerMilliseconds: 1_000 })
    const streaming: Socket[] = []
    server.on('request', ({ url, socket }, response) => {
      if (url !== '/stream') return
      const isStreaming = socket.writableLength > 0
      if (isStreaming) streaming.push(socket)
      const body = isStreaming ? { stream: new ReadableStream() } : { body: small }
      write(response, { status: isStreaming ? 299 : 200, headers: {}, ...body })
    })
    const { client, ask, connection } = await connectSlow()
    while (streaming.length === 0) {
      ask('/small', '/stream')
      await once(server, 'request')
    }
    let said = ''
    client.setEncoding('latin1').on('data', (chunk: string) => (said += chunk))
    client.resume()
    while (!said.includes('HTTP/1.1 299 ')) await once(client, 'data')
    t.mock.timers.tick(1_000)
    assert.equal(connection.destroyed, false)
  })

  it('createAnswerWriter does not count answers that the kernel has taken', async () => {
    const { get } = await serve({ waitingMebibytes: 0 })
    assert.equal(await (await get('/tiny')).text(), 'x')
  })

  it('a large answer that ends makes room for only one; each has a time limit', async (t) => {
    let now = 1_000
    t.mock.method(performance, 'now', () => now)
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { server, write, connectSlow } = await serve({ largeAnswers: 1 })
    const waiting: ServerResponse[] = []
    server.on('request', ({ url }, response) => url === '/both' && waiting.push(response))
    const clients = [await connectSlow(), await connectSlow(), await connectSlow()]
    clients[0]!.ask('/large')
    await once(server, 'request')
    for (const { ask } of clients.slice(1)) {
      ask('/both')
      await once(server, 'request')
    }
    now += fairMilliseconds
    assert.deepEqual(
      waiting.map((response) => write(response, { status: 200, headers: {}, body: large })),
      [200, 503],
    )
    const isOpen = (): readonly boolean[] => clients.map(({ connection }) => !connection.destroyed)
    t.mock.timers.tick(59_999)
    assert.deepEqual(isOpen(), [false, true, true])
    t.mock.timers.tick(1)
    assert.deepEqual(isOpen(), [false, false, true])
  })
})
