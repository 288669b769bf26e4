// A server, or PostgreSQL under it, is killed (SIGKILL) again and again while clients work. What a
// client got confirmed must be there after the restart, and what it has ended must stay ended.
// In kill.test.ts, clients repeat lost requests within and after the grace period.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import {
  freePort,
  startServer,
  type RunningServer,
} from '../../packages/server/test-support/command.ts'
import { issuer, key, readAnswer } from '../../packages/server/test-support/keystile.ts'
import { howToGetPostgres } from '../../packages/server/test-support/postgres.ts'
import { until } from '../../tools/until.ts'
import { createLoad, type Ask, type Load } from './load.ts'
import { makeAdministrator, openFile, openPostgres, type Place } from './places.ts'
import { createRandom, type Random } from './random.ts'

const seed = Number(process.env['KEYSTILE_SEED'] ?? randomInt(2 ** 31))
const isLong = Boolean(process.env['KEYSTILE_LONG'])
const clients = isLong ? 12 : 5
/** KEYSTILE_ROUNDS is for a shorter long run while you work on this test. */
const rounds = (long: number, short: number): number =>
  Number(process.env['KEYSTILE_ROUNDS'] ?? (isLong ? long : short))
const minWrites = isLong && process.env['KEYSTILE_ROUNDS'] === undefined ? 5_000 : 20

const lost = 'lost' as const

/** A server that can crash. While it is down, its clients wait. */
interface CrashingServer {
  readonly ask: Ask
  /** How long each start took until `/readyz` answered 200. */
  readonly readyMilliseconds: readonly number[]
  /** Kills the server and starts it again. Calls `check` before it answers clients. */
  crash(check: () => Promise<void>): Promise<void>
  /** Runs `crash`, which kills the database and starts it again. The server goes on by itself. */
  duringCrash(crash: () => Promise<void>, check: () => Promise<void>): Promise<void>
  stop(): Promise<void>
}

async function startCrashing(database: string): Promise<CrashingServer> {
  const port = await freePort()
  const readyMilliseconds: number[] = []
  let server: RunningServer
  const inFlight = new Set<Promise<unknown>>()

  async function start(): Promise<void> {
    const env = {
      KEYSTILE_ISSUER: issuer,
      KEYSTILE_KEY: key,
      KEYSTILE_DATABASE: database,
      KEYSTILE_RATE_LIMITS: 'off',
      KEYSTILE_GRACE_SECONDS: '60',
      KEYSTILE_ACCESS_TOKEN_SECONDS: '3600',
    }
    const startedAt = performance.now()
    server = await startServer({ cwd: import.meta.dirname, env, port })
    await untilReady()
    readyMilliseconds.push(performance.now() - startedAt)
  }

  async function untilReady(): Promise<void> {
    await until(async () => (await fetch(`${server.url}/readyz`)).status === 200)
  }

  /** While it is pending, clients send nothing. */
  let isUp = start()
  await isUp
  return {
    readyMilliseconds,
    async ask(path, init) {
      await isUp
      const answer = fetch(`${server.url}/auth${path}`, init).then(readAnswer, () => lost)
      inFlight.add(answer)
      try {
        return await answer
      } catch {
        return lost // the server was killed while it sent the answer
      } finally {
        inFlight.delete(answer)
      }
    },
    crash: (check) =>
      (isUp = (async () => {
        await server.stop('SIGKILL')
        await start()
        await check()
      })()),
    duringCrash: (crash, check) =>
      (isUp = (async () => {
        await crash()
        await Promise.allSettled(inFlight)
        await untilReady()
        await check()
      })()),
    async stop() {
      await isUp.catch(() => {})
      await server.stop('SIGKILL')
    },
  }
}

/** Runs clients, and kills the server or the database in each of the rounds. */
async function crashOften(place: Place, rounds: number, random: Random): Promise<void> {
  const admin = await makeAdministrator(place)
  const server = await startCrashing(place.database)
  const load = createLoad({ ask: server.ask, random, admin })
  const check = (): Promise<void> => load.compare(place.ask)
  let [isOver, databaseCrashes] = [false, 0]
  try {
    const work = load.run(clients, () => isOver)
    const crashes = (async () => {
      for (let round = 0; round < rounds; round++) {
        await load.untilWritten(Math.ceil(minWrites / rounds))
        await wait(random(20))
        if (place.crash && round % 3 === 2) {
          databaseCrashes++
          await server.duringCrash(place.crash, check)
        } else await server.crash(check)
        await load.presentEnded(2)
      }
      isOver = true
    })()
    await Promise.race([Promise.all([crashes, work]), work.then(() => crashes)])
    await load.presentEnded(isLong ? 200 : 10)
    await check()
    report(load, { readyMilliseconds: server.readyMilliseconds, databaseCrashes, rounds })
    assert.ok(load.counts.writes >= minWrites)
  } finally {
    load.abandon()
    await server.stop()
    await place.close()
  }
}

function report(
  { counts }: Load,
  told: {
    readonly readyMilliseconds: readonly number[]
    readonly databaseCrashes: number
    readonly rounds: number
  },
): void {
  const sorted = told.readyMilliseconds.map(Math.round).toSorted((a, b) => a - b)
  const [median, most] = [sorted[sorted.length >> 1], sorted.at(-1)]
  const { writes, lost, unavailable, confirmed } = counts
  console.log(
    `${told.rounds} kills, ${told.databaseCrashes} of them of the database; ` +
      `${writes} confirmed writes ${JSON.stringify(confirmed)}; ${lost} answers lost, ` +
      `${unavailable} times 503; ready after ${median} ms (median), ${most} ms (most)`,
  )
}

// In short, `kill.test.ts` kills servers.
const skip = isLong ? false : 'KEYSTILE_LONG=1 runs it'

describe('a server that crashes while clients work', { skip, timeout: 3_600_000 }, () => {
  it(`on SQLite, a crash loses no confirmed change or logout (KEYSTILE_SEED=${seed})`, async () => {
    const place = openFile()
    await crashOften(place, rounds(100, 2), createRandom(seed))
  })

  const skip =
    process.env['CI'] || process.env['KEYSTILE_TEST_DATABASE_URL']
      ? false
      : `no PostgreSQL: ${howToGetPostgres}`
  it(
    `on PostgreSQL, a crash loses no confirmed change or logout (KEYSTILE_SEED=${seed})`,
    { skip },
    async () => {
      const place = await openPostgres()
      await crashOften(place, rounds(50, 1), createRandom(seed + 1))
    },
  )
})
