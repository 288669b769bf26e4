// Several processes on one database want the lease of background jobs. The processes are real: a
// paused process has the clock and the memory of before the pause.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, it, mock } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { silentLogger } from 'keystile/internal'
import { until } from '../../../../../../tools/until.ts'
import { describeOnBoth, type Stage } from '../../../../test-support/keystile.ts'
import { startLeaseProcess, type LeaseProcess } from '../../../../test-support/lease-process.ts'
import { commands, underLease } from '../../../server/commands.ts'
import type { Database } from '../../../storage/database.ts'
import { openDatabase } from '../../../storage/open.ts'
import { recordAudit } from '../audit/store.ts'
import { LeaseLostError, openLease, type Lease } from './lease.ts'
import { holdLease, releaseLease } from './store.ts'

const writerThread = new URL('../../../server/writer-thread.ts', import.meta.url)
const long = { skip: process.env['KEYSTILE_LONG'] ? false : 'KEYSTILE_LONG=1 runs it' }
const entry = { event: 'login_refused', at: Date.now(), by: { actor: 'nobody' } } as const

// The tests wait for leases to expire, so both databases are tested at the same time.
describe('leases', { concurrency: 2 }, () =>
  describeOnBoth('the lease of background jobs', testLease),
)

function testLease(stage: Stage): void {
  /** Makes the database, which no process uses yet. */
  const make = async (): Promise<void> => (await stage.start()).keystile.close()
  const countAudit = async (): Promise<number> =>
    Number((await stage.sql('select count(*) as number from audit'))[0]?.['number'])
  const ofLease = async (column: string): Promise<unknown> =>
    (await stage.sql('select * from lease'))[0]?.[column]
  const withProcesses = async (
    work: (first: LeaseProcess, second: LeaseProcess) => Promise<void>,
  ): Promise<void> => {
    await make()
    const first = startLeaseProcess(stage.database)
    await first.taken
    const second = startLeaseProcess(stage.database)
    try {
      await work(first, second)
    } finally {
      await Promise.all([first.kill(), second.kill()])
    }
  }

  it('a process can no longer write after it was paused for longer than its lease', async () => {
    await withProcesses(async (first, second) => {
      assert.equal(await first.write(), 'written')
      first.signal('SIGSTOP')
      const late = first.write() // it runs when the process wakes up
      await second.taken
      first.signal('SIGCONT')
      assert.equal(await late, 'lost')
      assert.equal(await countAudit(), 1)
      assert.equal(await second.write(), 'written')
      assert.equal(await countAudit(), 2)
    })
  })

  // For the long run: the test of the paused holder also waits until the lease expires.
  it(
    'if the holder of a lease is killed, another process gets the lease when it expires',
    long,
    async () => {
      await withProcesses(async (first, second) => {
        await first.kill()
        await second.taken
        assert.equal(await second.write(), 'written')
      })
    },
  )

  it('if the holder of a lease stops, another process gets the lease immediately', async () => {
    await make()
    const database = await openDatabase(stage.database, writerThread)
    try {
      await withLease(stage, async (lease) => {
        await taken(lease)
        assert.deepEqual(await database.write(holdLease, { name: 'jobs', holder: 'other' }), {
          fence: undefined,
        })
      })
      const { fence } = await database.write(holdLease, { name: 'jobs', holder: 'other' })
      assert.equal(fence, Number(await ofLease('fence')))
    } finally {
      await database.close()
    }
  })

  it('if four holders ask for a lease at the same time, only one gets it', async () => {
    await make()
    const database = await openDatabase(stage.database, writerThread)
    try {
      const holders = ['a', 'b', 'c', 'd']
      const results = await Promise.all(
        holders.map((holder) => database.write(holdLease, { name: 'jobs', holder })),
      )
      assert.equal(results.filter(({ fence }) => fence !== undefined).length, 1)
    } finally {
      await database.close()
    }
  })

  it('a renewed lease keeps its fence number; each new holder gets a higher number', async () => {
    await make()
    const database = await openDatabase(stage.database, writerThread)
    const hold = (holder: string): Promise<{ readonly fence: number | undefined }> =>
      database.write(holdLease, { name: 'other', holder })
    try {
      assert.deepEqual(
        [await hold('a'), await hold('a'), await hold('b')],
        [{ fence: 1 }, { fence: 1 }, { fence: undefined }],
      )
      await database.write(releaseLease, { name: 'other', fence: 1 })
      assert.deepEqual(
        [await hold('b'), await hold('a'), await hold('b')],
        [{ fence: 2 }, { fence: undefined }, { fence: 2 }],
      )
      // A holder that was paused must not free the lease of its successor.
      await database.write(releaseLease, { name: 'other', fence: 1 })
      assert.deepEqual(await hold('a'), { fence: undefined })
    } finally {
      await database.close()
    }
  })

  it('a process can take a lease that was stored while the clock was ahead', async () => {
    await make()
    const database = await openDatabase(stage.database, writerThread)
    const hold = (holder: string): Promise<{ readonly fence: number | undefined }> =>
      database.write(holdLease, { name: 'other', holder })
    const setAhead = (milliseconds: number): Promise<unknown> =>
      stage.sql(`update lease set expires_at = expires_at + ${milliseconds} where name = 'other'`)
    try {
      assert.deepEqual(await hold('a'), { fence: 1 })
      await setAhead(9_000)
      assert.deepEqual(await hold('b'), { fence: undefined })
      await setAhead(3_600_000)
      assert.deepEqual(await hold('b'), { fence: 2 })
      assert.deepEqual(await hold('a'), { fence: undefined })
    } finally {
      await database.close()
    }
  })

  it('lease.write() rejects if another process has taken over the lease', async () => {
    await make()
    await withLease(stage, async (lease) => {
      await taken(lease)
      await lease.write(recordAudit, entry)
      await stage.sql("update lease set fence = fence + 1, holder = 'other'")
      await assert.rejects(lease.write(recordAudit, entry), LeaseLostError)
      assert.equal(lease.isHeld, false)
      assert.equal(await countAudit(), 1)
    })
  })

  it('a process loses its lease if it does not renew the lease for 10 s', async () => {
    await make()
    await withLease(stage, async (lease) => {
      await taken(lease)
      const now = performance.now()
      // Without an await, because tests that run at the same time must not see this time.
      const isHeldIn = (milliseconds: number): boolean => {
        const later = mock.method(performance, 'now', () => now + milliseconds)
        try {
          return lease.isHeld
        } finally {
          later.mock.restore()
        }
      }
      assert.deepEqual([isHeldIn(0), isHeldIn(10_000)], [true, false])
    })
  })

  it('an expired lease can be renewed if no other process has taken it', async () => {
    await make()
    await withLease(stage, async (lease) => {
      await taken(lease)
      const fence = await ofLease('fence')
      await stage.sql('update lease set expires_at = 1')
      await until(async () => Number(await ofLease('expires_at')) !== 1)
      assert.equal(await ofLease('fence'), fence)
      await lease.write(recordAudit, entry)
    })
  })
}

