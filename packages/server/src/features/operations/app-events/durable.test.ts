// `onEvent` with `durable: true`: events wait in the database until the app has handled them.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'keystile/internal'
import * as z from 'zod'
import { until } from '../../../../../../tools/until.ts'
import { callCommand } from '../../../../test-support/command.ts'
import {
  createTestClock,
  describeOnBoth,
  issuer,
  key,
  password,
  type Stage,
  type TestKeystile,
} from '../../../../test-support/keystile.ts'
import type { DurableAppEvent, DurableEventHandler } from './app-event.ts'

const another = 'a battery of correct horses'
const day = 24 * 60 * 60

/** A durable handler that calls a function with each event. */
function durable(handle: DurableEventHandler['handle']): { readonly onEvent: DurableEventHandler } {
  return { onEvent: { durable: true, handle } }
}

/** A durable handler that collects the events, and fails as often as it is told. */
function collector(failures = 0): {
  readonly onEvent: DurableEventHandler
  readonly events: DurableAppEvent[]
  failures: number
} {
  const events: DurableAppEvent[] = []
  const collected = { events, failures, ...durable(handle) }
  function handle(event: DurableAppEvent): void {
    events.push(event)
    if (collected.failures-- > 0) throw new Error('the handler is away')
  }
  return collected
}

function toolsOf(stage: Stage): {
  rows(): ReturnType<Stage['sql']>
  emptied(): Promise<unknown>
  failed(): Promise<unknown>
  run(...args: string[]): Promise<string>
} {
  const rows: Stage['sql'] = () => stage.sql('select * from app_event order by id')
  return {
    rows: () => rows(''),
    /** Resolves when all events are handled. */
    emptied: () => until(async () => (await rows('')).length === 0),
    /** Resolves when the last try of an event has failed. */
    failed: () => until(async () => (await rows('')).some((row) => row['failure'] !== null)),
    /** Runs a command on the database. Returns what it prints. */
    async run(...args) {
      const env = { KEYSTILE_DATABASE: stage.database, KEYSTILE_KEY: key, KEYSTILE_ISSUER: issuer }
      const { stdout, stderr } = await callCommand(args, { cwd: '/', env })
      return stdout + stderr
    },
  }
}

