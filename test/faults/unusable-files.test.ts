// Files on which Keystile must not start. Each refusal names the file, the reason and the fix.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { silentLogger } from 'keystile/internal'
import { key, startKeystile } from '../../packages/server/test-support/keystile.ts'
import { copyMigratedFile } from '../../packages/server/test-support/migrated.ts'

describe('a SQLite file on which Keystile does not start', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'keystile-unusable-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  const at = (name: string): string => join(folder, name)
  /** Expects that Keystile refuses to start, with the path of the file in the message. */
  async function refuses(database: string, reason: RegExp): Promise<void> {
    await assert.rejects(startKeystile({ database, key }), ({ message }: Error) => {
      assert.ok(message.startsWith(`The database ${database} cannot be opened: `), message)
      assert.match(message, reason)
      assert.match(message, /\. Fix: /)
      return true
    })
  }

  it('Keystile does not start if the database path is a folder or is below a file', async () => {
    mkdirSync(at('folder.db'))
    writeFileSync(at('a file'), '')
    await refuses(at('folder.db'), /: it is a folder \(EISDIR\)\. Fix: name a file/)
    await refuses(join(at('a file'), 'keystile.db'), /: a part of its path is a file/)
  })

  it('Keystile does not start on a text file, and does not change the file', async () => {
    const text = 'This text is not a database.\n'.repeat(100)
    writeFileSync(at('text.db'), text)
    await refuses(at('text.db'), /the file is not a SQLite database \(SQLite: .*, code 26\)/)
    assert.equal(readFileSync(at('text.db'), 'utf8'), text)
  })

  it('Keystile does not start on the database of another program, and adds no table', async () => {
    const other = new DatabaseSync(at('other.db'))
    other.exec('create table notes (text)')
    await refuses(at('other.db'), /the file belongs to another program/)
    const names = other.prepare('select name from sqlite_schema').all()
    assert.deepEqual(
      names.map(({ name }) => name),
      ['notes'],
    )
    other.close()
  })

  it('Keystile does not start on a damaged file or on a truncated file', async () => {
    const file = await copyMigratedFile(at('whole.db'))
    copyFileSync(file, at('part.db'))
    truncateSync(at('part.db'), Math.floor(statSync(file).size / 3))
    await refuses(at('part.db'), /the SQLite file is damaged \(SQLite: .*, code \d+\)/)

    const bytes = readFileSync(file)
    bytes.fill('!', 4096, 20 * 4096)
    writeFileSync(at('damaged.db'), bytes)
    await refuses(at('damaged.db'), /the SQLite file is damaged .* restore a backup/)
  })

  it('Keystile does not start on a file that a newer release has migrated', async () => {
    const file = await copyMigratedFile(at('newer.db'))
    const newer = new DatabaseSync(file)
    newer.exec("insert into migration values ('9999-later', '2030-01-01T00:00:00Z')")
    newer.exec('update schema_mark set oldest = 9999')
    newer.close()
    await assert.rejects(startKeystile({ database: file, key }), /newer/)
  })

  // The user root may write every file, so root starts Keystile as another user.
  const skip = process.getuid?.() === 0 ? false : 'only root can become another user'
  it(
    'Keystile does not start if it may not write to the file or to the folder',
    { skip },
    async () => {
      const file = await copyMigratedFile(at('guarded.db'))
      mkdirSync(at('guarded'))
      copyFileSync(file, join(at('guarded'), 'keystile.db'))
      chmodSync(folder, 0o755)
      chmodSync(file, 0o444)
      chownSync(file, 1, 1)
      chmodSync(at('guarded'), 0o555)
      chmodSync(join(at('guarded'), 'keystile.db'), 0o666)
      const messages = startAs(65_534, [file, join(at('guarded'), 'keystile.db')])
      assert.equal(messages.length, 2)
      for (const message of messages)
        assert.match(message, /cannot be written.*Fix: let the user of the process/)
    },
  )
})

describe('a SQLite file that is replaced while Keystile runs', () => {
  it('a relative path to a symbolic link still works after process.chdir()', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'keystile-moved-'))
    const before = process.cwd()
    await copyMigratedFile(join(folder, 'keystile.db'))
    symlinkSync(join(folder, 'keystile.db'), join(folder, 'link.db'))
    process.chdir(folder)
    const { keystile, register } = await startKeystile({ database: 'link.db', key })
    try {
      process.chdir(before)
      assert.equal((await register()).status, 201)
    } finally {
      process.chdir(before)
      await keystile.close()
      rmSync(folder, { recursive: true })
    }
  })

  for (const ending of ['', '-wal'])
    it(`no write is confirmed after keystile.db${ending} was moved`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'keystile-moved-'))
      const file = await copyMigratedFile(join(folder, 'keystile.db'))
      const lines: string[] = []
      const error = ({ err }: { err?: Error }): void => void lines.push(String(err?.message))
      const logger = { ...silentLogger, error }
      const { keystile, register } = await startKeystile({ database: file, key, logger })
      try {
        assert.equal((await register()).status, 201)
        renameSync(`${file}${ending}`, join(folder, 'moved'))
        const { status, headers } = await register({ username: 'bob', email: 'bob@example.com' })
        assert.deepEqual([status, headers.get('retry-after')], [503, '1'])
        assert.match(lines.join(), /moved or replaced while Keystile was running.*Fix: restart/)
      } finally {
        await keystile.close()
        rmSync(folder, { recursive: true })
      }
    })
})

/** Starts Keystile as another user on each of the files, and returns the messages of its refusals. */
function startAs(uid: number, files: readonly string[]): readonly string[] {
  const program = `
    import { createKeystile } from '@keystile/server'
    process.setgid(${uid})
    process.setuid(${uid})
    const options = { issuer: 'http://localhost:3000', key: ${JSON.stringify(key)} }
    for (const database of ${JSON.stringify(files)})
      await createKeystile({ ...options, database }).then(
        ({ close }) => close(),
        ({ message }) => console.log(message),
      )`
  const args = ['--conditions=source', '--input-type=module', '--eval', program]
  const printed = execFileSync(process.execPath, args, {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  })
  return printed.trim().split('\n')
}
