import assert from 'node:assert/strict'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { describe, it } from 'node:test'
import { readNodeHead, readNodeRequest } from './node-request.ts'

describe('readNodeRequest', () => {
  it('a request without a method and a URL has empty strings for them', () => {
    const request = Object.assign(new IncomingMessage(new Socket()), { url: undefined })
    for (const read of [readNodeRequest, readNodeHead]) {
      const { method, url } = read(request)
      assert.deepEqual([method, url], ['', ''])
    }
  })

  it('readNodeRequest reads a serverless request, without a socket and raw headers', () => {
    const headers = { authorization: 'Bearer token' }
    const serverless = Object.create(IncomingMessage.prototype, {
      socket: { value: undefined },
      rawHeaders: { value: [] },
      headers: { value: headers },
    }) as IncomingMessage
    const request = readNodeRequest(serverless)
    assert.equal(request.remoteAddress, undefined)
    assert.equal(request.headers.get('authorization'), headers.authorization)
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
