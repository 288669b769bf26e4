import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, it, mock } from 'node:test'
import { silentLogger } from 'keystile/internal'
import type { Database } from '../../../storage/database.ts'
import { openDatabase } from '../../../storage/open.ts'
import { releaseLease } from '../../operations/lease/store.ts'
import type { LogCursor } from './event-log.ts'
import { openEventFeed, type EventFeed } from './events.ts'
import { announceUserChange, type FeedEvent } from './store.ts'
import { createUserAnnouncer } from './user-announcer.ts'
import { withEventFeed } from './with-event-feed.ts'

const now = Date.UTC(2026, 10, 25)
const writerThread = new URL('../../../server/writer-thread.ts', import.meta.url)
const ada = { sessionId: undefined, subject: 'ada', clientId: 'c' }

/** Returns the numbers of the events up to the end of the log. */
function numbersIn(cursor: LogCursor): readonly number[] | 'lost' {
  const numbers: number[] = []
  for (;;) {
    const bytes = cursor.next()
    if (bytes === 'lost') return 'lost'
    if (bytes === undefined) return numbers
    const ids = Buffer.from(bytes)
      .toString()
      .matchAll(/^id: (\d+)\./gm)
    numbers.push(...Array.from(ids, ([, seq]) => Number(seq)))
  }
}

