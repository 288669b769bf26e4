import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { command, inTables, type Database, type DatabaseUnavailableError } from './database.ts'
import { openSqlite } from './sqlite.ts'

/** The program of the writer thread in these tests. */
const writerThread = `
import { announce, command } from ${JSON.stringify(import.meta.resolve('./database.ts'))}
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

  it('a SQLite command sends notices after its commit, and none if the command fails', async () => {
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
    assert.equal(await write('insert', 'a0'), 'a0')
  })

  it('if SQLite rolls back a transaction, all its commands fail with the same error', async () => {
    const answers = await outcomes([
      ['insert', 'a'],
      ['lose the transaction', 'b'],
      ['insert', 'c'],
    ])
    // Later commands may belong to the next transaction.
    assert.deepEqual(messages(answers).slice(0, 2), ['the disk is full', 'the disk is full'])
    assert.deepEqual([await isThere('a'), await isThere('b')], [false, false])
    assert.equal(await write('insert', 'a'), 'a')
  })

  it('the number of SQLite commands in one commit is limited', async () => {
    await write('prepare')
    const inserts = Array.from({ length: 100 }, (_, n) => ['insert', String(n)] as const)
    const answers = await outcomes([['break the commit'], ...inserts])
    const failed = answers.filter((answer) => answer instanceof Error).length
    assert.ok(failed >= 1 && failed <= 64, String(failed))
  })

  it('SQLite commands that can wait share a commit with commands that cannot wait', async (t) => {
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
    let [inTurn, most] = [0, 0]
    let turn = setImmediate(function count() {
      inTurn = 0
      turn = setImmediate(count)
    })
    const inserts = Array.from({ length: 30 }, (_, n) => write('insert', String(n)))
    await Promise.all(
      [write('keep busy'), ...inserts].map((answer) =>
        answer.then(() => (most = Math.max(most, ++inTurn))),
      ),
    )
    clearImmediate(turn)
    // Each commit may send up to 4 answers in one turn of the event loop. On a busy machine, a turn
    // may see several commits. Without the limit, one commit would send nearly all answers at once.
    assert.ok(most <= 16, String(most))
  })

  it('a SQLite command that can wait runs soon even if no other command comes', async () => {
    assert.equal(await write('insert', 'a', 1_000), 'a')
    assert.equal(await write('insert', 'b', 1), 'b')
    assert.deepEqual(
      await Promise.all([write('insert', 'c', 1_000), write('insert', 'd', 1_000)]),
      ['c', 'd'],
    )
  })

  it('a SQLite database that was opened and closed is one file, without -wal and -shm', async () => {
    await database.close()
    assert.deepEqual(readdirSync(folder).toSorted(), ['keystile.db', 'writer.mjs'])
    database = await openSqlite(
      join(folder, 'keystile.db'),
      pathToFileURL(join(folder, 'writer.mjs')),
    )
  })

  it('a closing SQLite database writes all waiting commands, and refuses new ones', async () => {
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
