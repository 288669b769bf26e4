import assert from 'node:assert/strict'
import type { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, it, mock } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { silentLogger } from 'keystile/internal'
import { until } from '../../../../../../tools/until.ts'
import {
  createTestClock,
  describeOnBoth,
  tokensOf,
  type Stage,
  type TestClock,
} from '../../../../test-support/keystile.ts'
import { openMigratedFile, type MigratedFile } from '../../../../test-support/migrated.ts'
import { maxPurgedAtOnce } from '../../../feature/clean-up.ts'
import { noMeter, type CounterMetric, type Meter } from '../../../feature/metric.ts'
import { underLease } from '../../../server/commands.ts'
import { cleanUpSteps } from '../../../server/features.ts'
import { checkOptions } from '../../../server/options.ts'
import type { Database } from '../../../storage/database.ts'
import { openDatabase } from '../../../storage/open.ts'
import { purgeEvents } from '../../tokens/events/store.ts'
import { recordAudit } from '../audit/store.ts'
import { openLease, type Lease } from '../lease/lease.ts'
import { releaseLease } from '../lease/store.ts'
import { purge, startHousekeeping, type Housekeeping } from './housekeeping.ts'

const day = 24 * 60 * 60
const writerThread = new URL('../../../server/writer-thread.ts', import.meta.url)
/** The options of a server with defaults only: the audit record keeps an entry for 90 days. */
const options = checkOptions({ issuer: 'http://localhost:3000', database: ':memory:' })

/** Purges as a server does each minute. @returns how many rows each step deleted */
async function purgeAt(stage: Stage, now: number): Promise<readonly number[]> {
  const database = await openDatabase(stage.database, writerThread)
  const steps: number[] = []
  try {
    await purge(
      {
        ...database,
        async write(command, values) {
          const result = await database.write(command, values)
          steps.push((result as { readonly purged: number }).purged)
          return result
        },
      },
      { steps: cleanUpSteps, options, now, meter: noMeter, isClosed: () => false },
    )
  } finally {
    await database.close()
  }
  return steps
}

