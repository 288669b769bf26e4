import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createEventLog, type LogCursor } from './event-log.ts'
import type { FeedEvent } from './store.ts'

const now = Date.UTC(2026, 10, 25)
/** More bytes than a page has. */
const large = 'x'.repeat(100_000)

function eventOf(seq: number, fields: Partial<FeedEvent> = {}): FeedEvent {
  return { seq, id: `row-${seq}`, kind: 'session', value: `s${seq}`, expiresAt: now + 1, ...fields }
}

/** Reads to the end of the log. @returns the numbers of the events, or how the log was lost */
function read(cursor: LogCursor | undefined): readonly number[] | 'lost' | undefined {
  if (!cursor) return undefined
  let text = ''
  for (;;) {
    const bytes = cursor.next()
    if (bytes === 'lost') return 'lost'
    if (bytes === undefined) break
    text += Buffer.from(bytes).toString()
    assert.match(text, /\n\n$/, 'each piece must end with a whole event')
  }
  assert.match(text, /^(event: |$)/, 'the first piece must begin with a whole event')
  return Array.from(text.matchAll(/^id: (\d+)\./gm), ([, seq]) => Number(seq))
}

describe('createEventLog', () => {
  it('the event log writes an event in one line of JSON (WHATWG HTML §9.2)', () => {
    const log = createEventLog()
    log.add(eventOf(7, { value: 'a"b\r\nid: 8.x\n\u2028é' }))
    const text = Buffer.from(log.start().next() as Uint8Array).toString()
    assert.equal(
      text,
      'event: revocation\nid: 7.row-7\n' +
        `data: {"kind":"session","value":"a\\"b\\r\\nid: 8.x\\n\u2028é","expires_at":${now + 1}}\n\n`,
    )
  })

  it('the event log gives each reader all events once and in order, over all pages', () => {
    const log = createEventLog()
    const early = log.start()
    assert.deepEqual(read(early), [])
    const all = Array.from({ length: 2_000 }, (_, i) => i + 1)
    for (const seq of all) log.add(eventOf(seq))
    assert.deepEqual(read(early), all)
    assert.deepEqual(read(early), [])
    log.add(eventOf(2_001, { value: large }))
    log.add(eventOf(2_003))
    assert.deepEqual(read(early), [2_001, 2_003])
    assert.deepEqual(read(log.start()), [...all, 2_001, 2_003])
  })

  it('a page of the event log is full at 65,536 bytes, and a reader gets it as one chunk', () => {
    const lengthOf = (event: FeedEvent): number => {
      const log = createEventLog()
      log.add(event)
      return (log.start().next() as Uint8Array).length
    }
    const log = createEventLog()
    const room = 65_536 - lengthOf(eventOf(1)) - lengthOf(eventOf(2, { value: '' }))
    log.add(eventOf(1))
    log.add(eventOf(2, { value: 'x'.repeat(room) }))
    log.add(eventOf(3))
    const cursor = log.start()
    assert.equal((cursor.next() as Uint8Array).length, 65_536)
    assert.equal((cursor.next() as Uint8Array).length, lengthOf(eventOf(3)))
    assert.equal(cursor.next(), undefined)
  })

  it('eventLog.after() accepts only the exact number and id of a stored event', () => {
    const log = createEventLog()
    for (let seq = 2; seq <= 2_000; seq += 2) log.add(eventOf(seq))
    for (const seq of [2, 500, 1_000, 1_998, 2_000]) {
      const numbers = read(log.after(`${seq}.row-${seq}`))
      assert.deepEqual(
        numbers,
        Array.from({ length: (2_000 - seq) / 2 }, (_, i) => seq + 2 + i * 2),
      )
    }
    log.purge(now) // removes the first page, which is empty
    for (const id of [
      '500.row-502',
      '501.row-500',
      '500.row-50',
      '500.row-5000',
      '50.row-500',
      '0500.row-500',
      '500',
      '.',
      '',
      '500.row-500\n',
      ' 500.row-500',
      '500.row-500 ',
      '2002.row-2002',
      '-2.row-2',
      '500.row-500\ndata: {}',
      `${'9'.repeat(400)}.row`,
      '1e3.row-1000',
      // Parts of what was written for these events.
      `500.row-500\ndata: {"kind":"session","value":"s500","expires_at":${now + 1}}`,
      `500.row-500\ndata: {"kind":"session","value":"s500","expires_at":${now + 1}}\n\n` +
        'event: revocation\nid: 502.row-502',
    ])
      assert.equal(log.after(id), undefined, JSON.stringify(id))
  })

  it('the event log removes expired events, and its readers continue with the later events', () => {
    const log = createEventLog()
    log.add(eventOf(1, { value: large }))
    log.add(eventOf(2, { value: large, expiresAt: now + 9 }))
    log.add(eventOf(3, { value: large }))
    const [atStart, behindFirst] = [log.start(), log.after('1.row-1')]
    log.add(eventOf(4, { value: large, expiresAt: now + 9 }))
    const behindLast = log.after('4.row-4')

    log.purge(now)
    assert.deepEqual(read(log.start()), [1, 2, 3, 4])
    log.purge(now + 1)
    for (const cursor of [log.start(), atStart, behindFirst]) assert.deepEqual(read(cursor), [2, 4])
    assert.equal(log.after('3.row-3'), undefined)
    assert.deepEqual(read(log.after('2.row-2')), [4])
    log.add(eventOf(5))
    assert.deepEqual(read(behindLast), [5])

    log.purge(now + 9)
    assert.deepEqual(read(behindLast), [])
    log.add(eventOf(6, { value: large, expiresAt: now + 99 }))
    log.purge(now + 9)
    assert.deepEqual(read(log.start()), [6])
    assert.deepEqual(read(atStart), [6])
  })

  it('the event log keeps its last page, even if all events of the page have expired', () => {
    const log = createEventLog()
    log.add(eventOf(1, { value: large, expiresAt: now + 9 }))
    log.add(eventOf(2))
    log.purge(now + 1)
    log.add(eventOf(3, { expiresAt: now + 9 }))
    assert.deepEqual(read(log.start()), [1, 2, 3])
  })

  it('after eventLog.startOver(), readers get old events until eventLog.show() is called', () => {
    const log = createEventLog()
    log.add(eventOf(1))
    log.add(eventOf(2))
    const [atStart, behindFirst] = [log.start(), log.after('1.row-1')]
    log.startOver()
    log.add(eventOf(1, { id: 'other' }))
    assert.deepEqual(read(log.start()), [1, 2])
    assert.deepEqual(read(log.after('1.row-1')), [2])
    assert.equal(log.after('1.other'), undefined)

    log.startOver()
    log.add(eventOf(1, { id: 'third' }))
    log.show()
    for (const cursor of [atStart, behindFirst]) assert.equal(read(cursor), 'lost')
    assert.equal(log.after('1.row-1'), undefined)
    assert.deepEqual(read(log.after('1.third')), [])
    const latest = log.start()
    assert.deepEqual(read(latest), [1])
    log.show()
    log.add(eventOf(2))
    assert.deepEqual(read(latest), [2])
  })
})