describeOnBoth('onEvent with durable: true', (stage) => {
  const { rows, emptied, failed, run } = toolsOf(stage)
  const countRows = async (): Promise<number> => (await rows()).length

  it('a durable handler gets the events of each process and each `keystile` command', async () => {
    const begin = Date.now()
    // This process takes the lease of background jobs, and has no handler.
    const there = await stage.start({ profile: z.looseObject({}) })
    await until(async () => (await stage.sql('select * from lease')).length > 0)
    const { events, onEvent } = collector()
    await stage.start({ onEvent })

    const { subject, sessionId, accessToken: bearer } = await there.tokens()
    const json = { current_password: password, new_password: another }
    await there.send('PATCH', '/users/me', { bearer, json: { city: 'London' } })
    await there.send('POST', '/users/me/password', { bearer, json })
    assert.match(await run('user', 'disable', 'ada'), /^disabled ada/)
    await there.keystile.users?.delete(subject)
    await emptied()

    const [clientId, own] = ['first-party', `user:${subject}` as const]
    const byType = (one: object, other: object): number =>
      Object.values(one).join() < Object.values(other).join() ? -1 : 1
    assert.deepEqual(
      events.map(({ id: _id, at: _at, type, ...event }) => ({ type, ...event })).toSorted(byType),
      [
        { type: 'changed', what: 'password', subject, actor: own },
        { type: 'changed', what: 'profile', subject, actor: own },
        { type: 'deleted', subject, actor: 'app' },
        { type: 'disabled', subject, actor: 'operator' },
        { type: 'logged_in', subject, sessionId, clientId, actor: own },
        { type: 'registered', subject, actor: 'nobody' },
        { type: 'session_ended', subject, sessionId, clientId },
      ],
    )
    assert.equal(new Set(events.map(({ id }) => id)).size, events.length)
    for (const { id, at } of events)
      assert.ok(id.length > 20 && at instanceof Date && at.getTime() >= begin)
  })

  it('without a durable handler, Keystile stores no events', async () => {
    const { tokens } = await stage.start({ onEvent: () => {} })
    await tokens()
    assert.equal(await countRows(), 0)
  })

  it('after the last handler stops, Keystile stores the events of the next 7 days', async () => {
    const clock = createTestClock()
    const { events, onEvent } = collector()
    await (await stage.start({ clock, onEvent })).keystile.close()
    const [row] = await stage.sql('select * from event_handler')
    const daysLeft = (Number(row?.['expires_at']) - Date.now()) / 1000 / day
    assert.ok(daysLeft > 6.9 && daysLeft < 7.1, String(daysLeft))

    const there = await stage.start({ clock })
    await there.addUser()
    assert.equal(await countRows(), 1)
    await stage.sql(`update event_handler set expires_at = ${Date.now() - 1}`)
    await there.addUser({ username: 'bob', email: 'bob@example.com' })
    assert.equal(await countRows(), 1)

    await stage.start({ clock, onEvent })
    await emptied()
    assert.deepEqual(
      events.map(({ type }) => type),
      ['registered'],
    )
    await there.addUser({ username: 'eve', email: 'eve@example.com' })
    await until(() => events.length === 2)
  })

  it('if a change is rolled back, no event is stored and no handler is called', async () => {
    const { events, onEvent } = collector()
    const started = await stage.start({ onEvent })
    const subject = await started.addUser()
    await emptied()
    for (const statement of refuseCommits(stage.kind)) await stage.sql(statement)
    await assert.rejects(async () => started.keystile.users?.disable(subject))
    assert.equal(await countRows(), 0)
    assert.equal((await started.keystile.users?.find({ id: subject }))?.disabled, false)
    assert.equal(events.length, 1)
  })

  it('an event is delivered again, with the same id, 10 s after its handler failed', async () => {
    const clock = createTestClock()
    const errors: object[] = []
    const error = (fields: object): void => void errors.push(fields)
    const logger: Logger = { debug() {}, info() {}, warn() {}, error }
    const { events, onEvent } = collector(1)
    const { addUser } = await stage.start({ clock, logger, onEvent })
    await addUser()
    await failed()
    const [row] = await rows()
    assert.deepEqual(
      [row?.['failure'], Number(row?.['tries']), Number(row?.['next_try_at']), row?.['dead_at']],
      ['error', 1, clock.now() + 10_000, null],
    )
    await delay(1_200) // longer than a tick
    assert.equal(events.length, 1)

    clock.advance(10)
    await emptied()
    assert.equal(events.length, 2)
    assert.deepEqual(events[0], events[1])
    assert.deepEqual(
      errors.map((fields) => ({ ...fields, err: String((fields as { err: unknown }).err) })),
      [{ err: 'Error: the handler is away', event: 'registered', id: events[0]?.id, tries: 1 }],
    )
  })

  it('an event is delivered again if its handler rejects, but not while it runs', async () => {
    const clock = createTestClock()
    const { promise, resolve } = Promise.withResolvers<void>()
    let tries = 0
    const handle = (): Promise<void> => (tries++ === 0 ? Promise.reject(new Error('no')) : promise)
    const { addUser } = await stage.start({ clock, ...durable(handle) })
    await addUser()
    await failed()
    clock.advance(10)
    await until(() => tries === 2)
    assert.equal(await countRows(), 1)
    resolve()
    await emptied()
  })

  it('if two processes have a handler, only one of them handles each event', async () => {
    const { events, onEvent } = collector()
    const one = await stage.start({ onEvent })
    const two = await stage.start({ onEvent })
    for (let i = 0; i < 12; i++)
      await (i % 2 ? one : two).addUser({ username: `user${i}`, email: `user${i}@example.com` })
    await emptied()
    assert.deepEqual([events.length, new Set(events.map(({ id }) => id)).size], [12, 12])
  })

  it('if a process loses the lease while a handler runs, the event is not deleted', async () => {
    const clock = createTestClock()
    const events: DurableAppEvent[] = []
    const handle = async (event: DurableAppEvent): Promise<void> => {
      if (events.push(event) > 1) return
      await stage.sql("update lease set fence = fence + 1, holder = 'other' where name = 'events'")
    }
    const { addUser } = await stage.start({ clock, ...durable(handle) })
    await addUser()
    await until(() => events.length === 1)
    await delay(200)
    assert.equal(await countRows(), 1)

    await stage.sql('update lease set expires_at = 0')
    clock.advance(89)
    const held = "select * from lease where name = 'events' and expires_at > 0"
    await until(async () => (await stage.sql(held)).length > 0)
    await delay(1_200) // longer than a tick
    assert.equal(events.length, 1, 'the claim of the process that lost the lease has not expired')
    clock.advance(1)
    await emptied()
    assert.deepEqual(events[0], events[1])
  })

  it('a process handles at most ten events at the same time', async () => {
    await (await stage.start({ onEvent: collector().onEvent })).keystile.close()
    const { keystile, addUser } = await stage.start()
    const subject = await addUser()
    for (let i = 0; i < 14; i++) await keystile.sessions.create({ subject })
    await keystile.close()
    assert.equal(await countRows(), 15)

    const { promise, resolve } = Promise.withResolvers<void>()
    let handled = 0
    await stage.start(durable(() => (handled++, promise)))
    await until(() => handled === 10)
    await delay(1_200) // longer than a tick
    assert.equal(handled, 10)
    resolve()
    await emptied()
    assert.equal(handled, 15)
  })

  it('the rows of events contain no data of the user except the subject', async () => {
    await (await stage.start({ onEvent: collector().onEvent })).keystile.close()
    const started = await stage.start({ profile: z.looseObject({}) })
    const { send, keystile } = started
    const { subject, accessToken: bearer, refreshToken } = await started.tokens('lovelace')
    const headers = { 'user-agent': 'Firefox' }
    const remoteAddress = '192.0.2.7'
    const options = { bearer, headers, remoteAddress }
    await send('PATCH', '/users/me', { ...options, json: { city: 'London' } })
    const address = { current_password: password, new_email: 'ada@shop.example' }
    await send('POST', '/users/me/email', { ...options, json: address })
    await keystile.users?.delete(subject)

    const all = await rows()
    assert.equal(all.length, 6)
    const known = ['subject', 'type', 'what', 'actor', 'sessionId', 'clientId']
    for (const row of all) {
      const event = JSON.parse(String(row['event'])) as Readonly<Record<string, unknown>>
      assert.equal(event['subject'], subject)
      assert.deepEqual(
        Object.keys(event).filter((name) => !known.includes(name)),
        [],
      )
    }
    const text = JSON.stringify(all)
    const secrets = ['lovelace', 'example', 'London', '192.0.2.7', 'Firefox', password, bearer]
    for (const secret of [...secrets, refreshToken, ...refreshToken.split('.')])
      assert.ok(!text.includes(secret), secret)
  })
})

