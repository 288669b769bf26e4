// `keystile migrate` and its flags, on PostgreSQL and on SQLite. Rows of a made-up migration make a
// database newer than this release.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, afterEach, before, describe, it } from 'node:test'
import { createKeystile } from '@keystile/server'
import pg from 'pg'
import { callCommand, type Finished } from '../../packages/server/test-support/command.ts'
import {
  createTestDatabase,
  howToGetPostgres,
  type TestDatabase,
} from '../../packages/server/test-support/postgres.ts'

const noPostgres =
  process.env['CI'] || process.env['KEYSTILE_TEST_DATABASE_URL']
    ? false
    : `no PostgreSQL: ${howToGetPostgres}`

describe('keystile migrate on PostgreSQL', { skip: noPostgres, concurrency: 1 }, () => {
  let database: TestDatabase
  before(async () => {
    const created = await createTestDatabase()
    assert.ok(created, howToGetPostgres)
    database = created
  })
  afterEach(() => database.clear())
  after(() => database.drop())

  const cwd = tmpdir()
  const command = (...args: readonly string[]): Promise<Finished> =>
    callCommand(args, { cwd, env: { DATABASE_URL: database.url } })
  async function query(text: string): Promise<readonly Record<string, unknown>[]> {
    const client = new pg.Client(database.url)
    await client.connect()
    try {
      return (await client.query<Record<string, unknown>>(text)).rows
    } finally {
      await client.end()
    }
  }
  /** Makes the database older than this release, as far as this release can see. */
  const forgetLast = `delete from keystile.migration
      where name = (select max(name) from keystile.migration)`

  it('keystile migrate --check names the missing migrations, and changes nothing', async () => {
    const empty = await command('migrate', '--check')
    assert.deepEqual([empty.code, empty.stderr], [1, ''])
    assert.match(empty.stdout, /^there are no tables: PostgreSQL at .*lacks 0001-first, /)
    assert.deepEqual(await query(`select 1 where to_regnamespace('keystile') is not null`), [])

    const migrated = await command('migrate')
    assert.deepEqual([migrated.code, migrated.stderr], [0, ''])
    assert.match(migrated.stdout, /^ran 0001-first\n[^]*the tables are up to date: PostgreSQL at/)
    const current = await command('migrate', '--check')
    assert.equal(current.code, 0)
    assert.match(current.stdout, /^the tables are up to date: .* \(schema \d+\)\n$/)

    await query(forgetLast)
    const behind = await command('migrate', '--check')
    assert.equal(behind.code, 1)
    assert.match(behind.stdout, /must be upgraded .* lacks \d{4}-.*Fix: run "keystile migrate"/)
  })

  it('keystile migrate --check says if an upgrade stops older servers', async () => {
    await command('migrate')
    await query(`delete from keystile.migration where name >= '0019'`)
    const behind = await command('migrate', '--check')
    assert.equal(behind.code, 1)
    assert.match(
      behind.stdout,
      /\nthis contracts the tables: servers without the migration \d+ then answer 503, so the /,
    )
  })

  it('if a migration is missing, commands and apps fail and say how to run it', async () => {
    await command('migrate')
    await query(forgetLast)
    const { code, stderr } = await command('user', 'list')
    assert.equal(code, 1)
    assert.match(stderr, /^keystile: PostgreSQL at .* lacks \d{4}-.*Fix: run "keystile migrate"/)
    const options = { issuer: 'http://localhost:3000', key: 'kEx8vWq2Jm0ZrT5uYb7dLs3fGh9pNc1a' }
    await assert.rejects(createKeystile({ ...options, database: database.url }), {
      name: 'ConfigurationError',
      message: /lacks \d{4}-.*Fix: run "keystile migrate", or migrateDatabase\(\) in an app/,
    })
  })

  it('keystile migrate --check and doctor say whether a newer database can be used', async () => {
    await command('migrate')
    await query(`insert into keystile.migration values ('9998-later', '')`)
    for (const args of [['migrate'], ['migrate', '--check']]) {
      const { code, stdout, stderr } = await command(...args)
      assert.deepEqual([code, stderr], [0, ''])
      assert.match(stdout, /^the tables are newer than this release, which can .*has 9998-later/)
    }
    const doctor = await command('doctor', '--issuer', 'http://localhost:8000')
    assert.match(doctor.stdout, /warn {2}tables-not-newer .*\n.*9998-later/)
    assert.equal((await command('user', 'list')).code, 0)

    await query(`update keystile.schema_mark set oldest = 9998, release = '9.0.0'`)
    const needed = /needs schema 9998, and this .* Fix: install @keystile\/server 9\.0\.0 or newer/
    const check = await command('migrate', '--check')
    assert.equal(check.code, 1)
    assert.match(check.stdout, needed)
    for (const args of [['migrate'], ['migrate', '--print'], ['user', 'list']]) {
      const refused = await command(...args)
      assert.equal(refused.code, 1)
      assert.match(refused.stderr, needed)
    }
    const stop = await command('doctor', '--issuer', 'http://localhost:8000')
    assert.match(stop.stdout, /stop {2}tables-current .*\n.*needs schema 9998/)
  })

  it('keystile migrate says that it waits for another process that migrates', async () => {
    const other = new pg.Client(database.url)
    await other.connect()
    // The number is `lockNumber` in migrate-postgres.ts.
    await other.query('select pg_advisory_lock(3853314791062309107)')
    const migrating = command('migrate')
    const waits = `select 1 from pg_locks where locktype = 'advisory' and not granted
      and database = (select oid from pg_database where datname = current_database())`
    const isWaiting = async (): Promise<boolean> => (await other.query(waits)).rows.length > 0
    const ended = migrating.then(() => true)
    while (!(await Promise.race([ended, isWaiting()])));
    await other.end()
    const { code, stderr } = await migrating
    const report = 'keystile: another process runs migrations; waits for it\n'
    assert.deepEqual([code, stderr], [0, report])
  })

  it('keystile migrate --print prints only SQL, which psql can run', async () => {
    const { code, stdout, stderr } = await command('migrate', '--print')
    assert.deepEqual([code, stderr], [0, ''])
    await query(stdout)
    assert.equal((await command('migrate', '--check')).code, 0)
    const again = await command('migrate', '--print')
    assert.equal(again.stdout, '-- No migrations are missing.\n')
  })
})

