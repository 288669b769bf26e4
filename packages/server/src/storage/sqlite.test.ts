import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { until } from '../../../../tools/until.ts'
import { command, inTables, type Database, type DatabaseUnavailableError } from './database.ts'
import { openSqlite } from './sqlite.ts'

/** The program of the writer thread in these tests. */
const writerThread = `
import { command } from ${JSON.stringify(import.meta.resolve('./database.ts'))}
import { announce } from ${JSON.stringify(import.meta.resolve('./notices.ts'))}
import { serveCommands } from ${JSON.stringify(import.meta.resolve('./sqlite-writer.ts'))}
import { sql } from ${JSON.stringify(import.meta.resolve('kysely'))}

const insert = (transaction, name) =>
  transaction.insertInto('setting').values({ name, value: 'x'.repeat(100) }).execute()
const ask = (transaction, text) => sql.raw(text).execute(transaction)
await serveCommands([
  command('insert', async (transaction, name) => {
    await insert(transaction, name)
    return name
  }),
  command('insert and fail', async (transaction, name) => {
    await insert(transaction, name)
    throw Object.assign(new Error('it fails'), { code: 'wrong' })
  }),
  command('announce', async (transaction, name) => announce(transaction, name)),
  command('announce and fail', async (transaction, name) => {
    announce(transaction, name)
    throw new Error('it fails')
  }),
  command('keep busy', async () => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
  }),
  command('prepare', async (transaction) => {
    await ask(transaction, 'create table parent (id integer primary key)')
    const parent = 'parent integer references parent (id) deferrable initially deferred'
    await ask(transaction, \`create table child (\${parent})\`)
  }),
  command('break the commit', async (transaction) => {
    await ask(transaction, 'insert into child values (1)')
  }),
  command('end the thread', async () => process.exit(3)),
  command('lose the transaction', async (transaction, name) => {
    await insert(transaction, name)
    await ask(transaction, 'rollback')
    throw new Error('the disk is full')
  }),
])
`

