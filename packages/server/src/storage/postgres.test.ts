import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import pg from 'pg'
import { until } from '../../../../tools/until.ts'
import { createTestDatabase, howToGetPostgres, isWaiting } from '../../test-support/postgres.ts'
import { failed, startScriptedPostgres } from '../../test-support/scripted-postgres.ts'
import { command, type Database, type Transaction } from './database.ts'
import { announce } from './notices.ts'
import { databaseTime } from './portable-sql.ts'
import { openPostgres } from './postgres.ts'

const skip =
  process.env['CI'] || process.env['KEYSTILE_TEST_DATABASE_URL']
    ? false
    : `no PostgreSQL: ${howToGetPostgres}`

describe('commands on PostgreSQL', { skip }, () => {
  let database: Database
  let url: string
  const opened: (() => Promise<void>)[] = []
  before(async () => {
    const created = await createTestDatabase()
    assert.ok(created, howToGetPostgres)
    url = created.url
    opened.push(created.drop)
    database = await openPostgres(url, 'PostgreSQL')
    opened.push(() => database.close())
    await sql`create table note (id integer primary key, text text not null)`.execute(
      database.reader,
    )
    await sql`insert into note values (1, 'a'), (2, 'b')`.execute(database.reader)
  })
  after(async () => {
    for (const close of opened.splice(0).toReversed()) await close()
  })
  const set = (transaction: Transaction, id: number, text: string): Promise<unknown> =>
    sql`update note set text = ${text} where id = ${id}`.execute(transaction)
  const textOf = async (id: number): Promise<unknown> => {
    const { rows } = await sql<{ text: string }>`select text from note where id = ${id}`.execute(
      database.reader,
    )
    return rows[0]?.text
  }

  it('databaseTime is the time in milliseconds since 1970 on PostgreSQL', async () => {
    const { reader } = database
    const { now } = await reader
      .selectNoFrom(databaseTime(reader).as('now'))
      .executeTakeFirstOrThrow()
    assert.ok(Number.isInteger(now) && Math.abs(now - Date.now()) < 60_000, String(now))
  })

  for (const code of ['40001', '40P01']) {
    it(`a command is tried up to three times if it fails with ${code}`, async () => {
      let runs = 0
      const failing = command('failing', async (transaction, failures: number) => {
        runs++
        announce(transaction, `run ${runs}`)
        await set(transaction, 1, `${code} ${runs}`)
        if (runs <= failures)
          await sql`do $$ begin raise exception 'conflict' using errcode = ${sql.lit(code)}; end $$`.execute(
            transaction,
          )
        return runs
      })
      const notices: unknown[] = []
      database.onCommitted((notice) => notices.push(notice))
      assert.equal(await database.write(failing, 2), 3)
      assert.equal(await textOf(1), `${code} 3`)
      assert.deepEqual(notices, ['run 3'])

      runs = 0
      await assert.rejects(database.write(failing, 3), { name: 'DatabaseUnavailableError' })
      assert.equal(runs, 3)
      assert.equal(await textOf(1), `${code} 3`)
    })
  }

  it('a command waits for a random time before it is tried again', async (t) => {
    t.mock.method(Math, 'random', () => 2)
    let runs = 0
    const conflicting = command('conflicting', async (transaction) => {
      if (++runs === 1)
        await sql`do $$ begin raise exception 'x' using errcode = '40001'; end $$`.execute(
          transaction,
        )
    })
    const startedAt = performance.now()
    await database.write(conflicting, undefined)
    const milliseconds = performance.now() - startedAt
    assert.ok(milliseconds >= 99, `${milliseconds} ms`)
  })

  it('before a command, a write check runs and learns whether the command is urgent', async (t) => {
    const checks: boolean[] = []
    let outcome: Promise<void> | undefined
    database.checkWrites((isUrgent) => {
      checks.push(isUrgent)
      return outcome
    })
    t.after(() => database.checkWrites(() => undefined))
    let runs = 0
    const counting = command('counting', async () => ++runs)
    assert.equal(await database.write(counting, undefined), 1)
    assert.equal(await database.urgent.write(counting, undefined), 2)
    assert.deepEqual(checks, [false, true])
    outcome = Promise.reject(new Error('this process may not write'))
    await assert.rejects(database.write(counting, undefined), /may not write/)
    assert.equal(runs, 2)
  })

  it('writeQueueLength counts the commands that have no answer yet', async () => {
    const counting = command('counting', async (_, fails: boolean) => {
      if (fails) throw new Error('it fails')
      return database.writeQueueLength
    })
    assert.equal(await database.write(counting, false), 1)
    await assert.rejects(database.write(counting, true), /it fails/)
    assert.equal(database.writeQueueLength, 0)
  })

  it('a read gets integers as numbers and all other values as text', async () => {
    const { rows } = await sql`select 1::int8 as a, 2::int4 as b, 3::numeric as c`.execute(
      database.reader,
    )
    assert.deepEqual(rows, [{ a: 1, b: 2, c: '3' }])
  })

  it('close() also ends the connection that waits for signals', async () => {
    const other = await openPostgres(url, 'PostgreSQL')
    await new Promise<void>((resolve) => other.onSignal(resolve)) // called when it listens
    await other.close()
    await until(async () => {
      const { rows } = await sql`select 1 from pg_stat_activity
        where datname = current_database() and query = 'listen keystile'`.execute(database.reader)
      return rows.length === 0
    })
  })

  it('if two commands deadlock, both succeed in the end', async () => {
    let arrived = 0
    let meet = (): void => {}
    const both = new Promise<void>((resolve) => (meet = resolve))
    const inOrder = command('inOrder', async (transaction, ids: readonly [number, number]) => {
      await set(transaction, ids[0], 'locked')
      if (++arrived === 2) meet()
      await both
      await set(transaction, ids[1], ids.join())
    })
    await Promise.all([database.write(inOrder, [1, 2]), database.write(inOrder, [2, 1])])
    assert.ok(arrived > 2, 'there was no deadlock')
  })

  it('a write fails if PostgreSQL rolls back the transaction at COMMIT', async () => {
    const swallowing = command('swallowing', async (transaction) => {
      announce(transaction, 'swallowed')
      await set(transaction, 2, 'swallowed')
      await sql`select 1 / 0`.execute(transaction).catch(() => {})
    })
    const notices: unknown[] = []
    database.onCommitted((notice) => notices.push(notice))
    await assert.rejects(database.write(swallowing, undefined))
    assert.deepEqual(notices, [])
    assert.notEqual(await textOf(2), 'swallowed')
  })

  it('if a command fails and so does the rollback, the command’s error is thrown', async () => {
    const killed = command('killed', async (transaction) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(
        transaction,
      )
      const killer = new pg.Client(url)
      await killer.connect()
      await killer.query('select pg_terminate_backend($1, 10000)', [rows[0]?.pid])
      await killer.end()
      throw new Error('the reason of the command')
    })
    await assert.rejects(database.write(killed, undefined), /the reason of the command/)
  })

  it('a transaction sets its isolation, timeouts, and a commit to disk', async () => {
    const read = command('read', async (transaction) => {
      const { rows } = await sql<{ value: string }>`
        select concat_ws(' ', current_setting('synchronous_commit'),
          current_setting('transaction_isolation'), current_setting('statement_timeout'),
          current_setting('idle_in_transaction_session_timeout')) as value`.execute(transaction)
      return rows[0]?.value
    })
    for (const [given, expected] of [
      ['off', 'on'],
      ['local', 'local'],
      ['remote_apply', 'remote_apply'],
    ]) {
      const chosen = new URL(url)
      chosen.searchParams.set(
        'options',
        `-c synchronous_commit=${given} -c default_transaction_isolation=serializable`,
      )
      const opened = await openPostgres(chosen.href, 'PostgreSQL')
      assert.equal(await opened.write(read, undefined), `${expected} read committed 4s 3s`)
      await opened.close()
    }
  })

  it('a read can wait 2.5 s for a lock while PostgreSQL accepts new connections', async () => {
    const locker = new pg.Client(url)
    await locker.connect()
    await locker.query('begin; lock table note')
    const read = textOf(1) // no other connection asks anything meanwhile
    await delay(2_500)
    await locker.query('commit')
    assert.equal(typeof (await read), 'string')
    await locker.end()
  })

  it('PostgreSQL cancels a read that this process no longer waits for', async () => {
    const locker = new pg.Client(url)
    await locker.connect()
    await locker.query('begin; lock table note')
    const read = textOf(1)
    await isWaiting(url)
    await assert.rejects(read, { name: 'DatabaseUnavailableError' })
    for (;;) {
      const { rows } = await locker.query(
        `select 1 from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`,
      )
      if (rows.length === 0) break
    }
    await locker.end()
  })
})

