import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it, mock } from 'node:test'
import { silentLogger, systemClock } from 'keystile/internal'
import pg from 'pg'
import { until } from '../../../../../../tools/until.ts'
import {
  createTestDatabase,
  howToGetPostgres,
  type TestDatabase,
} from '../../../../test-support/postgres.ts'
import type { Database } from '../../../storage/database.ts'
import { openDatabase } from '../../../storage/open.ts'
import { openEventFeed, type EventFeed } from './events.ts'

const writerThread = new URL('../../../server/writer-thread.ts', import.meta.url)
const skip =
  process.env['CI'] || process.env['KEYSTILE_TEST_DATABASE_URL']
    ? false
    : `no PostgreSQL: ${howToGetPostgres}`

describe('the signals of the event feed on PostgreSQL', { skip }, () => {
  let test: TestDatabase
  const closing: (() => Promise<void>)[] = []
  before(async () => {
    const created = await createTestDatabase()
    assert.ok(created, howToGetPostgres)
    test = created
  })
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close()
    mock.timers.reset()
  })
  after(() => test.drop())

  async function open(source: string | pg.Pool = test.url): Promise<EventFeed & { db: Database }> {
    const db = await openDatabase(source, writerThread)
    closing.push(() => db.close())
    const feed = await openEventFeed(db, { clock: systemClock, logger: silentLogger })
    closing.push(() => feed.close())
    return Object.assign(feed, { db })
  }
  const ask = async (text: string): Promise<readonly Readonly<Record<string, unknown>>[]> => {
    const client = new pg.Client({ connectionString: test.url })
    await client.connect()
    const { rows } = await client.query(text).finally(() => client.end())
    return rows as readonly Readonly<Record<string, unknown>>[]
  }
  const insert = (value: string): Promise<unknown> =>
    ask(
      'insert into keystile.event (id, seq, kind, value, created_at, expires_at) values ' +
        `('${value}', null, 'session', '${value}', 0, ${Date.now() + 60_000})`,
    )
  /** Returns a function that waits until the feed has read an event. */
  const watch = ({ onEvent }: EventFeed): ((value: string) => Promise<void>) => {
    const seen = new Set<string>()
    onEvent(({ value }) => seen.add(value))
    return async (value) => {
      await until(() => seen.has(value))
    }
  }
  const findListeners = (): Promise<readonly unknown[]> =>
    ask(
      "select pid from pg_stat_activity where datname = current_database() and query = 'listen keystile'",
    )

  it('after a feed assigns event numbers, PostgreSQL notifies the other feeds', async () => {
    mock.timers.enable({ apis: ['setInterval'] }) // no feed reads by itself
    const [one, other] = [await open(), await open()]
    other.followSignals()
    await until(async () => (await findListeners()).length > 0)
    const untilRead = watch(other)
    for (const value of ['ada', 'bob']) {
      await insert(value)
      await one.tail()
      await untilRead(value)
      await other.tail() // from here on, only a new signal makes the feed read
    }
  })

  it('an event feed opens a new LISTEN connection after its old connection failed', async () => {
    mock.timers.enable({ apis: ['setInterval'] })
    const feed = await open()
    feed.followSignals()
    await until(async () => (await findListeners()).length > 0)
    await ask(
      "select pg_terminate_backend(pid) from pg_stat_activity where query = 'listen keystile'",
    )
    // The feed also reads when the new connection is open, because it may have missed a signal.
    const untilRead = watch(feed)
    await insert('eve')
    await untilRead('eve')
    assert.equal((await findListeners()).length, 1)
  })

  it('an event feed keeps no LISTEN connection in a pool that the app has passed', async () => {
    const pool = new pg.Pool({ connectionString: test.url, max: 2 })
    closing.push(() => pool.end())
    const feed = await open(pool)
    feed.followSignals()
    await feed.tail()
    assert.equal(pool.totalCount, pool.idleCount)
    assert.deepEqual(await findListeners(), [])
  })
})
