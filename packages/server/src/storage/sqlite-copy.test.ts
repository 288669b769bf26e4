import assert from 'node:assert/strict'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { sql } from 'kysely'
import { createFolderOf, moveIntoPlace, sync } from './disk.ts'
import {
  changeSqliteFile,
  copySqliteFile,
  findDamage,
  isSqliteFile,
  makeSingleFile,
  removeDraft,
} from './sqlite-copy.ts'
import { lockSqliteFile } from './sqlite-lock.ts'

const unavailable = (message: RegExp): object => ({ name: 'DatabaseUnavailableError', message })

describe('copies of SQLite files', () => {
  let folder: string
  let file: string
  const open: DatabaseSync[] = []
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'keystile-copy-'))
    file = join(folder, 'x.db')
    const sqlite = connect(file)
    sqlite.exec(`pragma journal_mode = wal; create table note (text text);
      insert into note values ('a')`)
  })
  afterEach(() => {
    closeAll()
    assert.deepEqual(openFiles(), [], 'the tested function must close its files')
    rmSync(folder, { recursive: true })
  })

  function connect(path: string): DatabaseSync {
    const sqlite = new DatabaseSync(path)
    open.push(sqlite)
    return sqlite
  }
  function overwrite(path: string, from: number, to: number): void {
    const bytes = readFileSync(path)
    writeFileSync(path, bytes.fill(0xee, from, to))
  }
  function closeAll(): void {
    for (const sqlite of open.splice(0)) sqlite.close()
  }
  /** The files in the folder that this process has open. Linux shows them. */
  function openFiles(): readonly string[] {
    if (process.platform !== 'linux') return []
    const paths = readdirSync('/proc/self/fd').map((name) => {
      try {
        return readlinkSync(`/proc/self/fd/${name}`)
      } catch {
        return '' // the file of `readdirSync` itself
      }
    })
    return paths.filter((path) => path.startsWith(folder))
  }
  const textsIn = (path: string): readonly unknown[] => {
    const sqlite = new DatabaseSync(path)
    try {
      return sqlite
        .prepare('select text from note')
        .all()
        .map(({ text }) => text)
    } finally {
      sqlite.close()
    }
  }
  const damage = (path: string): void => writeFileSync(path, 'not a database, '.repeat(100))

  it('copySqliteFile copies all commits into a new file that only its owner can read', () => {
    const copy = join(folder, 'copy.db')
    open[0]?.exec("begin; insert into note values ('uncommitted')")
    copySqliteFile(file, copy)
    assert.deepEqual(textsIn(copy), ['a'])
    assert.equal(statSync(copy).mode & 0o777, 0o600)
    assert.throws(
      () => copySqliteFile(file, copy),
      unavailable(/x\.db cannot be copied to .*EEXIST/),
    )
    assert.deepEqual(textsIn(copy), ['a'])

    damage(join(folder, 'text'))
    assert.throws(
      () => copySqliteFile(join(folder, 'text'), join(folder, 'other.db')),
      (error: Error) => /file is not a database/.test((error.cause as Error).message),
    )
  })

  it('changeSqliteFile keeps the journal mode, and rolls back a change that fails', async () => {
    closeAll()
    const single = join(folder, 'single.db')
    connect(single).exec("create table note (text text); insert into note values ('a')")
    closeAll()
    copySqliteFile(single, join(folder, 'copy.db'))
    assert.equal(findDamage(single), undefined)
    await changeSqliteFile(single, async (transaction) => {
      await sql`insert into note values ('b')`.execute(transaction)
    })
    const failing = changeSqliteFile(single, async (transaction) => {
      await sql`insert into note values ('c')`.execute(transaction)
      throw new Error('it fails')
    })
    await assert.rejects(failing, /it fails/)
    assert.deepEqual(textsIn(single), ['a', 'b'])
    assert.equal(connect(single).prepare('pragma journal_mode').get()?.['journal_mode'], 'delete')
  })

  it('makeSingleFile moves the WAL into the file if no other process uses the file', () => {
    assert.throws(
      () => makeSingleFile(file),
      (error: Error) => error.cause instanceof Error,
    )
    assert.throws(
      () => makeSingleFile(file),
      unavailable(/x\.db cannot be moved into it: .*locked/),
    )
    closeAll()
    makeSingleFile(file)
    assert.equal(connect(file).prepare('pragma journal_mode').get()?.['journal_mode'], 'delete')
  })

  it('findDamage returns undefined for an intact file, and otherwise the first fault', () => {
    assert.equal(findDamage(file), undefined)
    const text = join(folder, 'text')
    damage(text)
    assert.match(findDamage(text) ?? '', /file is not a database/)
    closeAll()
    const bytes = readFileSync(file)
    writeFileSync(file, bytes.fill(0xff, 4_096, 4_104)) // the header of the second page
    assert.match(findDamage(file) ?? '', /page 2/)
  })

  it('moveIntoPlace replaces an existing file only with mayReplace: true', () => {
    const [draft, name] = [join(folder, 'draft'), join(folder, 'name')]
    for (const [text, mayReplace, isMoved] of [
      ['a', false, true],
      ['b', false, false],
      ['c', true, true],
    ] as const) {
      writeFileSync(draft, text)
      assert.equal(moveIntoPlace(draft, name, { mayReplace }), isMoved)
      assert.equal(existsSync(draft), !isMoved)
    }
    assert.equal(readFileSync(name, 'utf8'), 'c')
    assert.throws(() =>
      moveIntoPlace(join(folder, 'none'), join(folder, 'new'), { mayReplace: false }),
    )
  })

  it('lockSqliteFile locks a file, and replaceWith() moves the old file and its WAL aside', () => {
    assert.equal(lockSqliteFile(file), undefined)
    closeAll()
    const lock = lockSqliteFile(file)
    assert.ok(lock)
    assert.equal(lock.isDamaged, false)
    const other = new DatabaseSync(file, { timeout: 0 })
    assert.throws(() => other.exec('select * from note'), /locked/)
    other.close()
    const [draft, aside] = [join(folder, 'draft.db'), join(folder, 'aside.db')]
    connect(draft).exec("create table note (text text); insert into note values ('new')")
    closeAll()
    writeFileSync(`${file}-wal`, 'log')
    lock.replaceWith(draft, aside)
    assert.equal(existsSync(`${file}-wal`), false)
    assert.equal(readFileSync(`${aside}-wal`, 'utf8'), 'log')
    rmSync(`${aside}-wal`)
    lock.release()
    assert.deepEqual([textsIn(file), textsIn(aside)], [['new'], ['a']])
  })

  it('lockSqliteFile says that a file is damaged, and throws if it cannot open a file', () => {
    const text = join(folder, 'text')
    damage(text)
    const lock = lockSqliteFile(text)
    assert.equal(lock?.isDamaged, true)
    lock?.release()
    assert.throws(() => lockSqliteFile(folder), unavailable(/cannot be opened/))
  })

  for (const [what, from, to] of [
    ['the first bytes', 0, 16],
    ['the page size', 16, 18],
    ['all but the first bytes', 16, 4_096],
  ] as const)
    it(`lockSqliteFile keeps the WAL of a file that is damaged in ${what}`, () => {
      const copy = join(folder, 'copy.db')
      connect(file).exec('pragma wal_checkpoint(truncate)')
      connect(file).exec("insert into note values ('b')")
      for (const end of ['', '-wal']) copyFileSync(file + end, copy + end)
      overwrite(copy, from, to)
      const before = [readFileSync(copy), readFileSync(`${copy}-wal`)]
      const lock = lockSqliteFile(copy)
      assert.equal(lock?.isDamaged, true)
      lock?.release()
      assert.deepEqual([readFileSync(copy), readFileSync(`${copy}-wal`)], before)
    })

  it('lockSqliteFile notices that a server uses a file whose first page is damaged', () => {
    connect(file).exec('create table other (text text)') // changes the first page
    overwrite(file, 0, 16)
    assert.equal(lockSqliteFile(file), undefined)
  })

  it('isSqliteFile recognizes a SQLite file by its first bytes', () => {
    writeFileSync(join(folder, 'text'), 'SQLite format 4\0 and more')
    writeFileSync(join(folder, 'short'), 'SQLite')
    assert.deepEqual(
      ['x.db', 'text', 'short'].map((name) => isSqliteFile(join(folder, name))),
      [true, false, false],
    )
  })

  it('createFolderOf creates folders that only their owner can open', () => {
    createFolderOf(join(folder, 'a/b/x.db'))
    createFolderOf(join(folder, 'a/b/x.db'))
    assert.equal(statSync(join(folder, 'a/b')).mode & 0o777, 0o700)
    assert.equal(existsSync(join(folder, 'a/b/x.db')), false)
  })

  it('removeDraft deletes a draft and its -wal, -shm and -journal files', () => {
    const ends = ['', '-wal', '-shm', '-journal']
    for (const end of ends) writeFileSync(join(folder, `draft${end}`), '')
    removeDraft(join(folder, 'draft'))
    removeDraft(join(folder, 'draft'))
    for (const end of ends) assert.equal(existsSync(join(folder, `draft${end}`)), false)
  })

  it('sync() throws if the file does not exist or is a folder', () => {
    sync(file)
    mkdirSync(join(folder, 'y'))
    for (const name of ['none', 'y']) assert.throws(() => sync(join(folder, name)), /ENOENT|EISDIR/)
  })
})
