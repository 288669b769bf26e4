import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { Kysely, sql } from 'kysely'
import { withMigration } from '../../test-support/made-up-migration.ts'
import { readVersion } from '../base/version.ts'
import type { Reader } from './database.ts'
import { lockNumber } from './migration-lock.ts'
import { migrations, numberOf } from './migrations.ts'
import { inspectSource, migrateDatabase, printSource } from './open.ts'
import { printMigrations } from './print-migrations.ts'
import { createBookkeeping, runSteps } from './run-migrations.ts'
import { findRaisedMark } from './schema-mark.ts'
import {
  emptyFacts,
  findNewestMigration,
  readSchemaState,
  type MigrationFacts,
} from './schema-state.ts'
import { openSqliteFile } from './sqlite-connection.ts'
import { sqliteDialect } from './sqlite-dialect.ts'
import { findSchemaFault, standingOf } from './standing.ts'

const names = Object.keys(migrations).toSorted()
const last = names.at(-1) ?? ''
const markedNames = names.filter((name) => numberOf(name) > 16)

/** A database with the migrations until a given one, without it. */
async function openBefore(
  name: string,
): Promise<{ readonly sqlite: DatabaseSync; readonly db: Reader }> {
  const sqlite = openSqliteFile(':memory:', 'write')
  const db = new Kysely<unknown>({ dialect: sqliteDialect(sqlite) })
  await createBookkeeping(db, { schema: false, table: true })
  await runSteps(
    db,
    names.filter((other) => other < name),
  )
  return { sqlite, db }
}

/** The columns, unique indexes and triggers of a table, each as a line. */
const describeTable = `
  select iif("notnull" and dflt_value is null, 'required ', '') || 'column ' || name || ' ' ||
    type || ' ' || coalesce(dflt_value, 'null') || ' ' || pk as line from pragma_table_xinfo(?1)
  union all
  select 'unique index on ' || (select group_concat(name, ', ') from pragma_index_info(list.name))
    || ' ' || partial from pragma_index_list(?1) as list where "unique"
  union all
  select 'trigger ' || sql from sqlite_master where type = 'trigger' and tbl_name = ?1`

/** Returns each table with the lines that describe it. */
function readTables(sqlite: DatabaseSync): ReadonlyMap<string, ReadonlySet<string>> {
  const tables = sqlite.prepare("select name from sqlite_master where type = 'table'").all()
  return new Map(
    tables.map(({ name: table }) => {
      const lines = sqlite.prepare(describeTable).all(String(table))
      return [String(table), new Set(lines.map(({ line }) => String(line)))]
    }),
  )
}

/**
 * Returns how a migration contracts: what it removes from a table, and what it adds that releases
 * without the migration could violate. An optional column does no harm.
 */
async function findContractions(name: string): Promise<readonly string[]> {
  const { sqlite, db } = await openBefore(name)
  const earlier = readTables(sqlite)
  await runSteps(db, [name])
  const later = readTables(sqlite)
  await db.destroy()
  return [...earlier].flatMap(([table, lines]) => {
    const now = later.get(table)
    if (!now) return [`removes ${table}`]
    const removed = [...lines].filter((line) => !now.has(line)).map((line) => `removes ${line}`)
    const added = [...now]
      .filter((line) => !lines.has(line) && !line.startsWith('column'))
      .map((line) => `adds ${line}`)
    return [...removed, ...added].map((change) => `${change} of ${table}`)
  })
}

/** What is printed around the statements of a migration: the lock, the record and the mark. */
const bookkeeping =
  /^--|^set local|advisory_xact_lock|^insert .*"migration"|^update .*"schema_mark"/

/** Returns a digest of the statements of a migration, for SQLite and PostgreSQL. */
async function digestOf(name: string): Promise<string> {
  const state = { ...emptyFacts, missing: [name] }
  const absent = { schema: false, table: false }
  const hash = createHash('sha256')
  for (const kind of ['sqlite', 'postgres'] as const) {
    const text = await printMigrations({ kind, state, absent })
    for (const line of text.split('\n')) if (!bookkeeping.test(line)) hash.update(`${line}\n`)
  }
  return hash.digest('hex').slice(0, 16)
}