describe('openEventFeed', () => {
  let folder: string
  let database: Database
  let feed: EventFeed
  let others: DatabaseSync
  let time: number
  let wallTime: number
  let log: string[]
  /** The fields of the lines in `log`. */
  let fields: Readonly<Record<string, unknown>>[]

  /** Inserts an event as another process would. */
  const insert = (value: string, kind = 'subject'): void => {
    others
      .prepare(
        'insert into event (id, seq, kind, value, created_at, expires_at) values (?, null, ?, ?, ?, ?)',
      )
      .run(`id of ${value}`, kind, value, now, now + 1)
  }
  const open = (from: Database = database): Promise<EventFeed> => {
    const note = (line: object, message: string): void => {
      fields.push({ ...line })
      log.push(message)
    }
    return openEventFeed(from, {
      clock: { now: () => wallTime },
      logger: { ...silentLogger, info: note, warn: note, error: note },
    })
  }
  /** Lets the interval elapse, and waits for the work that it started. */
  const pass = async (milliseconds: number): Promise<void> => {
    mock.timers.tick(milliseconds)
    await feed.revocations.refresh()
    await new Promise((resolve) => setImmediate(resolve))
  }

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keystile-events-'))
    const file = join(folder, 'keystile.db')
    database = await openDatabase(file, writerThread)
    others = new DatabaseSync(file, { timeout: 60_000 })
    time = 0
    wallTime = now
    ;[log, fields] = [[], []]
    mock.method(performance, 'now', () => time)
    mock.timers.enable({ apis: ['setInterval'] })
    feed = await open()
  })
  afterEach(async () => {
    await feed.close()
    mock.timers.reset()
    mock.restoreAll()
    others.close()
    await database.close()
    rmSync(folder, { recursive: true })
  })

  it('the event feed reports each revocation once, and isRevoked() then returns true', async () => {
    const seen: FeedEvent[] = []
    feed.onEvent((event) => seen.push(event))
    insert('ada')
    insert('bob')
    await Promise.all([feed.tail(), feed.tail()])
    await feed.tail()
    assert.deepEqual(
      seen.map(({ value, kind, expiresAt }) => [value, kind, expiresAt]),
      [
        ['ada', 'subject', now + 1],
        ['bob', 'subject', now + 1],
      ],
    )
    assert.equal(feed.revocations.isRevoked(ada), true)
    assert.equal(feed.revocations.isRevoked({ ...ada, subject: 'eve' }), false)
  })

  it('the event feed writes to the database only if an event has no number', async () => {
    const write = mock.method(database.urgent, 'write')
    await feed.tail()
    assert.equal(write.mock.callCount(), 0)
    insert('ada')
    await feed.tail()
    assert.equal(write.mock.callCount(), 1)
  })

  it('hasten() starts at most one read per 20 ms, and close() waits for the reads', async () => {
    await feed.close()
    mock.timers.reset()
    mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
    feed = await open()
    let reads = 0
    feed.onRead(() => reads++)
    const countReads = async (): Promise<number> => {
      await new Promise((resolve) => setImmediate(resolve))
      return reads
    }
    const elapse = (milliseconds: number): Promise<number> => {
      time += milliseconds
      mock.timers.tick(milliseconds)
      return countReads()
    }
    feed.hasten()
    assert.equal(await elapse(5), 1)
    feed.hasten()
    assert.equal(await elapse(14), 1)
    assert.equal(await elapse(1), 2)
    assert.equal(await elapse(20), 2)
    feed.hasten()
    assert.equal(await countReads(), 3, '20 ms after the previous start, it starts at once')
    feed.hasten()
    feed.hasten()
    await feed.close()
    assert.equal(reads, 4)
    feed.hasten()
    assert.equal(await elapse(100), 4)
  })

  it('if no read is waiting, close() of the event feed starts no read', async () => {
    let reads = 0
    feed.onRead(() => reads++)
    await feed.close()
    assert.equal(reads, 0)
  })

  it('the event feed also reads events that were stored before the feed was opened', async () => {
    insert('ada')
    const second = await open()
    assert.equal(second.revocations.isRevoked(ada), true)
    await second.close()
  })

  it('the event feed forgets revocations a minute after their tokens have expired', async () => {
    insert('ada')
    insert('x'.repeat(100_000)) // it fills a page of the log, so `bob` begins another one
    insert('bob')
    await feed.tail()
    assert.deepEqual(numbersIn(feed.log.start()), [1, 2, 3])
    wallTime += 60_000
    await feed.tail()
    assert.equal(feed.revocations.isRevoked(ada), true)
    wallTime += 1
    await feed.tail()
    assert.equal(feed.revocations.isRevoked(ada), false)
    assert.deepEqual(numbersIn(feed.log.start()), [3])
  })

  it('an event about a changed user reaches the listeners, but not the event log', async () => {
    const [users, events]: [string[], FeedEvent[]] = [[], []]
    feed.onUserChanged((subject) => users.push(subject))
    feed.onEvent((event) => events.push(event))
    insert('ada', 'user')
    await feed.tail()
    assert.deepEqual([users, events.map(({ kind }) => kind)], [['ada'], ['user']])
    assert.deepEqual([numbersIn(feed.log.start()), log], [[], []])
  })

  it('when the event feed calls onRead, isRevoked() already knows the new events', async () => {
    const revoked: boolean[] = []
    feed.onRead(() => revoked.push(feed.revocations.isRevoked(ada)))
    await feed.tail()
    insert('ada')
    await feed.tail()
    assert.deepEqual(revoked, [false, true])
  })

  it('the event feed skips events of unknown kind, and warns about them only once', async () => {
    const seen: string[] = []
    feed.onEvent(({ value }) => seen.push(value))
    insert('1', 'scope')
    insert('2')
    insert('3', 'role')
    await feed.tail()
    assert.deepEqual(seen, ['2'])
    assert.equal(feed.revocations.isRevoked({ ...ada, subject: '2' }), true)
    assert.deepEqual(numbersIn(feed.log.start()), [2])
    assert.deepEqual(log, ['this release does not know a kind of revocation, and ignores it'])
    assert.deepEqual(fields, [{ kind: 'scope' }])
    await feed.tail()
    assert.equal(log.length, 1)
  })

  it('the event feed polls every 250 ms until it is closed', async () => {
    const step = mock.method(database.reader, 'getExecutor')
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
    mock.timers.tick(249)
    await turn()
    assert.equal(step.mock.callCount(), 0)
    mock.timers.tick(1)
    await turn()
    assert.notEqual(step.mock.callCount(), 0)
    await feed.close()
    const calls = step.mock.callCount()
    mock.timers.tick(1_000)
    await turn()
    assert.equal(step.mock.callCount(), calls)
  })

  it('the event feed is stale if no read has succeeded for 4 s', async () => {
    time = 3_999
    assert.equal(feed.revocations.state, 'current')
    assert.equal(feed.ageSeconds, 3.999)
    time = 4_000
    assert.equal(feed.revocations.state, 'stale')
    await feed.revocations.refresh()
    assert.equal(feed.revocations.state, 'current')
  })

  it('the age of the event feed counts from the start of its last query, not the end', async () => {
    const getExecutor = database.reader.getExecutor.bind(database.reader)
    const slow = mock.method(database.reader, 'getExecutor', () => {
      time += 4_000 // the time that each query takes
      return getExecutor()
    })
    insert('ada')
    await feed.tail()
    slow.mock.restore()
    assert.equal(feed.revocations.isRevoked(ada), true)
    assert.equal(feed.revocations.state, 'stale')
    await feed.tail()
    assert.equal(feed.ageSeconds, 0)
  })

  it('if the database loses events, the event feed warns and reads all events again', async () => {
    const seen: string[] = []
    feed.onEvent(({ value }) => seen.push(value))
    const told = async (): Promise<readonly string[]> => {
      await feed.tail()
      return seen.splice(0)
    }
    for (const value of ['1', '2', '3']) {
      insert(value)
      assert.deepEqual(await told(), [value])
    }
    const restore = (): void =>
      others.exec('delete from event where seq > 1; update feed set seq = 1')
    restore()
    assert.deepEqual(await told(), ['1'])
    assert.deepEqual(await told(), [])
    assert.equal(log.length, 1)

    for (const value of ['4', '5']) insert(value)
    assert.deepEqual(await told(), ['4', '5'])
    restore()
    // Other processes wrote more events since, so number 3 is now another event.
    for (const value of ['6', '7', 'ada']) insert(value)
    assert.deepEqual(await told(), ['1', '6', '7', 'ada'])
    assert.equal(feed.revocations.isRevoked(ada), true)
    assert.equal(log.length, 2)

    others.exec('delete from event')
    assert.deepEqual(await told(), [])
    insert('8')
    assert.deepEqual(await told(), ['8'])
    assert.equal(log.length, 2)
  })

  it('after the clock is set back, the event feed reads all revocations again', async () => {
    insert('ada')
    await feed.tail()
    wallTime = now + 3_600_000
    await feed.tail()
    assert.equal(feed.revocations.isRevoked(ada), false) // its tokens have expired

    wallTime = now
    assert.equal(feed.revocations.state, 'stale')
    await feed.tail()
    assert.equal(feed.revocations.state, 'current')
    assert.equal(feed.revocations.isRevoked(ada), true)
    assert.deepEqual(numbersIn(feed.log.start()), [1])
    assert.deepEqual(log, ['the clock was set back; reading all revocations again'])
  })

  it('if the clock is set back during a read, the next read fetches all revocations', async () => {
    insert('ada')
    await feed.tail()
    wallTime = now + 3_600_000
    await feed.tail() // forgets the revocation of ada
    others.exec(`insert into event values ('b', null, 'subject', 'bob', 0, ${now + 7_200_000})`)
    feed.onEvent(({ value }) => {
      if (value === 'bob') wallTime = now
    })
    await feed.tail()
    assert.equal(feed.revocations.state, 'stale')
    await feed.tail()
    assert.deepEqual([feed.revocations.state, feed.revocations.isRevoked(ada)], ['current', true])
    assert.deepEqual(log, ['the clock was set back; reading all revocations again'])
  })

  it('if the clock goes back by one minute, the event feed still has all revocations', async () => {
    insert('ada')
    await feed.tail()
    wallTime = now + 60_000
    await feed.tail()
    assert.equal(feed.revocations.isRevoked(ada), true)
    wallTime = now
    assert.equal(feed.revocations.state, 'current')
    await feed.tail()
    assert.deepEqual(log, [])
  })

  it('if the clock was set back and reads fail, the event feed stays stale', async () => {
    wallTime = now + 60_001
    await feed.tail()
    wallTime = now
    mock.method(database.reader, 'getExecutor', () => assert.fail('the disk fails'))
    await assert.rejects(feed.tail())
    assert.equal(feed.revocations.state, 'stale')
  })

  it('if the database loses events, EventFeed.log keeps its events until a full read', async () => {
    const atGap: unknown[] = []
    feed.onGap(() => atGap.push(numbersIn(feed.log.start())))
    const all = Array.from({ length: 1_002 }, (_, i) => i + 1) // more than one read returns
    others.exec('begin')
    for (const number of all) insert(`${number}`)
    others.exec('commit')
    await feed.tail()
    const early = feed.log.start()
    assert.deepEqual(numbersIn(early), all)

    others.exec('delete from event where seq = 1002; update feed set seq = 1001')
    feed.onEvent(({ seq }) => {
      if (seq === 1_000) others.exec('alter table event rename to gone')
    })
    await assert.rejects(feed.tail())
    assert.deepEqual(numbersIn(feed.log.start()), all)
    assert.deepEqual(numbersIn(early), [])
    assert.deepEqual(atGap, [])

    others.exec('alter table gone rename to event')
    await feed.tail()
    assert.deepEqual(numbersIn(feed.log.start()), all.slice(0, -1))
    assert.equal(numbersIn(early), 'lost')
    assert.deepEqual(atGap, [all.slice(0, -1)])
  })

  it('the event feed logs once when reads begin to fail, and once when reads recover', async () => {
    await pass(250)
    assert.deepEqual(log, [])
    others.exec('alter table event rename to gone')
    await pass(250)
    await pass(250)
    assert.deepEqual(log, ['revocations cannot be read'])
    assert.ok(fields[0]?.['err'] instanceof Error)
    time = 4_000
    await assert.rejects(feed.revocations.refresh(), /no such table/)
    assert.equal(feed.revocations.state, 'stale')
    await assert.rejects(feed.tail())
    others.exec('alter table gone rename to event')
    await pass(250)
    await pass(250)
    assert.deepEqual(log, ['revocations cannot be read', 'revocations can be read again'])
    others.exec('alter table event rename to gone')
    await pass(250)
    assert.deepEqual(log.slice(2), ['revocations cannot be read'])
  })

  it('the event feed logs nothing if a read fails while the feed closes', async () => {
    others.exec('alter table event rename to gone')
    mock.timers.tick(250)
    await feed.close()
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(log, [])
  })

  it('onGap is called after 30 min of sleep, 4 s without reads or a clock set back', async () => {
    let gaps = 0
    feed.onGap(() => gaps++)
    const gapsAfter = async (milliseconds: number, asleep = 0): Promise<number> => {
      time += milliseconds
      wallTime += milliseconds + asleep
      await feed.tail()
      return gaps
    }
    assert.deepEqual([await gapsAfter(3_999), await gapsAfter(4_000)], [0, 1])
    const halfHour = 30 * 60_000
    assert.deepEqual([await gapsAfter(0, halfHour), await gapsAfter(0, halfHour + 1)], [1, 2])
    assert.equal(await gapsAfter(0), 2)
    wallTime -= 60_001
    assert.deepEqual([await gapsAfter(0), await gapsAfter(0)], [3, 3], 'it has read all again')
  })

  it('before a command resolves, this process learns which user the command changed', async () => {
    let announce: (notice: unknown) => void = () => {}
    const own = await open({ ...database, onCommitted: (listener) => void (announce = listener) })
    const users: string[] = []
    own.onUserChanged((subject) => users.push(subject))
    announce({ type: 'logged_in' })
    assert.equal(users.length, 0)
    announce({ changedUser: 'ada' })
    assert.deepEqual(users, ['ada'])

    feed.onUserChanged((subject) => users.push(subject))
    await database.write(announceUserChange, { subject: 'bob', now })
    assert.deepEqual(users, ['ada', 'bob'])
    await own.tail() // as another process
    assert.deepEqual(users, ['ada', 'bob', 'bob'])
    announce({ revoked: [{ kind: 'subject', value: 'ada', expiresAt: now + 1 }] })
    assert.equal(own.revocations.isRevoked(ada), true)
    await own.close()
  })

  it('userChanged() rejects an object, and ignores a subject that no user can have', async () => {
    const users: string[] = []
    feed.onUserChanged((subject) => users.push(subject))
    const userChanged = createUserAnnouncer(database, { now: () => now })
    await userChanged('\0')
    await userChanged('ada')
    assert.deepEqual(users, ['ada'])
    await assert.rejects(userChanged({ id: 'ada' } as never), {
      name: 'TypeError',
      message: 'userChanged() must get a string, the subject of a user; it got an object',
    })
  })

  it('after followSignals(), the event feed reads at each signal of the database', async () => {
    const signals: (() => void)[] = []
    const own = await open({ ...database, onSignal: (listener) => void signals.push(listener) })
    assert.equal(signals.length, 0)
    own.followSignals()
    insert('ada')
    signals[0]?.()
    await new Promise<void>((resolve) => own.onRead(resolve))
    assert.equal(own.revocations.isRevoked(ada), true)
    await own.close()
  })

  it('after 8 s without reads, a write waits for a read, and fails if the read fails', async () => {
    const write = (isUrgent = false): Promise<unknown> => {
      const { write } = isUrgent ? database.urgent : database
      return write(releaseLease, { name: 'none', fence: 0 })
    }
    const reads = mock.method(database.reader, 'getExecutor')
    time = 7_999
    await write()
    assert.equal(reads.mock.callCount(), 0)
    time = 8_000
    await write(true)
    assert.equal(reads.mock.callCount(), 0)
    await write()
    assert.notEqual(reads.mock.callCount(), 0)
    assert.equal(feed.ageSeconds, 0)

    reads.mock.mockImplementation(() => assert.fail('the disk fails'))
    time = 15_999
    await write()
    time = 16_000
    await assert.rejects(write(), {
      name: 'DatabaseUnavailableError',
      message: 'the database has not answered for 8 s',
    })
    await write(true)
    reads.mock.restore()
    await write()
  })

  it('writes fail after a newer release made the tables unusable for this release', async () => {
    const write = (): Promise<unknown> => database.write(releaseLease, { name: 'none', fence: 0 })
    const { oldest } = others.prepare('select oldest from schema_mark').get() ?? {}
    others.exec('update schema_mark set oldest = 9999')
    time = 8_000
    await assert.rejects(write(), { name: 'NewerSchemaError' })
    time = 0
    await assert.rejects(write(), { name: 'NewerSchemaError' })
    await assert.rejects(feed.tail(), { name: 'NewerSchemaError' })
    others.exec(`update schema_mark set oldest = ${Number(oldest)}`)
    await feed.tail()
    await write()
  })

  it('EventFeed.close() waits for the read in progress and for the next queued read', async () => {
    const [gate, write] = [Promise.withResolvers<void>(), database.urgent.write]
    const gated = mock.method(
      database.urgent,
      'write',
      async (...given: Parameters<Database['write']>) => {
        await gate.promise
        return write(...given)
      },
    )
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
    const ended: string[] = []
    insert('ada')
    void feed.tail().then(() => ended.push('first'))
    while (gated.mock.callCount() === 0) await turn()
    const isClosing = feed.close().then(() => ended.push('closed'))
    for (let round = 0; round < 5; round++) await turn()
    const endedBefore = ended.length
    gate.resolve()
    await isClosing
    assert.equal(endedBefore, 0)
    assert.equal(ended.join(), 'first,closed')

    void feed.tail()
    void feed.tail().then(() => ended.push('second'))
    await feed.close()
    assert.equal(ended.join(), 'first,closed,second')
  })

  it('the event feed does not keep a process alive', async () => {
    mock.timers.reset()
    const countTimers = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = countTimers()
    const another = await open()
    await another.revocations.refresh()
    assert.equal(countTimers(), before)
    await another.close()
  })

  it('revocations.refresh resolves even if the database cannot write at the moment', async () => {
    insert('ada')
    const busy = Promise.withResolvers<void>()
    const write = mock.method(database.urgent, 'write', () => busy.promise)
    await feed.revocations.refresh()
    const whileBusy = [write.mock.callCount(), feed.revocations.isRevoked(ada)]
    write.mock.restore()
    busy.resolve()
    assert.deepEqual(whileBusy, [1, false])
    await feed.tail()
    assert.equal(feed.revocations.isRevoked(ada), true)
  })

  it('withEventFeed waits for the end of a read before it closes the database', async () => {
    const steps: string[] = []
    const clock = { now: () => now }
    const withDatabase = async (work: (of: Database) => Promise<void>): Promise<void> => {
      await work(database)
      steps.push('close')
    }
    await withEventFeed({ withDatabase, clock }, async (_database, { onRead, tail }) => {
      onRead(() => steps.push('read'))
      void tail()
    })
    assert.deepEqual(steps, ['read', 'close'])
  })
})