describeOnBoth('housekeeping', (stage) => {
  const countOf = async (table: string): Promise<number> =>
    Number((await stage.sql(`select count(*) as number from ${table}`))[0]!['number'])

  /** Records a refused login, so that the newest audit entry has the time of the clock. */
  const see = async (clock: TestClock): Promise<void> => {
    const database = await openDatabase(stage.database, writerThread)
    await database.write(recordAudit, {
      event: 'login_refused',
      at: clock.now(),
      by: { actor: 'nobody' },
    })
    await database.close()
  }

  it('housekeeping deletes nothing from an empty database', async () => {
    await stage.start()
    // Without audit entries, only the steps that depend on the clock do something.
    const run = cleanUpSteps.filter(({ time }) => time === 'clock')
    const purged = await purgeAt(stage, createTestClock().now())
    assert.deepEqual(purged, Array(run.length).fill(0))
  })

  it('with a clock 400 days ahead, housekeeping uses the time of the last audit line', async () => {
    const clock = createTestClock()
    const { tokens, refresh } = await stage.start({ clock })
    const { refreshToken } = await tokens()
    await purgeAt(stage, clock.now() + 400 * day * 1000)
    assert.equal(await countOf('session'), 1)
    assert.equal(await countOf('audit'), 2)
    assert.equal((await refresh(refreshToken)).status, 200)
  })

  it('a day after a session expires, housekeeping deletes it and its refresh tokens', async () => {
    const clock = createTestClock()
    const { tokens, refresh } = await stage.start({
      clock,
      idleSeconds: 3_600,
      sessionSeconds: 30 * day,
    })
    const idle = await tokens('ada')
    await refresh(idle.refreshToken)
    clock.advance(1_800)
    const used = await tokens('bob')
    clock.advance(1_800 + day)
    await see(clock)
    await purgeAt(stage, clock.now())
    assert.equal(await countOf('session'), 2)
    clock.advance(1)
    await see(clock)
    await purgeAt(stage, clock.now())
    const [session, ...others] = await stage.sql('select id from session')
    assert.deepEqual([session!['id'], others], [used.sessionId, []])
    const [token, ...otherTokens] = await stage.sql('select session_id from refresh_token')
    assert.deepEqual([token!['session_id'], otherTokens], [used.sessionId, []])
    // The answer is the same as before: a missing token is refused like an expired one.
    assert.equal((await refresh(idle.refreshToken)).json['error'], 'invalid_grant')
  })

  it('housekeeping keeps used refresh tokens, so a reuse still ends their session', async () => {
    const clock = createTestClock()
    const { tokens, refresh } = await stage.start({ clock })
    const { refreshToken } = await tokens()
    const second = tokensOf((await refresh(refreshToken)).json).refreshToken
    const third = tokensOf((await refresh(second)).json).refreshToken
    clock.advance(10 * day)
    await see(clock)
    await purgeAt(stage, clock.now())
    assert.equal((await refresh(refreshToken)).status, 400)
    assert.equal((await refresh(third)).status, 400)
  })

  it('housekeeping deletes an ended session after all its tokens have expired', async () => {
    const clock = createTestClock()
    const { tokens, keystile } = await stage.start({ clock, accessTokenSeconds: 3_600 })
    const { sessionId } = await tokens()
    await keystile.sessions.revoke(sessionId)
    clock.advance(3_600 + day)
    await see(clock)
    await purgeAt(stage, clock.now())
    assert.deepEqual([await countOf('session'), await countOf('event')], [1, 1])
    clock.advance(71)
    await see(clock)
    await purgeAt(stage, clock.now())
    assert.deepEqual(
      [await countOf('session'), await countOf('event'), await countOf('refresh_token')],
      [0, 0, 0],
    )
  })

  it('when a session ends, idle_expires_at becomes the expiry of its access tokens', async () => {
    const { keystile, tokens } = await stage.start()
    const { sessionId } = await tokens()
    await keystile.sessions.revoke(sessionId)
    const early = 'select id from session where idle_expires_at <> tokens_expire_at'
    assert.deepEqual(await stage.sql(early), [])
  })

  it('one minute after a rate limit has refilled, housekeeping deletes its row', async () => {
    const clock = createTestClock()
    await stage.start({ clock })
    const minuteAgo = clock.now() - 60_000
    await stage.sql(`insert into rate (key, tat) values ('a', ${minuteAgo})`)
    await see(clock) // the limits use the clock, even if it is later than the newest entry
    await purgeAt(stage, clock.now())
    assert.equal(await countOf('rate'), 1)
    clock.advance(0.001)
    await purgeAt(stage, clock.now())
    assert.equal(await countOf('rate'), 0)
  })

  /** Inserts rows that expired long ago. */
  const fill = (
    table: 'session' | 'refresh_token' | 'event',
    rows: number,
    sessionId = '',
  ): Promise<unknown> => {
    const [columns, values] = {
      session: [
        'id, subject, client_id, created_at, last_used_at, tokens_expire_at, idle_expires_at',
        "'s' || n, 'x', 'c', 1, 1, 1, 1",
      ],
      refresh_token: [
        'id, session_id, secret_hash, created_at',
        `'r' || n, '${sessionId}', 'x', 1`,
      ],
      event: ['id, kind, value, created_at, expires_at', "'e' || n, 'session', 'x', 1, 1"],
    }[table]
    const numbers = `with recursive number(n) as (select 1 union all select n + 1 from number where n < ${rows})`
    return stage.sql(`${numbers} insert into ${table} (${columns}) select ${values} from number`)
  }

  it('housekeeping deletes all expired rows in steps of a limited number of rows', async () => {
    const clock = createTestClock()
    const { tokens } = await stage.start({ clock })
    const { sessionId } = await tokens()
    await fill('refresh_token', 1_200, sessionId)
    await fill('session', 1_200)
    await fill('event', 1_200)
    clock.advance(100 * day)
    await see(clock)
    const steps = await purgeAt(stage, clock.now())
    // Sessions, their tokens, events, and two audit entries.
    assert.ok(Math.max(...steps) <= maxPurgedAtOnce + 50, steps.join())
    assert.equal(
      steps.reduce((sum, purged) => sum + purged, 0),
      1_201 + 1_201 + 1_200 + 2,
    )
    for (const table of ['session', 'refresh_token', 'event'])
      assert.equal(await countOf(table), 0, table)
  })

  /** Prepares a database with more rows to delete than one step deletes, and no running server. */
  const neglect = async (sessions: number): Promise<TestClock> => {
    const clock = createTestClock()
    await (await stage.start({ clock })).keystile.close()
    await fill('session', sessions)
    clock.advance(60 * 60)
    await see(clock)
    return clock
  }

  for (const servers of [1, 2])
    it(`housekeeping deletes old rows automatically (servers: ${servers})`, async () => {
      const clock = await neglect(200)
      await Promise.all(Array.from({ length: servers }, () => stage.start({ clock })))
      await until(async () => (await countOf('session')) === 0)
    })

  it('when a server stops, housekeeping ends after its current step', async () => {
    const clock = await neglect(5_000)
    await (await stage.start({ clock })).keystile.close()
    assert.ok((await countOf('session')) > 0)
  })
})

