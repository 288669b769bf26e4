import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Socket } from 'node:net'
import { describe, it } from 'node:test'
import { nodeHeaders, readNodeRequest, writeAnswer } from './node-request.ts'

describe('readNodeRequest', () => {
  it('readNodeRequest returns empty strings if a request has no method and no URL', () => {
    const request = Object.assign(new IncomingMessage(new Socket()), { url: undefined })
    const { method, url } = readNodeRequest(request)
    assert.deepEqual([method, url], ['', ''])
  })
})

describe('the body of a node:http request', () => {
  it('readNodeRequest stops reading a body that is too large', async () => {
    const request = new IncomingMessage(new Socket())
    const reading = readNodeRequest(request).body(4)
    request.push('hello')
    await assert.rejects(reading, { code: 'content_too_large' })
    assert.equal(request.listenerCount('data'), 0)
    assert.equal(request.isPaused(), true)
  })
})

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
  it('writeAnswer sends an empty body if the answer has no body', async () => {
    const server = createServer((_request, response) =>
      writeAnswer(response, { status: 200, headers: {} }),
    ).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const response = await fetch(`http://127.0.0.1:${port}/`)
    assert.deepEqual([response.headers.get('content-length'), await response.text()], ['0', ''])
    server.close()
  })
})