describe('commands that wait for the writer of SQLite', () => {
  let folder: string
  let database: Database
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keystile-writer-'))
    writeFileSync(join(folder, 'writer.mjs'), writerThread)
    database = await openSqlite(
      join(folder, 'keystile.db'),
      pathToFileURL(join(folder, 'writer.mjs')),
    )
  })
  afterEach(async () => {
    await database.close()
    rmSync(folder, { recursive: true })
  })

  const write = (name: string, value = '', patienceMilliseconds?: number): Promise<unknown> =>
    database.write(
      command(name, () => assert.fail('the writer thread runs the command')),
      value,
      patienceMilliseconds,
    )
  const isThere = async (name: string): Promise<boolean> =>
    (
      await inTables<{ setting: { name: string } }>(database.reader)
        .selectFrom('setting')
        .select('name')
        .where('name', '=', name)
        .execute()
    ).length > 0
  /** Returns the outcomes of commands that wait together for the writer. */
  const outcomes = (
    commands: readonly (readonly [string, string?])[],
  ): Promise<readonly unknown[]> =>
    Promise.all(
      [['keep busy'] as const, ...commands].map(([name, value]) =>
        write(name, value).catch((error: unknown) => error),
      ),
    ).then(([, ...answers]) => answers)
  const messages = (answers: readonly unknown[]): readonly unknown[] =>
    answers.map((answer) => (answer instanceof Error ? answer.message : answer))

  it('listeners get the notices of a SQLite command only if its commit succeeds', async () => {
    await write('prepare')
    const heard: unknown[] = []
    database.onCommitted((notice) => heard.push(notice))
    await outcomes([
      ['announce', 'one'],
      ['announce and fail', 'two'],
      ['insert', 'silent'],
      ['announce', 'three'],
    ])
    assert.deepEqual(heard, ['one', 'three'])

    await outcomes([['announce', 'four'], ['break the commit']])
    assert.deepEqual(heard, ['one', 'three'])
  })

  it('SQLite commands share a commit, and each gets its answer after the commit', async () => {
    const log = join(folder, 'keystile.db-wal')
    const bytesOf = async (work: () => Promise<unknown>): Promise<number> => {
      const before = statSync(log).size
      await work()
      return statSync(log).size - before
    }
    const names = (prefix: string): readonly string[] =>
      Array.from({ length: 50 }, (_, n) => `${prefix}${n}`)
    // Each commit writes its pages to the log again.
    const together = await bytesOf(() =>
      Promise.all([
        write('keep busy'),
        ...names('together').map(async (name) => {
          assert.equal(await write('insert', name), name)
          assert.ok(await isThere(name), name)
        }),
      ]),
    )
    const apart = await bytesOf(async () => {
      for (const name of names('apart')) await write('insert', name)
    })
    assert.ok(together < apart / 3, `${together} bytes together, ${apart} apart`)
  })

  it('if a SQLite command fails, only its own changes are rolled back', async () => {
    const answers = await outcomes([
      ['insert', 'a'],
      ['insert and fail', 'b'],
      ['insert', 'a'],
      ['unknown'],
      ['insert', 'c'],
    ])
    assert.deepEqual(messages(answers), [
      'a',
      'it fails',
      'UNIQUE constraint failed: setting.name',
      'the writer thread must know the command "unknown"',
      'c',
    ])
    assert.equal((answers[1] as { code?: string }).code, 'wrong')
    assert.deepEqual(
      [await isThere('a'), await isThere('b'), await isThere('c')],
      [true, false, true],
    )
  })

  it('if the first SQLite command fails, the waiting commands still run', async () => {
    const failing = { message: 'it fails', code: 'wrong' }
    await assert.rejects(write('insert and fail', 'a'), failing)
    assert.equal(await isThere('a'), false)
    const [failed, ...written] = [
      write('insert and fail', 'a'),
      write('insert', 'd'),
      write('insert', 'e'),
    ]
    await assert.rejects(failed, failing)
    assert.deepEqual(await Promise.all(written), ['d', 'e'])
    assert.deepEqual([await isThere('a'), await isThere('d')], [false, true])
  })

  it('all SQLite commands of a commit fail if the commit fails', async () => {
    await write('prepare')
    const fault = 'FOREIGN KEY constraint failed'
    // Commands can join a commit for 5 ms only, so on a busy machine it takes several tries until
    // the commands share the commit.
    let areTogether = false
    for (let round = 0; !areTogether; round++) {
      assert.ok(round < 50, 'the commands must share a commit')
      const names = [`a${round}`, `b${round}`] as const
      const [before, broken, after] = messages(
        await outcomes([
          ['insert', names[0]],
          ['break the commit'],
          ['insert', names[1]],
          ['insert and fail', 'c'],
        ]),
      )
      assert.equal(broken, fault)
      for (const [name, answer] of [
        [names[0], before],
        [names[1], after],
      ] as const)
        assert.equal(answer, (await isThere(name)) ? name : fault)
      areTogether = before === fault && after === fault
    }
    assert.equal(await write('insert', 'd'), 'd')
  })

  it('if SQLite rolls back a transaction, each command in it gets the same error', async () => {
    // On a busy machine, the first command may be in a transaction of its own.
    let tries = 0
    await until(async () => {
      const [first, lost] = [`a${tries}`, `b${tries++}`]
      const answers = messages(
        await outcomes([
          ['insert', first],
          ['lose the transaction', lost],
        ]),
      )
      assert.equal(answers[1], 'the disk is full')
      assert.equal(await isThere(lost), false)
      assert.equal(answers[0], (await isThere(first)) ? first : 'the disk is full')
      return answers[0] === answers[1]
    })
    assert.equal(await write('insert', 'a'), 'a')
  })

  it('the number of SQLite commands in one commit is limited', async () => {
    await write('prepare')
    const inserts = Array.from({ length: 100 }, (_, n) => ['insert', String(n)] as const)
    const answers = await outcomes([['break the commit'], ...inserts])
    const failed = answers.filter((answer) => answer instanceof Error).length
    assert.ok(failed >= 1 && failed <= 64, String(failed))
  })

  it('a SQLite command that can wait joins the commit of a command that cannot wait', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const log = join(folder, 'keystile.db-wal')
    const answered: string[] = []
    const insert = async (name: string, patienceMilliseconds?: number): Promise<void> => {
      await write('insert', name, patienceMilliseconds)
      assert.ok(await isThere(name), name)
      answered.push(name)
    }
    const before = statSync(log).size
    const waiting = [insert('a', 1_000), insert('b', 1_000)]
    t.mock.timers.tick(19)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50) // the writer had time to write
    assert.equal(statSync(log).size, before)
    await Promise.all([insert('c'), ...waiting])
    assert.deepEqual(answered, ['a', 'b', 'c'])
  })

  it('only a few SQLite commands get their answers in each turn of the event loop', async () => {
    const answersInTurn = async (): Promise<number> => {
      let [inTurn, most] = [0, 0]
      let turn = setImmediate(function count() {
        inTurn = 0
        turn = setImmediate(count)
      })
      const inserts = Array.from({ length: 30 }, () => write('insert', randomUUID()))
      await Promise.all(
        [write('keep busy'), ...inserts].map((answer) =>
          answer.then(() => (most = Math.max(most, ++inTurn))),
        ),
      )
      clearImmediate(turn)
      return most
    }
    // Each commit may send up to 4 answers in one turn of the event loop. On a busy machine, a turn
    // may see several commits. Without the limit, one commit would always send nearly all answers.
    await until(async () => (await answersInTurn()) <= 16)
  })

  it('a SQLite command that can wait runs soon even if no other command comes', async () => {
    assert.equal(await write('insert', 'a', 1_000), 'a')
    assert.equal(await write('insert', 'b', 1), 'b')
    assert.deepEqual(
      await Promise.all([write('insert', 'c', 1_000), write('insert', 'd', 1_000)]),
      ['c', 'd'],
    )
  })

  it('a SQLite write fails and stores nothing if the function of checkWrites rejects', async () => {
    const asked: boolean[] = []
    const refusal = new Error('refused')
    database.checkWrites((isUrgent) => {
      asked.push(isUrgent)
      return Promise.reject(refusal)
    })
    await assert.rejects(write('insert', 'a'), refusal)
    const urgent = command('insert', () => assert.fail('the writer thread runs the command'))
    await assert.rejects(database.urgent.write(urgent, 'a'), refusal)
    assert.deepEqual(asked, [false, true])
    assert.equal(await isThere('a'), false)
    database.checkWrites(() => undefined)
    assert.equal(await write('insert', 'a'), 'a')
  })

  it('the reader of a SQLite database cannot write', async () => {
    const reader = inTables<{ setting: { name: string } }>(database.reader)
    await assert.rejects(reader.deleteFrom('setting').execute(), /readonly/)
  })

  it('SQLite commands fail if the open database file or its log was moved', async () => {
    const moved = {
      name: 'DatabaseUnavailableError',
      message: /was moved or replaced .* Fix: restart Keystile$/,
    }
    await write('insert', 'a')
    const file = join(folder, 'keystile.db')
    for (const path of [`${file}-wal`, file]) {
      renameSync(path, `${path}.moved`)
      await assert.rejects(write('insert', `without ${path}`), moved)
      writeFileSync(path, '')
      await assert.rejects(write('insert', `beside ${path}`), moved)
      renameSync(`${path}.moved`, path)
      assert.equal(await write('insert', `with ${path}`), `with ${path}`)
    }
  })

  it('if the writer thread of SQLite ends, its commands fail, and close() works', async () => {
    const ended = { name: 'DatabaseUnavailableError', message: /writer thread of SQLite has ended/ }
    await assert.rejects(write('end the thread'), ended)
    await assert.rejects(write('insert', 'a'), (error: Error) => {
      assert.match((error.cause as Error).message, /^exit code 3$/)
      return true
    })
    assert.equal(database.writeQueueLength, 0)
  })

  it('the length of the queue is the number of SQLite commands without an answer', async () => {
    assert.equal(database.writeQueueLength, 0)
    const writing = Promise.all([write('insert', 'a', 1_000), write('insert', 'b', 1_000)])
    await new Promise((resolve) => setTimeout(resolve)) // `write` checks first
    assert.equal(database.writeQueueLength, 2)
    await writing
    assert.equal(database.writeQueueLength, 0)
  })

  it('a closed SQLite database is one file, without -wal and -shm', async () => {
    await database.close()
    assert.deepEqual(readdirSync(folder).toSorted(), ['keystile.db', 'writer.mjs'])
    database = await openSqlite(
      join(folder, 'keystile.db'),
      pathToFileURL(join(folder, 'writer.mjs')),
    )
  })

  it('close() of a SQLite database runs waiting commands, and refuses new commands', async () => {
    const writing = outcomes([
      ['insert', 'a'],
      ['insert', 'b'],
    ])
    const patient = write('insert', 'p', 1_000)
    const closing = database.close()
    assert.deepEqual(await writing, ['a', 'b'])
    assert.equal(await patient, 'p')
    await assert.rejects(write('insert', 'c'), (error: DatabaseUnavailableError) =>
      /is being closed/.test(error.message),
    )
    await closing
    database = await openSqlite(
      join(folder, 'keystile.db'),
      pathToFileURL(join(folder, 'writer.mjs')),
    )
    assert.deepEqual(
      [await isThere('a'), await isThere('b'), await isThere('c')],
      [true, true, false],
    )
  })
})

