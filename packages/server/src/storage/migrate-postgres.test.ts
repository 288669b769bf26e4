// Migrations on a real PostgreSQL. A made-up migration, 9999, makes this release newer than its
// database.
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { sql } from 'kysely'
import pg from 'pg'
import { until } from '../../../../tools/until.ts'
import { withMigration, withMigrationsBefore } from '../../test-support/made-up-migration.ts'
import { createTestDatabase, howToGetPostgres, isWaiting } from '../../test-support/postgres.ts'
import { readDatabaseFacts } from './database-facts.ts'
import { inTables, type Reader } from './database.ts'
import { inspectDatabase } from './inspect.ts'
import type { MigrateOptions } from './migrate-postgres.ts'
import { lockNumber } from './migration-lock.ts'
import { contracts, expands, migrations, type Migration } from './migrations.ts'
import { inspectSource, migrateDatabase, openDatabase, printSource, runMigrations } from './open.ts'
import { findRaisedMark } from './schema-mark.ts'

const skip =
  process.env['CI'] || process.env['KEYSTILE_TEST_DATABASE_URL']
    ? false
    : `there is no PostgreSQL: ${howToGetPostgres}`
const names = Object.keys(migrations).toSorted()
const oldest = findRaisedMark(names)
const times = { lock: 100, pause: 1, tries: 2, notice: 1 }
const thread = new URL('unused:')

