import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { describe, it } from 'node:test'
import { readParsedBody } from './parsed-body.ts'

/** A request whose body a parser has read, with only the members that the code reads. */
const parsed = (body: unknown, type = 'application/json', readableEnded = true): IncomingMessage =>
  ({ readableEnded, body, headers: { 'content-type': type } }) as unknown as IncomingMessage

const text = async (request: IncomingMessage, maxBytes = 100): Promise<string> =>
  Buffer.from(
    await readParsedBody(request, async () => Buffer.from('as it is'))(maxBytes),
  ).toString()

describe('readParsedBody', () => {
  it('readParsedBody restores the text of a body that a parser has already read', async () => {
    const form = 'application/x-www-form-urlencoded; charset=utf-8'
    assert.equal(await text(parsed({ a: [1, 'x'] })), '{"a":[1,"x"]}')
    assert.equal(await text(parsed({ a: 'ä &', b: '' }, form)), 'a=%C3%A4+%26&b=')
    const odd = 'x/y; a=application/x-www-form-urlencoded'
    for (const other of [odd, `${odd}ed`.slice(odd.indexOf('=') + 1)])
      assert.equal(await text(parsed({ a: 'b' }, other)), '{"a":"b"}')
    assert.equal(await text(parsed('text')), 'text')
    assert.equal(await text(parsed(Buffer.from('bytes'))), 'bytes')
  })

  it('readParsedBody writes a=&a= if the form parameter `a` is not a string', async () => {
    const form = 'application/x-www-form-urlencoded'
    for (const odd of [['1', '2'], ['1'], [], { b: 'c' }, ['1', { b: 'c' }], null])
      assert.equal(await text(parsed({ a: odd, z: 'z' }, form)), 'a=&a=&z=z')
  })

  it('readParsedBody reads the request itself if no parser has read the body', async () => {
    assert.equal(await text(parsed(undefined)), 'as it is')
    assert.equal(await text(parsed({}, 'application/json', false)), 'as it is')
  })

  it('readParsedBody accepts a body of the maximum size, and refuses one byte more', async () => {
    assert.equal(await text(parsed('12345'), 5), '12345')
    await assert.rejects(text(parsed('123456'), 5), /must have at most 5 bytes/)
  })
})
