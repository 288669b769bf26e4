import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { Kysely, sql } from 'kysely'
import { inTables } from './database.ts'
import { prepare } from './prepared.ts'
import { openSqliteFile, type SqliteAccess } from './sqlite-connection.ts'
import { createPrepare, findFirst, sqliteDialect } from './sqlite-dialect.ts'
import { SqliteFileError, unlessUnavailable } from './sqlite-errors.ts'

interface Tables {
  readonly note: { readonly id: number; readonly text: string }
}

describe('a SQLite file', () => {
  let folder: string
  let file: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'keystile-dialect-'))
    file = join(folder, 'x.db')
    const sqlite = new DatabaseSync(file)
    sqlite.exec(`create table note (id integer primary key, text text); insert into note
      values (1, 'a'), (2, 'b')`)
    sqlite.close()
  })
  after(() => rmSync(folder, { recursive: true }))

  it('openSqliteFile waits 5 s for locks, checks foreign keys, and can forbid writes', () => {
    const journalOf = (access: SqliteAccess): unknown => {
      const sqlite = openSqliteFile(file, access)
      const valueOf = (pragma: string): unknown =>
        Object.values(sqlite.prepare(`pragma ${pragma}`).get() ?? {})[0]
      assert.deepEqual([valueOf('busy_timeout'), valueOf('foreign_keys')], [5_000, 1])
      const write = (): void => sqlite.exec('delete from note where id = 9')
      if (access === 'read') assert.throws(write, /readonly/)
      else write()
      const journal = valueOf('journal_mode')
      sqlite.close()
      return journal
    }
    assert.equal(journalOf('read'), 'delete')
    assert.equal(journalOf('writeKeepingJournal'), 'delete')
    assert.equal(journalOf('write'), 'wal')
  })

  it('createPrepare caches the 200 most recently used statements', () => {
    const sqlite = openSqliteFile(file, 'read')
    const prepareOne = createPrepare(sqlite)
    const [zero, one] = [prepareOne('select 0'), prepareOne('select 1')]
    for (let n = 2; n < 200; n++) prepareOne(`select ${n}`)
    assert.equal(prepareOne('select 0'), zero)
    prepareOne('select 200')
    assert.equal(prepareOne('select 0'), zero)
    assert.notEqual(prepareOne('select 1'), one)
    sqlite.close()
  })

  it('a transaction on SQLite locks the file before its first read', async () => {
    const sqlite = openSqliteFile(file, 'write')
    const db = new Kysely<unknown>({ dialect: sqliteDialect(sqlite) })
    const other = new DatabaseSync(file, { timeout: 0 })
    await db.transaction().execute(async () => {
      assert.throws(() => other.exec('begin immediate'), /locked/)
    })
    other.close()
    await assert.rejects(async () => {
      for await (const _row of inTables<Tables>(db).selectFrom('note').selectAll().stream());
    }, /must not be streamed/)
    await db.destroy()
    assert.equal(sqlite.isOpen, false)
  })

  it('a write into a locked SQLite file throws DatabaseUnavailableError', async () => {
    const sqlite = openSqliteFile(file, 'write')
    sqlite.exec('pragma busy_timeout = 0')
    const db = new Kysely<unknown>({ dialect: sqliteDialect(sqlite) })
    const other = new DatabaseSync(file)
    other.exec('begin exclusive')
    const locked = { name: 'DatabaseUnavailableError', message: /^another process has locked/ }
    await assert.rejects(sql`delete from note where id = 9`.execute(db), locked)
    other.exec('rollback')
    other.close()
    await db.destroy()
  })

  it('prepare compiles a query only once, and runs it with the values of each call', async () => {
    let builds = 0
    const findTexts = prepare<Tables, { readonly id: number }, { readonly text: string }>(
      (db, { id }) => {
        builds++
        return db.selectFrom('note').select('text').where('id', '=', id).where('text', '<', 'c')
      },
    )
    const db = new Kysely<unknown>({
      dialect: sqliteDialect(openSqliteFile(file, 'read')),
    })
    for (const [id, text] of [
      [1, 'a'],
      [2, 'b'],
    ] as const)
      assert.deepEqual(
        (await findTexts(db, { id })).map((row) => row.text),
        [text],
      )
    assert.equal(builds, 1)
    await db.destroy()
  })

  it('findFirst returns the first row of a query, or undefined', () => {
    const sqlite = openSqliteFile(file, 'read')
    const find = (id: number): unknown =>
      findFirst(createPrepare(sqlite), 'select text from note where id >= ? order by id', [id])
    assert.deepEqual({ ...(find(1) as object) }, { text: 'a' })
    assert.equal(find(3), undefined)
    sqlite.close()
  })
})

describe('the errors of SQLite', () => {
  const sqliteError = (errcode: number): Error => Object.assign(new Error('said'), { errcode })
  const thrownBy = (error: unknown): unknown => {
    try {
      return unlessUnavailable(() => {
        throw error
      })
    } catch (thrown) {
      return thrown
    }
  }

  it('unlessUnavailable explains the errors of SQLite after which a retry may succeed', () => {
    for (const [code, reason] of [
      [5, /^another process has locked .* \(SQLite: said, code 5\)\. Fix: end the transaction/],
      [6, /^another process has locked/],
      [8, /^the SQLite file or its folder cannot be written/],
      [10, /^the disk with the SQLite file fails/],
      [13, /^the disk with the SQLite file is full/],
      [14, /^the SQLite file cannot be opened/],
      [5 + 256, /code 261/],
    ] as const) {
      const given = sqliteError(code)
      const thrown = thrownBy(given)
      assert.ok(thrown instanceof Error && thrown.name === 'DatabaseUnavailableError')
      assert.match(thrown.message, reason)
      assert.equal(thrown.cause, given)
    }
    for (const other of [sqliteError(11), sqliteError(26), sqliteError(19), new Error('x'), null])
      assert.equal(thrownBy(other), other)
    assert.equal(
      unlessUnavailable(() => 7),
      7,
    )
  })

  it('SqliteFileError explains the error of SQLite that caused another error', () => {
    const damaged = new Error('outer', { cause: sqliteError(11) })
    const error = new SqliteFileError(damaged)
    assert.equal(error.reason, 'the SQLite file is damaged (SQLite: said, code 11)')
    assert.equal(error.fix, 'name another file, or restore a backup')
    assert.equal(error.message, `${error.reason}. Fix: ${error.fix}`)
    assert.equal(error.cause, damaged)
    for (const other of [sqliteError(19), new Error('said'), 'said'])
      assert.deepEqual(
        [new SqliteFileError(other).message, new SqliteFileError(other).fix],
        ['said', undefined],
      )
  })
})