it('underLease rejects a command that is not in the list of commands', () => {
  assert.ok(commands.includes(underLease))
  const values = { lease: { name: 'jobs', fence: 1 }, command: 'unknown', values: {} }
  return assert.rejects(underLease.run({} as never, values), /list of commands must contain/)
})

describe('the tries of a process to hold the lease', () => {
  let folder: string
  let time: number
  let database: Database
  let lease: Lease
  let tries: Promise<unknown>[]
  /** Whether the database does not answer. */
  let isAway: boolean
  /** Writes under the lease wait for this promise. */
  let gate: Promise<void>
  let logged: unknown[]
  let taken: number

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keystile-lease-'))
    database = await openDatabase(join(folder, 'keystile.db'), writerThread)
    time = 1e6
    ;[tries, isAway, gate, logged, taken] = [[], false, Promise.resolve(), [], 0]
    mock.method(performance, 'now', () => time)
    mock.timers.enable({ apis: ['setTimeout'] })
    lease = open()
    await tryAgain(0)
  })
  afterEach(async () => {
    await lease.close()
    mock.timers.reset()
    mock.restoreAll()
    await database.close()
    rmSync(folder, { recursive: true })
  })

  function open(): Lease {
    const urgent: Database['urgent'] = {
      ...database.urgent,
      write(command, values) {
        const outcome = isAway
          ? Promise.reject(new Error('no database'))
          : database.urgent.write(command, values)
        tries.push(outcome)
        return outcome
      },
    }
    const write: Database['write'] = async (command, values) => {
      await gate
      return database.write(command, values)
    }
    const log = ({ err }: { readonly err?: unknown }, text: string): void =>
      void logged.push([(err as Error).message, text])
    const logger = { ...silentLogger, warn: log, debug: log }
    const opened = openLease({ write, urgent }, { underLease, logger })
    opened.onTaken(() => taken++)
    return opened
  }

  /** Waits for some time, and for the last try. Returns the number of tries until now. */
  async function tryAgain(milliseconds: number): Promise<number> {
    time += milliseconds
    mock.timers.tick(milliseconds)
    await setImmediate()
    await tries.at(-1)?.catch(() => {})
    await setImmediate()
    return tries.length
  }
  function change(text: string): void {
    const file = new DatabaseSync(join(folder, 'keystile.db'), { timeout: 60_000 })
    file.exec(`update lease set ${text}`)
    file.close()
  }

  it('the holder renews a lease every 3 s; other processes try to get it each second', async () => {
    assert.deepEqual([await tryAgain(2_999), await tryAgain(1), lease.isHeld], [1, 2, true])
    change("fence = fence + 1, holder = 'other'")
    assert.deepEqual([await tryAgain(3_000), lease.isHeld], [3, false])
    assert.deepEqual([await tryAgain(999), await tryAgain(1)], [3, 4])
  })

  it('onTaken() listeners are called when a lease is taken, not when renewed or lost', async () => {
    assert.equal(taken, 1)
    await tryAgain(3_000)
    change("fence = fence + 1, holder = 'other'")
    await tryAgain(3_000)
    assert.equal(taken, 1)
    change('expires_at = 0')
    await tryAgain(1_000)
    assert.deepEqual([taken, lease.isHeld], [2, true])
  })

  it('a process holds the lease for 10 s after its last renewal began', async () => {
    time += 9_999
    assert.equal(lease.isHeld, true)
    time += 1
    assert.equal(lease.isHeld, false)
  })

  it('if several renewals of a lease fail in a row, only the first failure is logged', async () => {
    isAway = true
    for (let n = 0; n < 3; n++) await tryAgain(1_000)
    await tryAgain(3_000)
    assert.deepEqual(logged, [['no database', 'background jobs cannot run; Keystile tries again']])
    isAway = false
    await tryAgain(1_000)
    isAway = true
    await tryAgain(3_000)
    assert.equal(logged.length, 2)
  })

  it('if the first try of a process to get a lease fails, the failure is logged', async () => {
    await lease.close()
    isAway = true
    lease = open()
    await tryAgain(0)
    assert.equal(logged.length, 1)
  })

  it('if the renewal of a lease fails, the process tries again after a second', async () => {
    isAway = true
    assert.deepEqual([await tryAgain(3_000), await tryAgain(999), await tryAgain(1)], [2, 2, 3])
  })

  it('if a write under a lost lease is refused, the process keeps its new lease', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    gate = promise
    const late = lease.write(recordAudit, entry)
    change("fence = fence + 1, holder = 'other', expires_at = 0")
    await tryAgain(3_000)
    resolve()
    await assert.rejects(late, { name: 'LeaseLostError' })
    assert.equal(lease.isHeld, true)
  })

  it('lease.write() rejects if the lease is lost while the write waits', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    gate = promise
    const late = lease.write(recordAudit, entry)
    change("fence = fence + 1, holder = 'other'")
    await tryAgain(3_000)
    resolve()
    await assert.rejects(late, LeaseLostError)
  })

  it('after lease.close(), the process neither holds the lease nor tries to take it', async () => {
    mock.timers.tick(3_000) // a try is in progress when the lease closes
    await lease.close()
    assert.deepEqual([await tryAgain(10_000), lease.isHeld, taken], [2, false, 1])
    await assert.rejects(lease.write(recordAudit, entry), LeaseLostError)
  })

  it('lease.close() cancels the next try to get or renew the lease', async () => {
    await lease.close()
    assert.equal(await tryAgain(3_000), 1)
  })

  it('lease.close() logs a failure of the database, and does not reject', async () => {
    const failing = Promise.reject<void>(new Error('no database'))
    failing.catch(() => {})
    gate = failing
    await lease.close()
    assert.deepEqual(logged, [
      ['no database', 'the lease of background jobs could not be released'],
    ])
  })

  it('waiting to get or renew a lease does not keep a process alive', async () => {
    mock.timers.reset()
    const countTimers = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = countTimers()
    const another = open()
    while (tries.length === 1) await setImmediate()
    await tries.at(-1)
    await setImmediate()
    const after = countTimers()
    await another.close()
    assert.equal(after, before)
  })
})

async function withLease(stage: Stage, work: (lease: Lease) => Promise<void>): Promise<void> {
  const database = await openDatabase(stage.database, writerThread)
  const lease = openLease(database, { underLease, logger: silentLogger })
  try {
    await work(lease)
  } finally {
    await lease.close()
    await database.close()
  }
}

function taken(lease: Lease): Promise<void> {
  return new Promise((resolve) => (lease.isHeld ? resolve() : lease.onTaken(resolve)))
}
