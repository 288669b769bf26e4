// The clock of a server jumps while clients work: an hour ahead, back, an hour behind, and by a few
// seconds, as after a wrong time server or the pause of a virtual machine. libfaketime changes the
// clock of the one process.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { startFleet } from './fleet.ts'
import { createLoad } from './load.ts'
import { makeAdministrator, openFile, openPostgres, type Place } from './places.ts'
import { createRandom } from './random.ts'

const seed = Number(process.env['KEYSTILE_SEED'] ?? randomInt(2 ** 31))
const isLong = Boolean(process.env['KEYSTILE_LONG'])
const writesAtStep = isLong ? 100 : 6
const clients = isLong ? 6 : 3
/** How far the clock is ahead after each step, in seconds. */
const steps = isLong
  ? Array.from({ length: 5 }, () => [3600, 0, -3600, 0, 5, 0, -5, 0]).flat()
  : [3600, 0, -3600, 0]

const library = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1',
].find((file) => existsSync(file))
const reason = library === undefined ? 'libfaketime is not installed (apt install faketime)' : false
if (reason && process.env['CI'] === 'true') throw new Error(`${reason}, and CI=true`)

async function stepOften(place: Place): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'keystile-clock-'))
  const control = join(folder, 'clock')
  function setAhead(seconds: number): void {
    // libfaketime ends the process if it finds an empty file.
    writeFileSync(`${control}.new`, `${seconds < 0 ? '' : '+'}${seconds}`)
    renameSync(`${control}.new`, control)
  }
  setAhead(0)
  const random = createRandom(seed)
  const admin = await makeAdministrator(place)
  const env = {
    LD_PRELOAD: library ?? '',
    FAKETIME_TIMESTAMP_FILE: control,
    FAKETIME_NO_CACHE: '1',
    // With a false monotonic clock, a step back would stop all timers of Node.
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    // The tokens expire while the clock is an hour ahead, and are valid again afterwards.
    KEYSTILE_ACCESS_TOKEN_SECONDS: '1800',
  }
  const fleet = await startFleet(place.database, random, [env])
  const { ask, settle } = fleet
  const load = createLoad({ ask, random, admin, settle, clockSteps: true })
  let isOver = false
  try {
    const work = load.run(clients, () => isOver)
    const changes = (async () => {
      await load.untilWritten(writesAtStep)
      for (const ahead of steps) {
        setAhead(ahead)
        await load.presentEnded(5)
        await load.untilWritten(writesAtStep)
        await load.presentEnded(5)
      }
      isOver = true
    })()
    await Promise.race([Promise.all([changes, work]), work.then(() => changes)])
    await load.presentEnded(isLong ? 100 : 5)
    await load.compare(place.ask)
    await leaseIsRenewed(place)
    const { writes, lost, unavailable } = load.counts
    console.log(
      `${steps.length} steps: ${writes} writes, ${lost} answers lost, ${unavailable} times 503`,
    )
    assert.equal(lost, 0)
    assert.doesNotMatch(fleet.servers[0]?.stderr() ?? '', /"msg":"failed"/)
  } finally {
    load.abandon()
    await fleet.stop()
    await place.close()
    rmSync(folder, { recursive: true })
  }
}

/** Waits until the lease of background jobs lasts for at most its normal time again. */
async function leaseIsRenewed({ ask }: Place): Promise<void> {
  for (;;) {
    const [row] = await ask("select expires_at from lease where name = 'jobs'")
    const left = Number(row?.['expires_at']) - Date.now()
    if (left > 0 && left <= 10_000) return
    await wait(100)
  }
}

describe('a server whose clock jumps', { skip: reason, timeout: 3_600_000 }, () => {
  it(`on SQLite, no revoked token is accepted after the clock jumps (KEYSTILE_SEED=${seed})`, () =>
    stepOften(openFile()))

  const skip = isLong ? false : 'KEYSTILE_LONG=1 runs it'
  it(
    `on PostgreSQL, no revoked token is accepted after the clock jumps (KEYSTILE_SEED=${seed})`,
    { skip },
    async () => stepOften(await openPostgres()),
  )
})