/** The digests of migrations that have run on databases of users. */
const digests: Readonly<Record<string, string>> = {
  '0001-first': '1f694462a948d3f3',
  '0002-refresh-tokens': '7629f5a33cf6538c',
  '0003-clients': '5af470bea6457a76',
  '0004-audit': '69abff4894c08357',
  '0005-housekeeping': 'e4ddffed08d2364f',
  '0006-limits': 'ce03b8f09a27c21a',
  '0007-password-session': '9d1784327a15c8c5',
  '0008-mail': 'f79e5cac8b8bd0ca',
  '0009-mail-proofs': '83ef46249a055453',
  '0010-app-events': 'e86aed727342171b',
  '0011-pending-registrations': '38261280e3037f70',
  '0012-email-changes': 'a8ef76b40b060594',
  '0013-proof-claims': '13fbcf7243ac362b',
  '0014-proof-allowances': 'e0382f7605ccebc9',
  '0015-key-rotation': '728b6db6eaff04e9',
  '0016-schema-mark': '95fca058850a37f1',
  '0017-indexes-for-many-rows': 'ce24c7734b1bc1fb',
}

describe('the list of migrations', () => {
  it('the SQL of a migration that users have run never changes', async () => {
    const changed = []
    for (const [name, digest] of Object.entries(digests)) {
      const found = await digestOf(name)
      if (found !== digest) changed.push(`'${name}': '${found}',`)
    }
    assert.deepEqual(changed, [], 'a change of the tables needs a new migration')
  })

  it('each migration has a unique number, and oldestSchema is at most this number', () => {
    assert.equal(new Set(names.map(numberOf)).size, names.length)
    let mark = 16
    for (const name of names) {
      assert.match(name, /^\d{4}-[a-z-]+$/)
      const { oldestSchema } = migrations[name]!
      if (oldestSchema === undefined) continue
      assert.ok(oldestSchema >= mark && oldestSchema <= numberOf(name), name)
      mark = oldestSchema
    }
    assert.equal(migrations['0016-schema-mark']?.oldestSchema, 16)
  })

  it('after the migration 0015, each old key signs until the next key begins to sign', async () => {
    const { sqlite, db } = await openBefore('0015-key-rotation')
    for (const at of [200, 100])
      sqlite.exec(`insert into signing_key values ('key${at}', 'EdDSA', 'sealed', ${at})`)
    await runSteps(db, ['0015-key-rotation'])
    const columns = 'id, created_at, published_at, signs_from, signs_until'
    assert.deepEqual(
      sqlite
        .prepare(`select ${columns} from signing_key order by created_at`)
        .all()
        .map((row) => Object.values(row)),
      [
        ['key100', 100, 100, 100, 200],
        ['key200', 200, 200, 200, null],
      ],
    )
    const setting = "select value from setting where name = 'longest_access_token_seconds'"
    assert.deepEqual({ ...sqlite.prepare(setting).get() }, { value: '86400' })
    await db.destroy()
  })

  it('each migration since 0017 has an oldestSchema if it breaks older releases', async () => {
    for (const name of markedNames)
      if (migrations[name]?.oldestSchema === undefined)
        assert.deepEqual(await findContractions(name), [], `${name} must say that it contracts`)
  })

  it('the SQL of each migration since 0017 can be printed', async () => {
    for (const name of markedNames) {
      const state = { ...emptyFacts, isEmpty: false, missing: names.filter((n) => n >= name) }
      const absent = { schema: false, table: false }
      const text = await printMigrations({ kind: 'postgres', state, absent })
      const [, ...lines] = text.split('\n')
      assert.deepEqual(lines.slice(0, 3), [
        'begin;',
        'set local lock_timeout = 2000;',
        `select pg_advisory_xact_lock(${lockNumber});`,
      ])
    }
  })

  const contracting: readonly (readonly [statement: string, found: RegExp])[] = [
    ['drop table former_email', /^removes former_email$/],
    ['alter table "user" drop column profile', /^removes .*column profile .* of user$/],
    ['alter table "user" rename column roles to duties', /^removes .* roles .*\n.* duties /],
    [
      'alter table "user" add column age bigint not null default 0',
      /^$/, // a column with a default only expands
    ],
    ['alter table "user" add column age bigint', /^$/],
    ['create table other (id text not null)', /^$/],
    ['create index by_roles on "user" (roles)', /^$/],
    ['create unique index one_role on "user" (roles)', /^adds unique index on roles 0 of user$/],
    [
      `create trigger no_more before insert on "user" begin select raise(abort, 'no'); end`,
      /^adds trigger .* of user$/,
    ],
  ]
  for (const [statement, found] of contracting)
    it(`findContractions tells if a change breaks older releases: ${statement}`, async () => {
      const up = async (db: Reader): Promise<void> => void (await sql.raw(statement).execute(db))
      await withMigration('9999-made-up', { up }, async () => {
        assert.match((await findContractions('9999-made-up')).join('\n'), found)
      })
    })
})

