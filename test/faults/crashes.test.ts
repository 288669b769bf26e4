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
import {
  issuer,
  key,
  readAnswer,
  type Answer,
} from '../../packages/server/test-support/keystile.ts'
import { howToGetPostgres } from '../../packages/server/test-support/postgres.ts'
import { createLoad, type Load } from './load.ts'
import { makeAdministrator, openFile, openPostgres, type Place } from './places.ts'
import { createRandom, type Random } from './random.ts'

const seed = Number(process.env['KEYSTILE_SEED'] ?? randomInt(2 ** 31))
const isLong = Boolean(process.env['KEYSTILE_LONG'])
const clients = 12
/** The goal of the long run. KEYSTILE_ROUNDS is for a shorter run while you work on this test. */
const rounds = (long: number): number =>
  Number(process.env['KEYSTILE_ROUNDS'] ?? (isLong ? long : 2))
const minWrites = isLong && process.env['KEYSTILE_ROUNDS'] === undefined ? 5_000 : 20

interface Crashes {
  readonly place: Place
  readonly rounds: number
  readonly random: Random
}

/** Runs clients, kills the server in each round, and prints what happened. */
async function crashOften({ place, rounds, random }: Crashes): Promise<void> {
  const port = await freePort()
  const readyMilliseconds: number[] = []
  let server: RunningServer | undefined
  let load: Load | undefined
  let isUp = Promise.resolve()
  let [isOver, databaseCrashes] = [false, 0]

  /** Starts the server, compares the rows before any request, and lets the clients continue. */
  async function start(): Promise<void> {
    const env = {
      KEYSTILE_ISSUER: issuer,
      KEYSTILE_KEY: key,
      KEYSTILE_DATABASE: place.database,
      KEYSTILE_RATE_LIMITS: 'off',
      KEYSTILE_GRACE_SECONDS: '60',
      KEYSTILE_ACCESS_TOKEN_SECONDS: '3600',
    }
    const startedAt = performance.now()
    server = await startServer({ cwd: import.meta.dirname, env, port })
    while ((await fetch(`${server.url}/readyz`)).status !== 200) await wait(5)
    readyMilliseconds.push(performance.now() - startedAt)
    await load?.compare(place.ask)
  }

  /** Sends a request to the server that runs now. */
  async function ask(path: string, init: RequestInit): Promise<Answer | 'lost'> {
    await isUp
    try {
      return await readAnswer(await fetch(`http://localhost:${port}/auth${path}`, init))
    } catch {
      return 'lost'
    }
  }

  async function crash(round: number): Promise<void> {
    const ofDatabase = place.crash !== undefined && round % 3 === 2
    if (ofDatabase) databaseCrashes++
    isUp = (async () => {
      if (ofDatabase) await place.crash?.()
      await server?.stop('SIGKILL')
      await start()
    })()
    await isUp
  }

  try {
    const admin = await makeAdministrator(place)
    load = createLoad({ ask, random, admin })
    isUp = start()
    await isUp
    const work = load.run(clients, () => isOver)
    const crashes = (async () => {
      for (let round = 0; round < rounds; round++) {
        const until = ((load?.counts.writes ?? 0) + minWrites / rounds) | 0
        while ((load?.counts.writes ?? 0) < until) await wait(random(20))
        await crash(round)
        await load?.presentEnded(2)
      }
      isOver = true
    })()
    await Promise.race([Promise.all([crashes, work]), work.then(() => crashes)])
    await load.presentEnded(isLong ? 200 : 10)
    await load.compare(place.ask)
    report(load, { readyMilliseconds, databaseCrashes, rounds })
    assert.ok(load.counts.writes >= minWrites)
  } finally {
    isOver = true
    await isUp.catch(() => {})
    await server?.stop('SIGKILL')
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
    `${told.rounds} kills, ${told.databaseCrashes} of them with the database; ` +
      `${writes} confirmed writes ${JSON.stringify(confirmed)}; ${lost} answers lost, ` +
      `${unavailable} times 503; ready after ${median} ms (median), ${most} ms (most)`,
  )
}

describe('a server that crashes while clients work', { timeout: 3_600_000 }, () => {
  it(`on SQLite, a crash loses nothing and revives nothing (KEYSTILE_SEED=${seed})`, async () => {
    const place = openFile()
    await crashOften({ place, rounds: rounds(100), random: createRandom(seed) })
  })

  const skip =
    process.env['CI'] || process.env['KEYSTILE_TEST_DATABASE_URL']
      ? false
      : `no PostgreSQL: ${howToGetPostgres}`
  it(
    `on PostgreSQL, a crash loses nothing and revives nothing (KEYSTILE_SEED=${seed})`,
    { skip },
    async () => {
      const place = await openPostgres()
      await crashOften({ place, rounds: rounds(50), random: createRandom(seed + 1) })
    },
  )
})
