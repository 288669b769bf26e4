import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { afterEach, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { AnswerBody } from 'keystile/internal'
import { createAnswerWriter, type ReaderLimits } from './slow-readers.ts'

const small = 'x'.repeat(60_000)
/** An answer with more bytes than the kernel buffers for a connection. */
const large = new Uint8Array(20_000_000)
const text = 'é'.repeat(100_000)
/** After this time, a large answer may be ended to make room for another one. */
const fairMilliseconds = 1_000

describe('createAnswerWriter', () => {
  const closing: (() => unknown)[] = []
  afterEach(() => {
    for (const close of closing.splice(0).toReversed()) close()
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
      '/small': small,
      '/large': large,
      '/text': text,
    }
    const server = createServer((request, response) => {
      write(response, { status: 200, headers: {}, body: bodies[request.url!]! })
      onWritten(request.socket)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    closing.push(() => {
      server.close()
      server.closeAllConnections()
    })
    const { port } = server.address() as AddressInfo
    return {
      get: (path: string) => fetch(`http://127.0.0.1:${port}${path}`),
      /**
       * Connects a client that reads nothing. @returns a function that sends a request, and the
       * server's end of the connection
       */
      async connectSlow() {
        const [client, [connection]] = [
          connect({ host: '127.0.0.1', port }),
          await once(server, 'connection'),
        ]
        closing.push(() => client.destroy())
        client.on('error', () => {}).pause()
        const ask = (path: string): unknown =>
          client.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`)
        return { ask, connection: connection as Socket }
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
    waiting[1]!.destroy()
    await untilWaiting(4)
    assert.deepEqual(
      waiting.map(({ destroyed }) => destroyed),
      [true, true, false, false],
    )
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
})