describe('standingOf', () => {
  const mark = { oldest: 16, release: '0.1.0' }
  const current: MigrationFacts = { ...emptyFacts, missing: [], isEmpty: false, mark }
  const cases: readonly (readonly [string, Partial<MigrationFacts>])[] = [
    ['current', {}],
    ['empty', { isEmpty: true, missing: names, mark: undefined }],
    ['behind', { missing: [last] }],
    ['behind', { missing: names.slice(1), mark: undefined }],
    ['mixed', { missing: ['0009-mail-proofs'] }],
    ['mixed', { missing: [last], unknown: ['9998-later'] }],
    ['mixed', { unknown: ['0003-other'] }],
    ['mixed', { unknown: ['other'] }],
    ['mixed', { unknown: ['other-9998'] }],
    ['mixed', { unknown: [`${last}-other`] }],
    ['ahead', { unknown: ['9998-later'] }],
    ['ahead', { unknown: ['9998-later'], mark: { ...mark, oldest: numberOf(last) } }],
    ['beyond', { unknown: ['9998-later'], mark: { ...mark, oldest: numberOf(last) + 1 } }],
    ['beyond', { unknown: ['9998-later'], mark: undefined }],
    ['beyond', { mark: { ...mark, oldest: numberOf(last) + 1 } }], // announced, but not run yet
  ]
  for (const [standing, facts] of cases)
    it(`standingOf returns ${standing} for ${JSON.stringify(facts)}`, () =>
      assert.equal(standingOf({ ...current, ...facts }), standing))
})

describe('findSchemaFault', () => {
  const current = { ...emptyFacts, missing: [], isEmpty: false }

  it('findSchemaFault names the migrations that do not belong to this release', () => {
    for (const [facts, message] of [
      [{ unknown: ['0003-a', '0004-b'] }, /; it has 0003-a, 0004-b$/],
      [{ missing: ['0009-mail-proofs'] }, /; it has only some of them$/],
    ] as const)
      assert.match(findSchemaFault({ ...current, ...facts })?.message ?? '', message)
    assert.equal(findSchemaFault(current), undefined)
  })

  it('findSchemaFault says which release to install if the database is too new', () => {
    for (const [facts, message, fix] of [
      [{ unknown: ['9998-a'] }, /; it was upgraded by a newer release,/, 'install that release'],
      [{ mark: { oldest: 9998, release: '' } }, /; it needs schema 9998,/, 'install that release'],
      [
        { mark: { oldest: 9998, release: '9.0.0' } },
        /; it needs schema 9998,/,
        'install @keystile/server 9.0.0 or newer',
      ],
    ] as const) {
      const fault = findSchemaFault({ ...current, ...facts }) ?? assert.fail('there is no fault')
      assert.match(fault.message, message)
      assert.ok(fault.fix.startsWith(fix), fault.fix)
    }
  })
})

describe('the steps of migrations', () => {
  it('findRaisedMark returns the highest `oldestSchema`; undefined if there is none', async () => {
    const up = async (): Promise<void> => {}
    const made = { up, oldestSchema: 9998 }
    await withMigration('9998-made-up', made, async () => {
      assert.equal(findRaisedMark(['0016-schema-mark', '9998-made-up', '0017-other']), 9998)
      assert.equal(findRaisedMark(['0001-first', '0016-schema-mark']), 16)
      assert.equal(findRaisedMark(['0001-first']), undefined)
    })
  })

  it('readSchemaState returns missing and unknown migrations in the order of names', async () => {
    await withMigration('0000-made-up', { up: async () => {} }, async () => {
      const { sqlite, db } = await openBefore('0001')
      sqlite.exec(`insert into migration values ('9999-b', ''), ('0001-first', ''), ('9998-a', '')`)
      const { missing, unknown } = await readSchemaState(db)
      assert.deepEqual(missing, ['0000-made-up', ...names.slice(1)])
      assert.deepEqual(unknown, ['9998-a', '9999-b'])
      await db.destroy()
    })
  })

  it('findNewestMigration returns the last migration that has run, or undefined', async () => {
    const found = async (name: string, change = ''): Promise<string | undefined> => {
      const { sqlite, db } = await openBefore(name)
      sqlite.exec(change)
      const newest = await findNewestMigration(db)
      await db.destroy()
      return newest
    }
    assert.equal(await found('0003'), '0002-refresh-tokens')
    assert.equal(await found('0001'), undefined)
    assert.equal(await found('0001', 'drop table migration'), undefined)
  })

  it('runSteps refuses a name that no migration has', async () => {
    const { db } = await openBefore('0001')
    await assert.rejects(runSteps(db, ['none']), /there must be a migration none$/)
    await db.destroy()
  })
})

