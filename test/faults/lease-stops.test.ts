// Three processes write under one lease, and the holder is paused (SIGSTOP) 200 times, until another
// process has taken the lease. A trigger compares, in the transaction of each write, the fence
// number that the process holds with the fence number of the lease.
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { describeOnBoth, type Stage } from '../../packages/server/test-support/keystile.ts'
import {
  startLeaseWriter,
  type LeaseWriterCounts,
} from '../../packages/server/test-support/lease-writer.ts'
import { createRandom } from './random.ts'

const skip = process.env['KEYSTILE_LONG'] ? false : 'KEYSTILE_LONG=1 runs it'
/** KEYSTILE_ROUNDS is for a shorter run while you work on this test. */
const stops = Number(process.env['KEYSTILE_ROUNDS'] ?? 200)

describe('paused holders', { skip, concurrency: 2, timeout: 1_800_000 }, () =>
  describeOnBoth('a lease whose holder is paused', testStops),
)

function testStops(stage: Stage): void {
  it(`in ${stops} pauses of a holder, no process writes after it has lost the lease`, async (t) => {
    await (await stage.start()).keystile.close()
    for (const statement of compareFences(stage.kind)) await stage.sql(statement)

    const random = createRandom(18)
    const writers = ['a', 'b', 'c'].map((name) => startLeaseWriter(stage.database, name))
    const counts = { takenOver: 0, heldUp: 0 }
    try {
      const leaseOf = async (): Promise<Readonly<Record<string, unknown>>> =>
        (await stage.sql("select holder, fence from lease where name = 'jobs'"))[0] ?? {}
      for (let stopped = 0; stopped < stops;) {
        const { holder, fence } = await leaseOf()
        const writer = writers.find(({ name }) => name === holder)
        await delay(random(15))
        if (!writer) continue

        writer.signal('SIGSTOP')
        stopped++
        if (await isTakenOver(leaseOf, fence)) counts.takenOver++
        else counts.heldUp++
        writer.signal('SIGCONT')
      }
      const said: LeaseWriterCounts[] = []
      for (const writer of writers) said.push(await writer.end())
      const sum = (name: keyof LeaseWriterCounts): number =>
        said.reduce((total, one) => total + one[name], 0)
      const [written, lost] = [sum('written'), sum('lost')]
      t.diagnostic(JSON.stringify({ ...counts, written, lost, failed: sum('failed') }))

      const [row] = await stage.sql(`select count(*) as writes,
        count(case when believed <> held then 1 end) as stale from compared`)
      assert.equal(Number(row?.['stale']), 0)
      assert.ok(Number(row?.['writes']) >= written && written > stops)
      assert.ok(lost > 0, 'late writes were tried')
      assert.ok(counts.takenOver > stops / 4, JSON.stringify(counts))
    } finally {
      for (const writer of writers) writer.kill()
    }
  })

  /**
   * Lets the lease expire, and waits until another process takes it. On SQLite, a process that is
   * paused within a transaction holds all other writers up, so no process can take the lease.
   */
  async function isTakenOver(
    leaseOf: () => Promise<Readonly<Record<string, unknown>>>,
    fence: unknown,
  ): Promise<boolean> {
    const expire = "update lease set expires_at = 0 where name = 'jobs'"
    if (stage.kind === 'PostgreSQL') await stage.sql(expire)
    else if (!ranSoon(stage.database, expire)) return false

    for (let tries = 0; tries < 1_000; tries++) {
      if ((await leaseOf())['fence'] !== fence) return true
      await delay(10)
    }
    return assert.fail('another process must take the lease')
  }
}

/** Runs a statement in a SQLite file, unless another process holds it up. */
function ranSoon(file: string, statement: string): boolean {
  const sqlite = new DatabaseSync(file, { timeout: 200 })
  try {
    sqlite.exec(statement)
    return true
  } catch (error) {
    if (!/locked/.test(String(error))) throw error
    return false
  } finally {
    sqlite.close()
  }
}

/** Statements that store, with each write, the believed fence and that of the lease. */
function compareFences(kind: Stage['kind']): readonly string[] {
  const schema = kind === 'SQLite' ? '' : 'keystile.'
  const insert =
    `insert into ${schema}compared select cast(new.subject as integer), ` +
    `(select fence from ${schema}lease where name = 'jobs')`
  const table = 'create table compared (believed integer, held integer)'
  return kind === 'SQLite'
    ? [table, `create trigger compare after insert on audit begin ${insert}; end`]
    : [
        table,
        `create function compare() returns trigger language plpgsql
          as $$ begin ${insert}; return new; end $$`,
        `create trigger compare after insert on audit for each row execute function compare()`,
      ]
}
