import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { afterEach, describe, it } from 'node:test'
import { readNodeRequest } from 'keystile/internal-node'
import { until } from '../../../../tools/until.ts'
import { createBodyReader } from './unfinished-bodies.ts'

const size = 1_000
const maxBytes = 2_000

describe('createBodyReader', () => {
  const closing: (() => unknown)[] = []
  afterEach(() => {
    for (const close of closing.splice(0).toReversed()) close()
  })

  /** Serves a reader with room for three bodies of `size` bytes and a little more. */
  async function serve() {
    const read = createBodyReader({ bodyMebibytes: (3 * size + 800) / 2 ** 20 })
    const server = createServer((incoming, response) => {
      void read(incoming, () => readNodeRequest(incoming).body(maxBytes)).then(
        ({ length }) => response.end(String(length)),
        ({ status = 500 }) => response.writeHead(status).end(),
      )
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    closing.push(() => server.close().closeAllConnections())
    const { port } = server.address() as AddressInfo

    /** Sends a header and the first part of a body, and resolves when the server has read it. */
    return async (length: number, part: string): Promise<[Socket, IncomingMessage]> => {
      const client = connect({ host: '127.0.0.1', port })
      closing.push(() => client.destroy())
      client.on('error', () => {})
      const requested = once(server, 'request') as Promise<[IncomingMessage]>
      client.write(`POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${length}\r\n\r\n${part}`)
      const [incoming] = await requested
      await until(() => client.bytesWritten === incoming.socket.bytesRead)
      return [client, incoming]
    }
  }

  const body = 'x'.repeat(size)
  const destroyedOf = (all: readonly (readonly [Socket, IncomingMessage])[]): readonly boolean[] =>
    all.map(([, { socket }]) => socket.destroyed)

  it('at the limit, createBodyReader resets the connection whose body began first', async () => {
    const begin = await serve()
    const waiting = [await begin(size + 1, body), await begin(size + 1, body)]
    waiting.push(await begin(size + 1, body))
    assert.deepEqual(destroyedOf(waiting), [false, false, false])
    waiting.push(await begin(size + 1, body))
    assert.deepEqual(destroyedOf(waiting), [true, false, false, false])
    waiting[2]![0].write('x')
    assert.match(String(await once(waiting[2]![0], 'data')), new RegExp(`\r\n${size + 1}$`))
  })

  it('bodies that ended, are too large or are broken off count no more', async () => {
    const begin = await serve()
    const waiting = [await begin(size + 1, body)]
    for (let count = 0; count < 5; count++) {
      const [whole] = await begin(size, body)
      await once(whole, 'data')
      const [large] = await begin(maxBytes * 2, 'x'.repeat(maxBytes + 1))
      await once(large, 'data')
      const [broken, { socket }] = await begin(size + 1, body)
      broken.destroy()
      await until(() => socket.destroyed)
    }
    assert.deepEqual(destroyedOf(waiting), [false])
  })

  it('a piece of one byte counts as much as the memory that it takes', async () => {
    const begin = await serve()
    const waiting: [Socket, IncomingMessage][] = []
    while (waiting.length < 20) waiting.push(await begin(size, 'x'))
    assert.equal(destroyedOf(waiting).filter((isDestroyed) => isDestroyed).length, 6)
  })
})
