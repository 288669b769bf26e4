import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, afterEach, before, describe, it } from 'node:test'
import { silentLogger } from 'keystile/internal'
import { key } from '../../test-support/keystile.ts'
import { sealAsSigningKey } from '../../test-support/signing-keys.ts'
import type { Rule } from '../feature/rule.ts'
import type { Machine } from '../feature/situation.ts'
import type { Database } from '../storage/database.ts'
import { openDatabase } from '../storage/open.ts'
import { enforceRules } from './enforce-rules.ts'
import { inspectMachine, type InspectedOptions } from './machine.ts'

const now = Date.UTC(2026, 10, 25)

describe('the inspection of the machine', () => {
  let folder: string
  let file: string
  let keyFile: string
  let database: Database
  let sqlite: DatabaseSync
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keystile-machine-'))
    file = join(folder, 'keystile.db')
    keyFile = join(folder, 'keystile.key')
    database = await openDatabase(file, new URL('../server/writer-thread.ts', import.meta.url))
    sqlite = new DatabaseSync(file)
  })
  afterEach(() => {
    rmSync(keyFile, { recursive: true, force: true })
    for (const table of ['signing_key', 'mail', 'mail_proof', 'authenticator_app'])
      sqlite.exec(`delete from ${table}`)
  })
  after(async () => {
    sqlite.close()
    await database.close()
    rmSync(folder, { recursive: true })
  })

  const inspect = (
    options: InspectedOptions = {},
    secretFiles?: readonly string[],
  ): Promise<Machine> =>
    inspectMachine(
      {
        options: { database: file, ...options },
        unread: new Set(),
        ...(secretFiles && { secretFiles }),
      },
      now,
    )

  it('inspectMachine lists the SQLite files, the key file and the secret files', async () => {
    writeFileSync(keyFile, ` ${key}\n`, { mode: 0o600 })
    const secretFile = join(folder, 'secret')
    writeFileSync(secretFile, 'x', { mode: 0o640 })
    const machine = await inspect({}, [secretFile, join(folder, 'absent')])
    assert.deepEqual([machine.now, machine.nodeVersion], [now, process.versions.node])
    assert.deepEqual([machine.keyFile?.path, machine.keyFile?.mode], [keyFile, 0o600])
    assert.equal(machine.keyFile?.secret, key)
    assert.deepEqual(
      machine.secretFiles.map(({ path, mode }) => [path, mode]),
      [[secretFile, 0o640]],
    )
    assert.deepEqual(
      machine.databaseFiles.map(({ path }) => path),
      [file, `${file}-wal`],
    )
    assert.equal(machine.databaseFileSystem, statfsSync(file).type)
    assert.equal(machine.database?.kind, 'sqlite')
    assert.deepEqual((await inspect()).secretFiles, [])
  })

  const skip = process.getuid?.() !== 0 && 'only root can give a file to another user'
  it('inspectMachine finds files that belong to another user', { skip }, async () => {
    writeFileSync(keyFile, key, { mode: 0o600 })
    const secretFile = join(folder, 'secret')
    writeFileSync(secretFile, 'x', { mode: 0o600 })
    const areForeign = async (): Promise<readonly unknown[]> => {
      const { keyFile: found, secretFiles } = await inspect({}, [secretFile])
      return [found?.isForeign, secretFiles[0]?.isForeign]
    }
    assert.deepEqual(await areForeign(), [false, false])
    for (const path of [keyFile, secretFile]) chownSync(path, 12345, 12345)
    assert.deepEqual(await areForeign(), [true, true])
  })

  const bits = process.platform === 'win32' && 'Windows has no permission bits'
  it(
    'inspectMachine finds a folder whose files other users may replace',
    { skip: bits },
    async () => {
      const found = async (mode: number): Promise<string | undefined> => {
        chmodSync(folder, mode)
        return (await inspect()).openFolder
      }
      try {
        for (const mode of [0o777, 0o702]) assert.equal(await found(mode), folder)
        // The group is that of this process.
        for (const mode of [0o755, 0o770, 0o1777]) assert.equal(await found(mode), undefined)
        if (process.getuid?.() !== 0) return
        chownSync(folder, 0, 12345)
        assert.equal(await found(0o770), folder)
        for (const mode of [0o1770, 0o750]) assert.equal(await found(mode), undefined)
        chownSync(folder, 12345, 0)
        assert.equal(await found(0o770), undefined)
      } finally {
        chownSync(folder, process.getuid?.() ?? 0, process.getgid?.() ?? 0)
        chmodSync(folder, 0o700)
      }
    },
  )

  it('inspectMachine reads no key file if `key` or `signingKey` is set', async () => {
    writeFileSync(keyFile, key)
    assert.equal((await inspect({ key })).keyFile, undefined)
    assert.equal((await inspect({ signingKey: {} })).keyFile, undefined)
  })

  it('inspectMachine returns no secret if the key file cannot be read', async () => {
    mkdirSync(keyFile)
    assert.deepEqual((await inspect()).keyFile?.secret, undefined)
  })

  it('inspectMachine returns no files or facts for a missing or in-memory database', async () => {
    for (const source of [join(folder, 'none/absent.db'), ':memory:', undefined]) {
      const machine = await inspect({ database: source })
      assert.deepEqual(
        [machine.keyFile, machine.databaseFiles, machine.databaseFileSystem, machine.database],
        [undefined, [], undefined, undefined],
      )
    }
  })

  it('inspectMachine says why a database cannot be read', async () => {
    const text = join(folder, 'text.db')
    writeFileSync(text, 'not a database, but long enough to be read'.repeat(20))
    const damaged = (await inspect({ database: text })).database
    assert.ok(damaged?.kind === 'unavailable')
    assert.match(damaged.reason, /^the file is not a SQLite database/)
    assert.match(damaged.fix ?? '', /^name another file/)

    const absent = (await inspect({ database: 'postgres://127.0.0.1:1/x' })).database
    assert.ok(absent?.kind === 'unavailable')
    assert.match(absent.reason, /ECONNREFUSED/)
    assert.match(absent.fix ?? '', /^start PostgreSQL there/)
  })

  const addKey = (sealed: string): void =>
    sqlite.exec(
      `insert into signing_key (id, algorithm, sealed_jwk, created_at)
        values ('k', 'ES256', '${sealed}', 0)`,
    )
  const rows = {
    'a signing key': () => addKey('x'),
    'a mail': () =>
      sqlite.exec(
        `insert into mail (id, template, subject, recipient, sealed, created_at, expires_at, tries,
          next_try_at) values ('m', 't', 's', 'r', 'x', 0, 0, 0, 0)`,
      ),
    'a mailed token': () =>
      sqlite.exec(
        `insert into mail_proof (id, purpose, token_hash, counted_for, tries, sealed, created_at,
          expires_at) values ('p', 'p', 'h', 'c', 0, 'x', 0, 0)`,
      ),
  }
  const needsPreviousKey = async (options: InspectedOptions): Promise<unknown> => {
    const { database: facts } = await inspect(options)
    assert.ok(facts?.kind === 'sqlite')
    return facts.needsPreviousKey
  }
  for (const [what, insert] of Object.entries(rows))
    it(`inspectMachine finds that the previous key is still needed for ${what}`, async () => {
      insert()
      assert.equal(await needsPreviousKey({ key, previousKey: 'other' }), true)
    })

  it('inspectMachine sets needsPreviousKey only if `key` and `previousKey` are known', async () => {
    addKey(sealAsSigningKey('{}', 'k'))
    assert.equal(await needsPreviousKey({ key, previousKey: 'other' }), false)
    assert.equal(await needsPreviousKey({ key }), undefined)
    assert.equal(await needsPreviousKey({ previousKey: 'other' }), undefined)
    writeFileSync(keyFile, key)
    assert.equal(await needsPreviousKey({ previousKey: 'other' }), false)
    assert.equal(await needsPreviousKey({ signingKey: {}, previousKey: 'other' }), false)
  })

  it('a start checks a thousand authenticator apps, and `keystile doctor` all', async () => {
    sqlite.exec(
      `with recursive n (i) as (select 1 union all select i + 1 from n where i < 1600)
        insert into authenticator_app (subject, state, sealed, last_step, wrong_codes, created_at)
        select 's' || i, 'confirmed', 'x', 0, 0, 0 from n`,
    )
    const situation = { options: { database: file, key }, unread: new Set<string>() }
    const counts: unknown[] = []
    for (const open of [undefined, database]) {
      const { database: facts } = await inspectMachine(situation, now, open)
      assert.ok(facts?.kind === 'sqlite')
      counts.push(facts.apps)
    }
    assert.deepEqual(counts, [
      { checked: 1_600, unreadable: 1_600 },
      { checked: 1_000, unreadable: 1_000 },
    ])
  })

  it('enforceRules logs warnings, or throws an error that lists all fatal violations', async () => {
    const warnings: unknown[] = []
    const logger = {
      ...silentLogger,
      warn: (...logged: readonly unknown[]) => void warnings.push(logged),
    }
    const rule = (severity: Rule<unknown>['severity'], id: string): Rule<unknown> => ({
      id,
      standard: 'RFC 1',
      severity,
      demand: '',
      find: ({ machine }) =>
        machine?.database?.kind === 'sqlite' && machine.now === now
          ? [{ about: id, message: 'must be sound', fix: 'repair it' }]
          : undefined,
    })
    const options = {
      situation: { options: {}, unread: new Set<string>() },
      clock: { now: () => now },
      logger,
    }
    await enforceRules([rule('warn', 'one'), rule('warn', 'two')], options, database)
    assert.deepEqual(
      warnings.splice(0),
      ['one', 'two'].map((id) => [
        { rule: id, standard: 'RFC 1', fix: 'repair it' },
        `${id} must be sound`,
      ]),
    )

    const stops = [rule('stop', 'one'), rule('warn', 'two'), rule('stop', 'three')]
    await assert.rejects(enforceRules(stops, options, database), {
      name: 'ConfigurationError',
      message:
        'Keystile cannot start:\n  - one must be sound (one, RFC 1)\n    fix: repair it\n' +
        '  - three must be sound (three, RFC 1)\n    fix: repair it',
    })
    assert.deepEqual(warnings, [])
  })
})
