import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createEventParser, type ServerSentEvent } from './event-stream.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

function eventsOf(...chunks: readonly (string | Uint8Array)[]): readonly ServerSentEvent[] {
  const events: ServerSentEvent[] = []
  const parse = createEventParser((event) => events.push(event))
  for (const chunk of chunks) parse(typeof chunk === 'string' ? encode(chunk) : chunk)
  return events
}

describe('createEventParser', () => {
  it('createEventParser reads the type, the id and the data of an event', () => {
    assert.deepEqual(eventsOf('event: revocation\nid: 7.x\ndata: {"a":1}\n\n'), [
      { type: 'revocation', id: '7.x', data: '{"a":1}' },
    ])
  })

  it('createEventParser does not use the type and id of one event for the next event', () => {
    assert.deepEqual(eventsOf('event: a\nid: 1\ndata: x\n\ndata: y\n\n')[1], {
      type: 'message',
      id: undefined,
      data: 'y',
    })
  })

  it('createEventParser ignores comments, unknown fields, and events without data', () => {
    assert.deepEqual(eventsOf(': hello\n\nevent: a\nid: 1\n\nretry: 5\nother\ndata: x\n\n'), [
      { type: 'message', id: undefined, data: 'x' },
    ])
  })

  it('createEventParser joins several lines of data, and removes one space after the colon', () => {
    assert.equal(eventsOf('data:a\ndata:  b\ndata\n\n')[0]?.data, 'a\n b\n')
  })

  it('createEventParser removes no other space from the data, and the type is `message`', () => {
    assert.deepEqual(eventsOf('data:a b\n\n'), [{ type: 'message', id: undefined, data: 'a b' }])
  })

  it('createEventParser accepts an empty chunk between CR and LF', () => {
    assert.equal(eventsOf('data: x\r', '', '\ndata: y\n\n')[0]?.data, 'x\ny')
  })

  it('createEventParser passes on an event only after the empty line that ends the event', () => {
    assert.deepEqual(eventsOf('data: x\n'), [])
    assert.deepEqual(eventsOf('data: x\n', 'data: y'), [])
  })

  it('createEventParser accepts LF, CR and CRLF, wherever the chunks split the stream', () => {
    const lines = ['event: é€😀', 'id: 1', 'data: {"a":"ü"}', '', ': c', 'data: y', '', '']
    const lineEnds = fc.constantFrom('\n', '\r', '\r\n')
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 })
    fc.assert(
      fc.property(lineEnds, sizes, (lineEnd, sizes) => {
        const bytes = encode(lines.join(lineEnd))
        const chunks: Uint8Array[] = []
        for (let at = 0, n = 0; at < bytes.length; n++) {
          const size = sizes[n % sizes.length] ?? 1
          chunks.push(bytes.slice(at, at + size))
          at += size
        }
        assert.deepEqual(eventsOf(...chunks), [
          { type: 'é€😀', id: '1', data: '{"a":"ü"}' },
          { type: 'message', id: undefined, data: 'y' },
        ])
      }),
    )
  })

  it('createEventParser reads a line of 65,536 characters, and throws for a longer line', () => {
    const data = 'x'.repeat(65_530)
    assert.equal(eventsOf(`data: ${data}\n\n`)[0]?.data.length, 65_530)
    assert.throws(() => eventsOf(`data: ${data}y\n\n`), /more than 65536 characters/)
  })

  it('createEventParser throws before the end of a line if the line is too long', () => {
    const parse = createEventParser(() => {})
    const chunk = encode('x'.repeat(16_384))
    assert.throws(() => {
      for (let n = 0; n < 5; n++) parse(chunk)
    }, /more than 65536 characters/)
  })

  it('createEventParser throws for an event with endless lines of data', () => {
    const parse = createEventParser(() => {})
    const chunk = encode(`data: ${'x'.repeat(10_000)}\n`)
    assert.throws(() => {
      for (let n = 0; n < 7; n++) parse(chunk)
    }, /more than 65536 characters/)
  })

  it('createEventParser throws for a stream that is not UTF-8', () => {
    assert.throws(() => eventsOf(new Uint8Array([0x64, 0xff])), TypeError)
  })
})