describeOnBoth('durable events that are not handled', (stage) => {
  const { rows, emptied, failed, run } = toolsOf(stage)

  /** Stores an event that no process handles, of a user who was registered days ago. */
  async function leave(days: number): Promise<void> {
    await (await stage.start({ onEvent: collector().onEvent })).keystile.close()
    const clock = createTestClock(Date.now() - days * day * 1000)
    const { addUser, keystile } = await stage.start({ clock })
    await addUser()
    await keystile.close()
  }

  it('a week-old failed event is a dead letter until `keystile event retry` runs', async () => {
    await leave(7.01)
    const handler = collector(1)
    await stage.start({ onEvent: handler.onEvent })
    await failed()
    const [row] = await rows()
    const id = String(row?.['id'])
    assert.notEqual(row?.['dead_at'], null)
    assert.match(await run('doctor'), /warn {2}events-handled[^]*1 is a dead letter/)
    assert.match(await run('event', 'list'), new RegExp(`^${id}\tdead\tregistered\t.*1 try\terror`))
    assert.match(await run('event', 'retry', '--id', 'unknown'), /the event must exist/)
    assert.match(await run('event', 'retry'), /^1 event is due now: a running app handles it\n$/)
    await emptied()
    assert.deepEqual(handler.events[0], handler.events[1])
    assert.doesNotMatch(await run('doctor'), /events-handled/)
    assert.match(
      await run('event', 'retry'),
      /^no event has failed; "keystile event list" shows what waits\n$/,
    )
  })

  it('an event under seven days old is not a dead letter when its handler fails', async () => {
    await leave(6.99)
    await stage.start({ onEvent: collector(1).onEvent })
    await failed()
    assert.equal((await rows())[0]?.['dead_at'], null)
    assert.doesNotMatch(await run('doctor'), /events-handled/)
    const listed = JSON.parse(await run('event', 'list', '--json')) as Record<string, unknown>
    const { created_at: _, next_try_at: next, ...shown } = listed
    const [{ id, event } = {}] = await rows()
    const expected = { id, event: JSON.parse(String(event)) as object }
    assert.deepEqual(shown, { ...expected, state: 'waiting', tries: 1, failure: 'error' })
    assert.ok(Date.parse(String(next)) > Date.now())
    // A process whose clock is ahead gives up on the event.
    await stage.sql('update app_event set dead_at = 1')
    assert.match(await run('event', 'list', '--json'), /"state":"dead",.*"next_try_at":null/)
  })

  it('a week-old event is a dead letter even if no process has tried to handle it', async () => {
    await leave(7.01)
    assert.match(await run('doctor'), /warn {2}events-handled[^]*1 is a dead letter/)
    assert.match(await run('event', 'list'), /\tdead\tregistered\t.*\t0 tries\t-$/m)
    const handler = collector()
    await stage.start({ onEvent: handler.onEvent })
    await emptied()
    assert.equal(handler.events.length, 1)
  })

  it('housekeeping deletes an event that is still undelivered after 30 days', async () => {
    await leave(29.99)
    const first = await stage.start()
    const held = `select * from lease where name = 'jobs' and expires_at > ${Date.now()}`
    await until(async () => (await stage.sql(held)).length > 0)
    await delay(500) // longer than housekeeping takes, which starts with the lease
    assert.equal((await rows()).length, 1)
    await first.keystile.close()
    const clock = createTestClock(Date.now() + 0.02 * day * 1000)
    await stage.start({ clock })
    await emptied()
  })
})