describe('openSqlite', () => {
  let folder: string
  let module: URL
  const opened: Database[] = []
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'keystile-open-'))
    const program = join(folder, 'writer.mjs')
    writeFileSync(program, writerThread)
    module = pathToFileURL(program)
  })
  afterEach(async () => {
    for (const database of opened.splice(0)) await database.close()
    rmSync(folder, { recursive: true })
  })
  const open = async (file: string): Promise<Database> => {
    const database = await openSqlite(file, module)
    opened.push(database)
    return database
  }
  const modeOf = (path: string): number => statSync(path).mode & 0o777

  it('openSqlite gives only the owner access to the file and to new folders', async () => {
    const [made, existing] = [join(folder, 'a/b/new.db'), join(folder, 'existing.db')]
    writeFileSync(existing, '')
    chmodSync(existing, 0o644)
    for (const file of [made, existing]) {
      await open(file)
      assert.equal(modeOf(file), 0o600)
    }
    assert.equal(modeOf(join(folder, 'a')), 0o700)
  })

  it('openSqlite creates a temporary folder for :memory:, and close() deletes it', async (t) => {
    const before = process.env['TMPDIR']
    t.after(() => {
      if (before === undefined) delete process.env['TMPDIR']
      else process.env['TMPDIR'] = before
    })
    const temporary = join(folder, 'temporary')
    mkdirSync(temporary)
    process.env['TMPDIR'] = temporary
    rmSync(':memory:', { force: true }) // an earlier version may have left it
    for (const isDeletedBefore of [false, true]) {
      const database = await openSqlite(':memory:', module)
      const [name = ''] = readdirSync(temporary)
      assert.match(name, /^keystile-/)
      assert.ok(readdirSync(join(temporary, name)).includes('keystile.db'))
      assert.equal(existsSync(':memory:'), false)
      if (isDeletedBefore) rmSync(join(temporary, name), { recursive: true })
      await database.close()
      assert.deepEqual(readdirSync(temporary), [])
    }
  })

  it('openSqlite says why it cannot open a file, and suggests a fix', async () => {
    mkdirSync(join(folder, 'x'))
    writeFileSync(join(folder, 'text'), 'not a database, but long enough to be read'.repeat(20))
    for (const [file, reason] of [
      ['x', /x cannot be opened: it is a folder \(EISDIR\)\. Fix: name a file$/],
      [
        'text/y.db',
        /a part of its path is a file \((?:ENOTDIR|EEXIST)\)\. Fix: name a file in a folder$/,
      ],
      ['text', /cannot be opened: the file is not a SQLite database .* Fix: name another file/],
      [
        'n'.repeat(300),
        /cannot be opened: ENAMETOOLONG.* \(ENAMETOOLONG\)\. Fix: name another file$/,
      ],
    ] as const)
      await assert.rejects(openSqlite(join(folder, file), module), (error: Error) => {
        assert.equal(error.name, 'DatabaseUnavailableError')
        assert.match(error.message, reason)
        assert.ok(error.cause instanceof Error)
        return true
      })
  })

  it('openSqlite refuses two commands with the same name', async () => {
    const program = join(folder, 'twice.mjs')
    writeFileSync(program, writerThread.replace("command('insert and fail'", "command('insert'"))
    await assert.rejects(openSqlite(join(folder, 'x.db'), pathToFileURL(program)), {
      name: 'DatabaseUnavailableError',
      message: /x\.db cannot be opened: the writer thread of SQLite has ended$/,
    })
  })

  it('openSqlite refuses the file of another program, and does not change the file', async () => {
    const file = join(folder, 'other.db')
    const other = new DatabaseSync(file)
    other.exec('create table thing (id text)')
    await assert.rejects(openSqlite(file, module), /the file belongs to another program/)
    assert.deepEqual(
      other
        .prepare('select name from sqlite_schema')
        .all()
        .map(({ name }) => name),
      ['thing'],
    )
    other.exec('create table migration (id integer primary key, batch integer)')
    await assert.rejects(openSqlite(file, module), /the file belongs to another program/)
    other.exec('drop table migration; create table migration (name text, timestamp text)')
    other.close()
    await open(file) // it has Keystile's tables too
  })

  it('after a crash, openSqlite copies commits from the write-ahead log to the file', async () => {
    const file = join(folder, 'keystile.db')
    await (await openSqlite(file, module)).close()
    const crashed = join(folder, 'crashed.db')
    const process = new DatabaseSync(file)
    process.exec("pragma journal_mode = wal; insert into setting (name, value) values ('a', 'b')")
    for (const end of ['', '-wal']) writeFileSync(crashed + end, readFileSync(file + end))
    process.close()
    await open(crashed)
    const copy = join(folder, 'copy.db')
    writeFileSync(copy, readFileSync(crashed))
    const sqlite = new DatabaseSync(copy)
    assert.equal(sqlite.prepare("select value from setting where name = 'a'").get()?.['value'], 'b')
    sqlite.close()
  })
})