describe('keystile migrate on SQLite', () => {
  let cwd: string
  before(() => void (cwd = mkdtempSync(join(tmpdir(), 'keystile-migrate-flags-'))))
  after(() => rmSync(cwd, { recursive: true }))

  it('keystile migrate --check and --print create no file', async () => {
    const check = await callCommand(['migrate', '--check'], { cwd })
    assert.equal(check.code, 1)
    assert.match(check.stdout, /^there are no tables: data\/keystile\.db \(lacks 0001-first, 0002-/)
    const print = await callCommand(['migrate', '--print'], { cwd })
    assert.equal(print.code, 0)
    assert.match(print.stdout, /^-- Upgrades the tables [^]*\ncommit;\n$/)
    assert.equal(existsSync(join(cwd, 'data')), false)
  })

  it('keystile migrate --check says whether this release can use a SQLite file', async () => {
    const run = (...args: readonly string[]): Promise<Finished> =>
      callCommand(['migrate', ...args, '--database', 'check.db'], { cwd })
    const change = (text: string): void => {
      const db = new DatabaseSync(join(cwd, 'check.db'))
      db.exec(text)
      db.close()
    }
    const migrated = await run()
    assert.match(migrated.stdout, /^ran 0001-first\nran 0002-refresh-tokens\n/)
    assert.match(migrated.stdout, /\nthe tables are up to date: check\.db \(schema \d+\)\n$/)
    assert.deepEqual([migrated.code, migrated.stderr], [0, ''])

    change(`insert into migration values ('9998-later', ''), ('9999-last', '')`)
    for (const args of [[], ['--check']]) {
      const { code, stdout } = await run(...args)
      assert.equal(code, 0)
      assert.match(stdout, /^the tables are newer .*: check\.db \(has 9998-later, 9999-last; this /)
    }
    change(`update schema_mark set oldest = 9998, release = '9.0.0'`)
    const beyond = await run('--check')
    assert.equal(beyond.code, 1)
    assert.match(beyond.stdout, /^check\.db must not be newer than .*\. Fix: install @keystile\//)
    assert.match((await run()).stderr, /needs schema 9998/)
  })

  it('keystile migrate refuses --check together with --print', async () => {
    const { code, stderr } = await callCommand(['migrate', '--check', '--print'], { cwd })
    assert.equal(code, 1)
    assert.match(stderr, /^keystile: --check and --print must not be given together/)
  })
})
