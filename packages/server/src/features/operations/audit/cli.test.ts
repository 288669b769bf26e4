import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { Readable, Writable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { createCall } from '../../../cli/call.ts'
import { createTerminal } from '../../../cli/terminal.ts'
import type { Database } from '../../../storage/database.ts'
import { openDatabase } from '../../../storage/open.ts'
import { feature } from './feature.ts'
import { recordAudit } from './store.ts'

const now = Date.UTC(2026, 10, 25, 12)
const writerThread = new URL('../../../server/writer-thread.ts', import.meta.url)
const [command] = feature.cliCommands!

/** The standard output of a command. Emits `line` after each line. */
class Output extends Writable {
  readonly lines: string[] = []
  /** Whether the program that reads the output ends after the first line. */
  endsEarly = false
  override write(line: string): boolean {
    this.lines.push(line.trimEnd())
    this.emit('line')
    if (this.endsEarly) this.emit('error', Object.assign(new Error(), { code: 'EPIPE' }))
    return true
  }
}

describe('keystile audit', () => {
  let database: Database
  before(async () => {
    database = await openDatabase(':memory:', writerThread)
  })
  after(() => database.close())

  const record = (subject: string, at: number): Promise<void> =>
    database.write(recordAudit, { event: 'login', at, by: { actor: 'app' }, subject })
  /** Starts the command. `signal` sends a signal to its process. */
  const start = (
    args: readonly string[],
    stdout = new Output(),
  ): { readonly done: Promise<void>; readonly stdout: Output; signal(name: string): void } => {
    const process = Object.assign(new EventEmitter(), {
      env: {},
      stdin: Readable.from([]),
      stdout,
      stderr: new Output(),
    })
    const run = async (): Promise<void> =>
      (await command!.load())({
        ...createCall(command!, args, createTerminal(process)),
        clock: { now: () => now },
        withDatabase: (work) => work(database),
      })
    return { done: run(), stdout, signal: (name) => void process.emit(name) }
  }
  const linesOf = async (...args: string[]): Promise<readonly string[]> => {
    const { done, stdout } = start(args)
    await done
    return stdout.lines
  }
  /** Returns how many entries about a subject are printed, for each of the values of `--since`. */
  const countSince = async (subject: string, values: string): Promise<readonly number[]> => {
    const counts: number[] = []
    for (const since of values.split(' '))
      counts.push((await linesOf('--subject', subject, '--since', since)).length)
    return counts
  }
  const refused = async (flag: string, values: readonly string[]): Promise<void> => {
    for (const value of values)
      await assert.rejects(
        linesOf(`${flag}=${value}`),
        { message: new RegExp(`^${flag} must be`) },
        value,
      )
  }

  it('`keystile audit` prints 100 entries, or as many as --since and --limit allow', async () => {
    await Promise.all(Array.from({ length: 101 }, (_, i) => record('many', now - i)))
    const count = async (...args: string[]): Promise<number> =>
      (await linesOf('--subject', 'many', ...args)).length
    assert.equal(await count(), 100)
    assert.match((await linesOf('--subject', 'many'))[0]!, /^2026-11-25T11:59:59\.901Z/)
    assert.equal(await count('--since', '1d'), 101)
    assert.equal(await count('--since', '1d', '--limit', '12'), 12)
    assert.equal(await count('--limit', '999999'), 101)
    assert.equal(await count('--limit', '0'), 0)
  })

  it('`keystile audit --since` takes an age in seconds, minutes, hours or days', async () => {
    for (const seconds of [90, 5_400, 129_600]) await record('aged', now - seconds * 1_000)
    assert.deepEqual(await countSince('aged', '89s 90s 129599s 129600s'), [0, 1, 2, 3])
    assert.deepEqual(await countSince('aged', '1m 2m 89m 90m'), [0, 1, 1, 2])
    assert.deepEqual(await countSince('aged', '1h 2h 35h 36h'), [1, 2, 2, 3])
    assert.deepEqual(await countSince('aged', '1d 2d'), [2, 3])
  })

  it('`keystile audit --since` takes a date, or a date and time with a time zone', async () => {
    await record('dated', Date.UTC(2020, 5, 1, 12, 0, 0, 500))
    for (const [since, later] of [
      ['1970-01-01', '2020-06-02'],
      ['2020-06-01', '2020-06-02'],
      ['2020-06-01T12:00Z', '2020-06-01T12:01Z'],
      ['2020-06-01T12:00:00Z', '2020-06-01T12:00:01Z'],
      ['2020-06-01T12:00:00.5Z', '2020-06-01T12:00:00.501Z'],
      ['2020-06-01T14:30:00.5+02:30', '2020-06-01T14:30:00.501+02:30'],
      ['2020-06-01T10:00-02:00', '2020-06-01T10:01-02:00'],
    ] as const)
      assert.deepEqual(await countSince('dated', `${since} ${later}`), [1, 0], since)
  })

  it('`keystile audit --since` refuses a value that is neither an age nor a time', async () => {
    await refused('--since', ['', '90', '90y', '-1h', 'x90m', '90m30', '1234567s', 'yesterday'])
    await refused('--since', ['1969-12-31', '2020-13-01', '+002020-06-01', '2020-06-01T12:00'])
  })

  it('`keystile audit --limit` refuses all but whole numbers from 0 to 999999', async () => {
    await refused('--limit', ['', '-1', '1.5', '1e3', 'all', '1000000'])
  })

  it('`keystile audit` prints columns, with a hyphen for each missing value, or JSON', async () => {
    const by = { actor: 'user:ada', address: '192.0.2.7', sessionId: 's', clientId: 'c' } as const
    const detail = { given: ['role:admin'] }
    await record('shown', now)
    await database.write(recordAudit, { event: 'e', at: now + 1, by, subject: 'shown', detail })
    const [first, second] = ['2026-11-25T12:00:00.000Z', '2026-11-25T12:00:00.001Z']
    assert.deepEqual(await linesOf('--subject', 'shown'), [
      [first, 'login', 'app', 'shown', '-', '-', '-', '-'].join('\t'),
      [second, 'e', 'user:ada', 'shown', 's', 'c', '192.0.2.7', JSON.stringify(detail)].join('\t'),
    ])

    const lines = await linesOf('--subject', 'shown', '--json')
    const [one, other] = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    assert.match(String(one?.['id']), /^\w/)
    const none = { session_id: null, client_id: null, address: null, detail: null }
    const login = { at: first, event: 'login', actor: 'app', subject: 'shown', ...none }
    assert.deepEqual(one, { id: one?.['id'], ...login })
    assert.deepEqual([other?.['at'], other?.['detail']], [second, detail])
  })

  it('`keystile audit --follow` prints new entries until the process gets a signal', async () => {
    for (const name of ['SIGTERM', 'SIGINT']) {
      await record(name, now)
      const { done, stdout, signal } = start(['--follow', '--subject', name])
      const lineOrEnd = (): Promise<unknown> => Promise.race([once(stdout, 'line'), done])
      await lineOrEnd()
      await record(name, now + 1)
      await lineOrEnd()
      signal(name)
      await record(name, now + 2)
      await lineOrEnd()
      assert.equal(stdout.lines.length, 2)
    }
  })

  it('`keystile audit` ends when the program that reads its output has ended', async () => {
    for (let i = 0; i < 20; i++) await record('unread', now + i)
    for (const args of [[], ['--follow'], ['--follow', '--limit', '1']]) {
      const stdout = new Output()
      stdout.endsEarly = true
      await start(['--subject', 'unread', ...args], stdout).done
      assert.ok(stdout.lines.length < 10, args.join(' '))
    }
  })
})