describe('migrations of a SQLite file', () => {
  let folder: string
  before(() => void (folder = mkdtempSync(join(tmpdir(), 'keystile-migrations-'))))
  after(() => rmSync(folder, { recursive: true }))

  const read = (file: string): unknown => {
    const sqlite = new DatabaseSync(file)
    const structure = sqlite.prepare('select type, name, sql from sqlite_master').all()
    const rows = ['migration', 'schema_mark', 'setting'].map((table) =>
      sqlite
        .prepare(`select * from ${table}`)
        .all()
        .map((row) => ({ ...row, timestamp: '' })),
    )
    sqlite.close()
    return { structure, rows }
  }

  it('for a SQLite file, the printed SQL creates the same tables as the migrations', async () => {
    const [migrated, printed] = [join(folder, 'migrated.db'), join(folder, 'printed.db')]
    assert.deepEqual(await migrateDatabase(migrated), names)
    assert.equal(statSync(migrated).mode & 0o777, 0o600)
    assert.equal(existsSync(`${migrated}-wal`), false)
    assert.deepEqual(await migrateDatabase(migrated), [])
    const { mark } = await inspectSource(migrated)
    assert.deepEqual({ ...mark }, { oldest: findRaisedMark(names), release: readVersion() })
    const text = await printSource(printed)
    assert.ok(text.startsWith(`-- Upgrades the tables of Keystile: ${names.join(', ')}.\nbegin;\n`))
    const sqlite = new DatabaseSync(printed)
    sqlite.exec(text)
    sqlite.close()
    assert.deepEqual(read(printed), read(migrated))
    assert.equal(await printSource(printed), '-- No migrations are missing.')
  })

  it('migrateDatabase does not wait for a locked SQLite file that is up to date', async () => {
    const file = join(folder, 'locked.db')
    await migrateDatabase(file)
    const other = new DatabaseSync(file)
    other.exec('begin immediate')
    assert.deepEqual(await migrateDatabase(file), [])
    other.close()
  })

  it('migrateDatabase creates no file for :memory:', async () => {
    rmSync(':memory:', { force: true }) // an earlier version may have left it
    assert.deepEqual(await migrateDatabase(':memory:'), [])
    assert.equal(existsSync(':memory:'), false)
  })

  it('inspectSource allows migrations if the database file does not exist yet', async () => {
    const facts = await inspectSource(join(folder, 'absent.db'))
    assert.deepEqual([facts.missing, facts.mayMigrate], [names, true])
  })

  it('a migration cannot be printed if its SQL depends on rows of the database', async () => {
    const file = join(folder, 'older.db')
    await migrateDatabase(file)
    const sqlite = new DatabaseSync(file)
    sqlite.exec(`delete from migration where name >= '0015'; drop table schema_mark`)
    sqlite.close()
    await assert.rejects(
      printSource(file),
      /0015-key-rotation, .* of the database\. Fix: run "keystile migrate"$/,
    )
  })

  it('a failed migration of a SQLite file changes nothing in the file', async () => {
    const file = join(folder, 'failed.db')
    await migrateDatabase(file)
    const before = read(file)
    const up = async (db: Reader): Promise<void> => {
      await sql`create table made_up (id text)`.execute(db)
      throw new Error('the migration fails')
    }
    await withMigration('9999-made-up', { up }, () =>
      assert.rejects(migrateDatabase(file), /the migration fails/),
    )
    assert.deepEqual(read(file), before)
  })

  it('migrateDatabase refuses a SQLite file that needs a newer release', async () => {
    const file = join(folder, 'beyond.db')
    await migrateDatabase(file)
    const sqlite = new DatabaseSync(file)
    sqlite.exec(`update schema_mark set oldest = 9998, release = '9.0.0'`)
    sqlite.close()
    await assert.rejects(migrateDatabase(file), {
      name: 'ConfigurationError',
      message: /needs schema 9998, .* Fix: install @keystile\/server 9\.0\.0 or newer$/,
    })
  })
})
