import assert from 'node:assert/strict'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { readDatabaseFacts } from './database-facts.ts'
import { inspectDatabase } from './inspect.ts'
import { migrateDatabase, openDatabase } from './open.ts'
import { hasTable } from './schema.ts'

describe('inspectDatabase', () => {
  let folder: string
  before(() => void (folder = mkdtempSync(join(tmpdir(), 'keystile-facts-'))))
  after(() => rmSync(folder, { recursive: true }))

  /** The files in the folder that this process has open, on Linux. */
  const openFiles = (): readonly string[] =>
    readdirSync('/proc/self/fd')
      .map((name) => join('/proc/self/fd', name))
      .filter((path) => existsSync(path) && readlinkSync(path).startsWith(folder))

  it('if the file is missing, inspectDatabase returns undefined and creates no file', async () => {
    const file = join(folder, 'absent.db')
    assert.equal(await inspectDatabase(file, readDatabaseFacts), undefined)
    assert.equal(await inspectDatabase(':memory:', readDatabaseFacts), undefined)
    assert.equal(existsSync(file), false)
  })

  it('inspectDatabase does not read :memory: even if a file has this name', async (t) => {
    const before = process.cwd()
    t.after(() => process.chdir(before))
    process.chdir(folder)
    writeFileSync(':memory:', '')
    assert.equal(await inspectDatabase(':memory:', readDatabaseFacts), undefined)
  })

  it('inspectDatabase reads an empty file and creates no table in it', async () => {
    const file = join(folder, 'empty.db')
    writeFileSync(file, '')
    const found = await inspectDatabase(file, readDatabaseFacts)
    assert.ok(found)
    const { migrations, ...others } = found
    assert.deepEqual(others, { kind: 'sqlite', synchronous: 2 })
    const { missing, ...rest } = migrations
    assert.deepEqual(rest, { unknown: [], isEmpty: true, mark: undefined, mayMigrate: true })
    assert.ok(missing.includes('0001-first'))
    assert.equal(await inspectDatabase(file, (reader) => hasTable(reader, 'setting')), false)
    assert.equal(statSync(file).size, 0)
    if (process.platform === 'linux') assert.deepEqual(openFiles(), [])
  })

  it('hasTable is true if the file has the table', async () => {
    const file = join(folder, 'opened.db')
    await (await openDatabase(file, new URL('../server/writer-thread.ts', import.meta.url))).close()
    assert.equal(await inspectDatabase(file, (reader) => hasTable(reader, 'setting')), true)
    assert.equal(await inspectDatabase(file, (reader) => hasTable(reader, 'settings')), false)
  })

  it('migrateDatabase says which database cannot be reached', async () => {
    await assert.rejects(migrateDatabase('postgres://user:secret@127.0.0.1:1/x'), {
      name: 'DatabaseUnavailableError',
      message: /^PostgreSQL at 127\.0\.0\.1:1\/x cannot be migrated: /,
    })
  })

  it('inspectDatabase says why it cannot reach PostgreSQL', async () => {
    await assert.rejects(
      inspectDatabase('postgres://127.0.0.1:1/x', readDatabaseFacts),
      (error: Error) => {
        assert.equal(error.name, 'DatabaseUnavailableError')
        assert.match(error.message, /ECONNREFUSED/)
        assert.ok(error.cause instanceof Error)
        return true
      },
    )
  })

  it('inspectDatabase says why it cannot read a file, and suggests a fix', async () => {
    const file = join(folder, 'text.db')
    writeFileSync(file, 'not a database, but long enough to be read'.repeat(20))
    await assert.rejects(inspectDatabase(file, readDatabaseFacts), {
      name: 'DatabaseUnavailableError',
      message:
        'the file is not a SQLite database (SQLite: file is not a database, code 26). ' +
        'Fix: name another file, or restore a backup',
    })
  })
})