describe('migrations on PostgreSQL', { skip, concurrency: 1 }, () => {
  let database: NonNullable<Awaited<ReturnType<typeof createTestDatabase>>>
  let url: string
  before(async () => {
    database = (await createTestDatabase()) ?? assert.fail(howToGetPostgres)
    url = database.url
  })
  const open: pg.Client[] = []
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client(url)
    open.push(client)
    await client.connect()
    return client
  }
  const query = async (text: string): Promise<readonly Record<string, unknown>[]> =>
    (await (open[0] ?? (await connect())).query<Record<string, unknown>>(text)).rows
  const start = async (): Promise<void> => (await openDatabase(url, thread)).close()
  /** What a migration can change: the tables, and the rows that migrations write. */
  const readAll = async (): Promise<unknown> => [
    await query(`select table_name, column_name, column_default, is_nullable
        from information_schema.columns where table_schema = 'keystile' order by 1, 2`),
    await query('select name from keystile.migration order by 1'),
    await query('select * from keystile.schema_mark'),
    await query('select * from keystile.setting order by 1'),
  ]
  const clearAll = async (): Promise<void> => {
    for (const client of open.splice(0)) await client.end()
    await database.clear()
  }
  afterEach(clearAll)
  after(() => database.drop())

  /** A migration that alters a table and writes a value that must be quoted. */
  const madeUp: Migration = expands({
    async up(db) {
      await db.schema.alterTable('user').addColumn('made_up', 'text').execute()
      await inTables<{ setting: { name: string; value: string } }>(db)
        .insertInto('setting')
        .values({ name: `it's made up`, value: '$1 \\ "' })
        .execute()
    },
  })
  const migrateTo9999 = (
    options: MigrateOptions = { times },
    migration: Migration = madeUp,
    at = url,
  ): Promise<readonly string[]> =>
    withMigration('9999-made-up', migration, () => runMigrations(at, options))
  /** Returns the URL of the database with other timeouts for its connections. */
  const withTimeouts = (options: string): string => {
    const to = new URL(url)
    to.searchParams.set('options', options)
    return to.href
  }

  it('if servers start together on an empty database, the tables are created once', async () => {
    await Promise.all([start(), start(), start()])
    const rows = await query('select name from keystile.migration order by name')
    assert.deepEqual(
      rows.map(({ name }) => name),
      names,
    )
    assert.deepEqual(await query('select oldest from keystile.schema_mark'), [{ oldest }])
  })

  it('a server does not upgrade tables that an older release creates at that time', async () => {
    const older = await withMigrationsBefore('0017', () => printSource(url))
    const holder = await connect()
    await holder.query(`begin; select pg_advisory_xact_lock(${lockNumber})`)
    await Promise.all([
      assert.rejects(start(), /it lacks 0017-indexes-for-many-rows/),
      isWaiting(url).then(() => holder.query(older)),
    ])
  })

  it('inspectDatabase describes a PostgreSQL database and closes its own connections', async () => {
    await start()
    const facts = await inspectDatabase(url, readDatabaseFacts)
    assert.ok(facts?.kind === 'postgres')
    assert.match(facts.fsync, /^(on|off)$/)
    assert.ok(Math.abs(facts.now - Date.now()) < 60_000)
    assert.deepEqual(facts.migrations.missing, [])
    assert.deepEqual(await migrateDatabase(url), [])
    const own = `select 1 from pg_stat_activity
      where datname = current_database() and application_name = 'keystile'`
    await until(async () => (await query(own)).length === 0)
  })

  it('inspectSource tells whether the PostgreSQL role may run migrations', async () => {
    const guest = new URL(url)
    guest.username = 'keystile_guest'
    guest.password = 'x'
    await query(`drop role if exists keystile_guest`)
    await query(`create role keystile_guest login password 'x'`)
    const may = async (): Promise<readonly boolean[]> =>
      Promise.all([url, guest.href].map(async (of) => (await inspectSource(of)).mayMigrate))
    try {
      assert.deepEqual(await may(), [true, false])
      await start()
      await query('grant usage, create on schema keystile to keystile_guest')
      await query('grant select on all tables in schema keystile to keystile_guest')
      assert.deepEqual(await may(), [true, false])
    } finally {
      await query('drop owned by keystile_guest; drop role keystile_guest')
    }
  })

  it('a server does not start until a missing migration has run', async () => {
    await start()
    const before = await readAll()
    await withMigration('9999-made-up', madeUp, async () => {
      await assert.rejects(start(), {
        name: 'ConfigurationError',
        message:
          /^PostgreSQL at .* it lacks 9999-made-up\. Fix: run "keystile migrate", or migrateDatabase\(\)/,
      })
      assert.deepEqual(await readAll(), before)
      assert.deepEqual(await migrateDatabase(url), ['9999-made-up'])
      assert.deepEqual(await migrateDatabase(url), [])
      await start()
    })
    // The release without 9999 still runs.
    await start()
    assert.deepEqual(await migrateDatabase(url), [])
    await query(`insert into keystile.migration values ('9998-made-up', '')`)
    assert.deepEqual((await inspectSource(url)).unknown, ['9998-made-up', '9999-made-up'])
  })

  it('if the database needs a newer release, a server fails and says which release', async () => {
    await start()
    await query(`update keystile.schema_mark set oldest = 9998, release = '9.0.0'`)
    const refusal = {
      name: 'ConfigurationError',
      message:
        /needs schema 9998, and this release has schema \d+\. Fix: install @keystile\/server 9\.0\.0 or newer$/,
    }
    await assert.rejects(start(), refusal)
    await assert.rejects(migrateDatabase(url), refusal)
    await assert.rejects(printSource(url), refusal)
  })

  it('if two processes migrate at the same time, one migrates and the other waits', async () => {
    await start()
    const holder = await connect()
    await holder.query(`begin; select pg_advisory_xact_lock(${lockNumber})`)
    const reports: string[] = []
    const options = { times, report: (sentence: string) => void reports.push(sentence) }
    // These have nothing to migrate, so they do not wait.
    assert.deepEqual(await runMigrations(url, options), [])
    const otherTimeouts = withTimeouts('-c lock_timeout=1')
    await withMigration('9999-made-up', madeUp, async () => {
      await assert.rejects(start(), /it lacks 9999-made-up/)
      const both = Promise.all([url, otherTimeouts].map((by) => runMigrations(by, options)))
      while (reports.length < 2) await isWaiting(url)
      await holder.query('commit')
      const ran = await both
      assert.deepEqual(ran.flat(), ['9999-made-up'])
    })
    assert.deepEqual(reports, Array(2).fill('another process runs migrations; waits for it'))
  })

  it('a migration leaves no lock and no timeout on a connection that is used again', async () => {
    const pool = new pg.Pool({ connectionString: url, max: 1 })
    open.push({ end: () => pool.end() } as pg.Client)
    assert.deepEqual(await migrateDatabase(pool), names)
    const { rows } = await pool.query(`select current_setting('lock_timeout') as lock,
        current_setting('statement_timeout') as statement,
        (select count(*)::int from pg_locks where locktype = 'advisory' and database =
            (select oid from pg_database where datname = current_database())) as locks`)
    assert.deepEqual(rows, [{ lock: '0', statement: '0', locks: 0 }])
  })

  it('a migration gives up soon if a table is locked, and names the processes', async () => {
    await start()
    const before = await readAll()
    const blockers = [await connect(), await connect()]
    const pids: number[] = []
    for (const blocker of blockers) {
      await blocker.query(`set application_name = 'long report'; begin;
          select 1 from keystile."user"`)
      const { rows } = await blocker.query<{ pid: number }>('select pg_backend_pid() as pid')
      pids.push(...rows.map(({ pid }) => pid))
    }
    const [first, second] = pids.toSorted((a, b) => a - b)
    const reports: string[] = []
    await assert.rejects(
      migrateTo9999({ times, report: (sentence) => void reports.push(sentence) }),
      {
        name: 'DatabaseUnavailableError',
        message: new RegExp(
          `a table is locked by process ${first} of PostgreSQL .*"long report"\\), ` +
            `process ${second} .*pg_terminate_backend\\(${first}\\).*Nothing was changed$`,
        ),
      },
    )
    assert.match(reports.join('\n'), /^a table is locked by .*tries again \(1 tries left\)$/)
    assert.deepEqual(await readAll(), before)
    for (const blocker of blockers) await blocker.query('commit')
    assert.deepEqual(await migrateTo9999(), ['9999-made-up'])
  })

  it('after a deadlock, a migration is tried again after a pause', async () => {
    await start()
    let [deadlocks, pauses] = [2, 0]
    const up = async (db: Reader): Promise<void> => {
      if (deadlocks-- > 0)
        await sql`do $$ begin raise exception 'x' using errcode = '40P01'; end $$`.execute(db)
      else assert.equal(pauses, 2)
    }
    const options: MigrateOptions = {
      times: { ...times, pause: 50 },
      report: () => void setTimeout(() => pauses++, 50), // ends just before the pause
    }
    await assert.rejects(
      migrateTo9999(options, expands({ up })),
      /is locked by another transaction\. Fix: find it in pg_stat_activity; then run/,
    )
    deadlocks = 1
    assert.deepEqual(await migrateTo9999(options, expands({ up })), ['9999-made-up'])
  })

  it('a breaking migration raises schema_mark at its start, and resets it on failure', async () => {
    await start()
    const marks: unknown[] = []
    const limits: unknown[] = []
    const noticed: number[] = []
    let notices = 0
    const contracting = (fails: boolean): Migration => {
      const up = async (db: Reader): Promise<void> => {
        marks.push(...(await query('select oldest from keystile.schema_mark')))
        const asked = sql`select current_setting('lock_timeout') as lock,
            current_setting('statement_timeout') as statement,
            current_setting('idle_in_transaction_session_timeout') as idle`
        limits.push(...(await asked.execute(db)).rows)
        noticed.push(notices)
        if (fails) throw new Error('the migration fails')
      }
      return contracts({ up }, 9999)
    }
    const reports: string[] = []
    const options: MigrateOptions = {
      times: { ...times, notice: 50 },
      report(sentence) {
        reports.push(sentence)
        setTimeout(() => notices++, 50) // ends just before the time of the migration
      },
    }
    await assert.rejects(migrateTo9999(options, contracting(true)), /the migration fails/)
    assert.deepEqual(await query('select oldest from keystile.schema_mark'), [{ oldest }])
    await start()

    const otherTimeouts = withTimeouts('-c statement_timeout=60000')
    assert.deepEqual(await migrateTo9999(options, contracting(false), otherTimeouts), [
      '9999-made-up',
    ])
    assert.deepEqual(marks, [{ oldest: 9999 }, { oldest: 9999 }])
    const limit = { lock: '100ms', statement: '0', idle: '1min' }
    assert.deepEqual(limits, [limit, limit])
    assert.deepEqual(noticed, [1, 2])
    const wait = 'waits 0.05 s, so that servers without the migration 9999 stop writing'
    assert.deepEqual(reports, [wait, wait])
    await assert.rejects(start(), /needs schema 9999/)
  })

  it('a failed migration does not reset schema_mark if another process has migrated', async () => {
    await start()
    let isFirst = true
    const up = async (): Promise<void> => {
      if (!isFirst) return
      isFirst = false
      await isWaiting(url) // the other process waits for the lock
      throw new Error('the migration fails')
    }
    const migrate = (notice: number, report = (): void => {}): Promise<readonly string[]> =>
      runMigrations(url, { times: { ...times, notice }, report })
    await withMigration('9999-made-up', contracts({ up }, 9999), async () => {
      // The other process raises the mark after the first process has read it.
      let other: Promise<readonly string[]> | undefined
      const first = migrate(200, () => void (other ??= migrate(400)))
      const outcomes = [
        ...(await Promise.allSettled([first])),
        ...(await Promise.allSettled([other])),
      ]
      assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
    })
    assert.deepEqual(await query('select oldest from keystile.schema_mark'), [{ oldest: 9999 }])
  })

  it('a migration never lowers the schema_mark that a newer release has set', async () => {
    await start()
    const holder = await connect()
    await holder.query(`begin; select pg_advisory_xact_lock(${lockNumber})`)
    const migrateNewer = async (): Promise<void> => {
      await isWaiting(url)
      await holder.query(`insert into keystile.migration values ('9998-made-up', ''), ('9999', '');
          update keystile.schema_mark set oldest = 9999, release = '9.0.0'; commit`)
    }
    await withMigration('9998-made-up', contracts(madeUp, 9998), () =>
      Promise.all([
        assert.rejects(runMigrations(url, { times }), /needs schema 9999/),
        migrateNewer(),
      ]),
    )
    assert.deepEqual(await query('select oldest, release from keystile.schema_mark'), [
      { oldest: 9999, release: '9.0.0' },
    ])
  })

  it('if another process lowers schema_mark, a breaking migration is not tried again', async () => {
    await start()
    const up = async (db: Reader): Promise<void> => {
      await query(`update keystile.schema_mark set oldest = ${oldest}`)
      await sql`do $$ begin raise exception 'x' using errcode = '40P01'; end $$`.execute(db)
    }
    await assert.rejects(
      migrateTo9999({ times }, contracts({ up }, 9999)),
      /another process has lowered the schema mark, .* Fix: run "keystile migrate" again$/,
    )
  })

  it('if schema_mark cannot be reset after a failed migration, the error says so', async () => {
    await start()
    await query(`alter table keystile.schema_mark add check (oldest > ${oldest}) not valid`)
    const up = (): Promise<void> => Promise.reject(new Error('the migration fails'))
    await assert.rejects(migrateTo9999({ times }, contracts({ up }, 9999)), {
      name: 'DatabaseUnavailableError',
      message: new RegExp(
        'the migration fails, and the schema mark could not be lowered ' +
          `\\(.*check.* oldest = ${oldest} in`,
      ),
    })
  })

  it('the printed SQL does what the migration does; printing the SQL changes nothing', async () => {
    await start()
    const before = await readAll()
    const text = await withMigration('9999-made-up', madeUp, () => printSource(url))
    assert.match(text, /^-- Upgrades .*: 9999-made-up\.\nbegin;\n[^]*\ncommit;$/)
    assert.deepEqual(await readAll(), before)
    await query(text)
    const printed = await readAll()
    assert.notDeepEqual(printed, before)
    await assert.rejects(query(text), /already exists/)

    await clearAll()
    await start()
    await migrateTo9999()
    assert.deepEqual(await readAll(), printed)
  })

  it('for an empty database, printed SQL creates the same tables as a server start', async () => {
    await query(await printSource(url))
    const printed = await readAll()
    await start()
    assert.deepEqual(await readAll(), printed)
    assert.equal(await printSource(url), '-- No migrations are missing.')
  })

  it('the printed SQL of a breaking migration says to stop older servers first', async () => {
    await start()
    const contracting = contracts(madeUp, 9999)
    const text = await withMigration('9999-made-up', contracting, () => printSource(url))
    assert.match(text, /\n-- Before you run it, stop all servers without the migration 9999\.\n/)
    assert.match(text, /update "keystile"."schema_mark" set "oldest" = 9999/)
  })

  it('a server refuses a database until a migration has created table schema_mark', async () => {
    await withMigrationsBefore('0016', start)
    await assert.rejects(start(), /it lacks 0016-schema-mark/)
    const since = names.filter((name) => name >= '0016')
    assert.deepEqual(await runMigrations(url, { times }), since)
    await start()
  })
})