/** A message of PostgreSQL that asks for authentication, with its kind and its text. */
function authentication(kind: number, text: string): Buffer {
  const message = Buffer.from(`R\0\0\0\0\0\0\0\0${text}`)
  message.writeInt32BE(message.length - 1, 1)
  message.writeInt32BE(kind, 5)
  return message
}

describe('openPostgres', () => {
  it('openPostgres closes its connections if it fails', async (t) => {
    const server = await startScriptedPostgres()
    t.after(() => server.close())
    server.reply = () => failed('42501')
    await assert.rejects(
      openPostgres(server.url, 'PostgreSQL'),
      /^DatabaseUnavailableError: PostgreSQL cannot be opened: failed/,
    )
    await server.hears('1 ends')
  })

  it('openPostgres says how to give the password that PostgreSQL asks for', async (t) => {
    const server = createServer((socket) => {
      t.after(() => socket.destroy())
      socket.once('data', () => {
        socket.write(authentication(10, 'SCRAM-SHA-256\0\0'))
        socket.once('data', () => socket.write(authentication(11, 'r=nonce,s=salt,i=4096')))
      })
    }).listen(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await assert.rejects(
      openPostgres(`postgres://keystile_app@127.0.0.1:${port}/keystile`, 'PostgreSQL'),
      /client password must be a string\. Fix: give the password: in the URL, in PGPASSWORD/,
    )
  })
})