describe('the housekeeping of a process', () => {
  let migrated: MigratedFile
  let database: Database
  let file: DatabaseSync
  let lease: Lease
  let running: Housekeeping
  let warnings: string[]
  beforeEach(async () => {
    migrated = await openMigratedFile()
    ;({ database, file } = migrated)
    warnings = []
    mock.timers.enable({ apis: ['setInterval'] })
  })
  afterEach(async () => {
    await running.close()
    await lease.close()
    mock.restoreAll()
    mock.timers.reset()
    await migrated.close()
  })

  const counter: CounterMetric<{}> = { type: 'counter', name: 'purged', help: '', labels: {} }
  let counted = 0
  const add: Meter['add'] = (added, _labels, amount = 1) => {
    if (added === counter) counted += amount
  }
  const meter = { ...noMeter, add }

  const start = (): void => {
    counted = 0
    const warn = ({ err }: { readonly err?: unknown }, text: string): void =>
      void warnings.push(`${text}: ${(err as Error).message}`)
    lease = openLease(database, { underLease, logger: silentLogger })
    running = startHousekeeping(
      database,
      lease,
      [{ command: purgeEvents, time: 'clock', before: (time) => time, counter }],
      { clock: { now: () => 10 }, logger: { ...silentLogger, warn }, meter },
    )
  }
  const insert = (rows = 1): void =>
    file.exec(`with recursive n (i) as (select 1 union all select i + 1 from n where i < ${rows})
      insert into event select 'e' || i, null, 'session', 'x', 1, 1 from n`)
  const count = (): number => file.prepare('select id from event').all().length
  const settle = async (): Promise<void> => {
    for (let round = 0; round < 3; round++) {
      await setImmediate()
      await database.write(releaseLease, { name: 'none', fence: 0 })
    }
  }

  it('housekeeping runs when the process takes the lease, and then each minute', async () => {
    insert()
    start()
    const write = mock.method(lease, 'write')
    // The second transaction finds nothing, so the run ends.
    await until(() => write.mock.callCount() === 2)
    await settle()
    assert.equal(count(), 0)
    assert.equal(counted, 1)
    insert()
    mock.timers.tick(59_999)
    await settle()
    assert.equal(count(), 1)
    mock.timers.tick(1)
    await until(() => count() === 0)
    await running.close()
    insert()
    const reads = mock.method(database.reader, 'getExecutor')
    mock.timers.tick(60_000)
    await settle()
    assert.deepEqual([count(), reads.mock.callCount(), warnings], [1, 0, []])
  })

  it('housekeeping logs a failure, and tries again a minute later', async () => {
    insert()
    file.exec('alter table event rename to gone')
    start()
    await until(() => warnings.length === 1)
    assert.deepEqual(warnings, ['expired rows could not be deleted: no such table: event'])
    file.exec('alter table gone rename to event')
    await settle()
    mock.timers.tick(60_000)
    await until(() => count() === 0)
  })

  it('housekeeping ends without a log line when another process takes the lease', async () => {
    mock.timers.reset()
    mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
    insert(501)
    start()
    await until(() => count() === 1)
    file.exec("update lease set fence = fence + 1, holder = 'other'")
    await settle()
    mock.timers.tick(20) // the pause between two transactions
    await until(() => !lease.isHeld)
    await running.close()
    assert.deepEqual([count(), warnings], [1, []])
  })

  it('housekeeping does nothing while another process has the lease', async () => {
    file.exec(`insert into lease values ('jobs', 'other', 1, ${Date.now() + 9_000})`)
    insert()
    start()
    const write = mock.method(lease, 'write')
    const reads = mock.method(database.reader, 'getExecutor')
    mock.timers.tick(60_000)
    await settle()
    assert.deepEqual([write.mock.callCount(), reads.mock.callCount()], [0, 0])
    assert.deepEqual([count(), warnings], [1, []])
  })

  it('housekeeping.close() waits for the transaction in progress', async () => {
    const gate = Promise.withResolvers<void>()
    insert(501)
    start()
    const { write } = lease
    const gated = mock.method(lease, 'write', async (...given: Parameters<Lease['write']>) => {
      await gate.promise
      return write(...given)
    })
    await until(() => gated.mock.callCount() === 1)
    let isClosed = false
    const closed = running.close().then(() => (isClosed = true))
    for (let round = 0; round < 5; round++) await setImmediate()
    assert.equal(isClosed, false)
    gate.resolve()
    await closed
    assert.equal(count(), 1)
  })

  it('housekeeping keeps a process alive only while housekeeping.close() runs', async () => {
    mock.timers.reset()
    const countTimers = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = countTimers()
    insert(501)
    start()
    await until(() => count() < 501)
    assert.equal(countTimers(), before)
    const closed = running.close()
    assert.equal(countTimers(), before + 1)
    await closed
    assert.equal(countTimers(), before)
  })
})
