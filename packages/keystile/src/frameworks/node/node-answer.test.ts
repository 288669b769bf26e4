import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Socket } from 'node:net'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { HttpAnswer } from '../../http/message.ts'
import { nodeHeaders, writeAnswer } from './node-answer.ts'

describe('nodeHeaders', () => {
  it('nodeHeaders adds Set-Cookie if the answer has cookies, and Connection: close for 413', () => {
    const own = { 'x-own': 'yes', 'x-content-type-options': 'nosniff' }
    const headers = { 'x-own': 'yes' }
    assert.deepEqual(nodeHeaders({ status: 200, headers }), own)
    assert.deepEqual(nodeHeaders({ status: 200, headers, cookies: [] }), own)
    assert.deepEqual(nodeHeaders({ status: 413, headers, cookies: ['a=b', 'c=d'] }), {
      ...own,
      'set-cookie': ['a=b', 'c=d'],
      connection: 'close',
    })
  })
})

describe('writeAnswer', () => {
  const answer = { status: 200, headers: {} }
  async function fetchAnswer(sent: HttpAnswer): Promise<Response> {
    const server = createServer((_request, response) => writeAnswer(response, sent))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    const response = await fetch(`http://127.0.0.1:${port}/`)
    server.close()
    return response
  }

  it('writeAnswer sends an empty body if the answer has no body', async () => {
    const response = await fetchAnswer(answer)
    assert.deepEqual([response.headers.get('content-length'), await response.text()], ['0', ''])
  })

  it('writeAnswer ends the connection with the stream', async () => {
    const stream = new Response('streamed').body ?? undefined
    const response = await fetchAnswer({ ...answer, stream })
    assert.deepEqual(
      [response.headers.get('connection'), await response.text()],
      ['close', 'streamed'],
    )
  })

  it('writeAnswer waits with a single listener until the client has room', async () => {
    const response = new ServerResponse(new IncomingMessage(new Socket()))
    let sent = 0
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        pull(controller) {
          sent++
          controller.enqueue(new Uint8Array(response.writableHighWaterMark))
        },
      },
      { highWaterMark: 0 },
    )
    writeAnswer(response, { ...answer, stream })
    for (const expected of [1, 2, 3]) {
      await turn()
      assert.deepEqual([sent, response.listenerCount('drain')], [expected, 1])
      response.emit('drain')
    }
    response.destroy()
  })

  const states: Readonly<Record<string, (response: ServerResponse) => unknown>> = {
    'the app has already answered': (response) => response.writeHead(204),
    'the client has disconnected': (response) => response.destroy(),
  }
  for (const [state, bringTo] of Object.entries(states)) {
    it(`writeAnswer only cancels the stream if ${state}`, async () => {
      const response = new ServerResponse(new IncomingMessage(new Socket()))
      bringTo(response)
      await turn()
      let wasCancelled = false
      const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
        cancel: () => void (wasCancelled = true),
      })
      writeAnswer(response, { ...answer, stream })
      await turn()
      assert.equal(wasCancelled, true)
    })
  }
})