describeOnBoth(
  'onEvent with durable: true in an app with its own users',
  (stage) => {
    it('a durable handler gets logins and ended sessions of the app’s own users', async () => {
      const { events, onEvent } = collector()
      const started = await stage.start({ onEvent })
      const { subject, sessionId } = await started.tokens()
      await started.keystile.sessions.revoke(sessionId)
      await until(() => events.length === 2)
      assert.deepEqual(events.map(({ type }) => type).toSorted(), ['logged_in', 'session_ended'])
      assert.ok(events.every((event) => event.subject === subject))
    })
  },
  ['people'],
)

describeOnBoth('the option onEvent', (stage) => {
  const refused = (onEvent: unknown): Promise<void> =>
    assert.rejects(
      async (): Promise<TestKeystile> => stage.start({ onEvent: onEvent as () => void }),
      /onEvent must be a function, or \{ durable: true, handle \} with a function handle/,
    )

  it('createKeystile refuses an onEvent object other than { durable: true, handle }', async () => {
    const handle = (): void => {}
    await refused({ durable: false, handle })
    await refused({ handle })
    await refused({ durable: true })
    await refused({ durable: true, handle, retries: 3 })
    await refused(null)
  })
})

/** Statements that make each commit of an event fail, after all its statements have succeeded. */
function refuseCommits(kind: Stage['kind']): readonly string[] {
  return kind === 'SQLite'
    ? [
        'create table parent (id text primary key)',
        'create table late (id text references parent (id) deferrable initially deferred)',
        'create trigger late after insert on app_event begin insert into late values (new.id); end',
      ]
    : [
        `create function late() returns trigger language plpgsql
          as $$ begin raise exception 'no'; end $$`,
        `create constraint trigger late after insert on app_event deferrable initially deferred
          for each row execute function late()`,
      ]
}
