// Two servers on one database, one of which is killed or paused while clients work with both. On
// SQLite, both open the same file.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { runCommand } from '../../packages/server/test-support/command.ts'
import { issuer, key, type Answer } from '../../packages/server/test-support/keystile.ts'
import { startFleet, type Fleet } from './fleet.ts'
import { createLoad, type Load } from './load.ts'
import { makeAdministrator, openFile, openPostgres, type Place } from './places.ts'
import { createRandom } from './random.ts'

const seed = Number(process.env['KEYSTILE_SEED'] ?? randomInt(2 ** 31))
const isLong = Boolean(process.env['KEYSTILE_LONG'])
const long = { skip: isLong ? false : 'KEYSTILE_LONG=1 runs it' }
const rounds = Number(process.env['KEYSTILE_ROUNDS'] ?? (isLong ? 20 : 1))
const writesInRound = isLong ? 100 : 8
/** Longer than 4 s: within this time, a server may still use what it knew before the pause. */
const pausedMilliseconds = 10_000
const clients = isLong ? 8 : 4

interface Running {
  readonly place: Place
  readonly fleet: Fleet
  readonly load: Load
}

/** Runs clients on two servers, and calls `disturb` in each round. */
async function disturbOften(
  place: Place,
  disturb: (running: Running, round: number) => Promise<void>,
): Promise<void> {
  const random = createRandom(seed)
  const admin = await makeAdministrator(place)
  const fleet = await startFleet(place.database, random, [{}, {}])
  const { ask, settle } = fleet
  const load = createLoad({ ask, random, admin, settle })
  let isOver = false
  try {
    const work = load.run(clients, () => isOver)
    const disturbances = (async () => {
      for (let round = 0; round < rounds; round++) {
        await load.untilWritten(writesInRound)
        await disturb({ place, fleet, load }, round)
        await load.presentEnded(4)
      }
      isOver = true
    })()
    await Promise.race([Promise.all([disturbances, work]), work.then(() => disturbances)])
    await load.presentEnded(isLong ? 100 : 4)
    await load.compare(place.ask)
    const { writes, lost, unavailable } = load.counts
    console.log(
      `${rounds} rounds: ${writes} writes, ${lost} answers lost, ${unavailable} times 503`,
    )
  } finally {
    load.abandon()
    await fleet.stop()
    await place.close()
  }
}

/**
 * Pauses a server (SIGSTOP), and lets the clients work with the other one. Requests that reach the
 * paused server in the meantime are answered when it continues: it must not accept tokens that were
 * revoked while it was paused.
 */
async function pause({ fleet, load }: Running, round: number): Promise<void> {
  const paused = round % 2
  const other = 1 - paused
  const username = `paused-${round}`
  const password = 'a password for a pause'
  const json = { 'content-type': 'application/json' }
  const body = JSON.stringify({ username, email: `${username}@example.com`, password })
  await untilDone(() => fleet.askOne(other, '/users', { method: 'POST', headers: json, body }))
  const form = { method: 'POST', body: new URLSearchParams({ username, password }) }
  const { json: tokens } = await untilDone(() => fleet.askOne(other, '/token', form))
  const headers = { authorization: `Bearer ${tokens['access_token']}` }
  await untilDone(() => fleet.askOne(paused, '/users/me', { headers })) // the user is in its memory

  const admit = fleet.avoid(paused)
  fleet.servers[paused]?.child.kill('SIGSTOP')
  const endAll = { method: 'DELETE', headers }
  const ended = untilDone(() => fleet.askOne(other, '/users/me/sessions', endAll))
  await wait(pausedMilliseconds / 2)
  const late = Array.from({ length: 5 }, () => fleet.askOne(paused, '/users/me', { headers }))
  await wait(pausedMilliseconds / 2)
  // If the server was paused within a transaction on SQLite, the other one cannot write either.
  const wasEnded = await Promise.race([ended.then(() => true), wait(100, false)])
  fleet.servers[paused]?.child.kill('SIGCONT')
  const answers = await Promise.all(late)
  await ended
  if (wasEnded)
    for (const { status } of answers) assert.ok(status === 401 || status === 503, String(status))
  admit()
  await load.untilWritten(5)
}

/** Asks until the status is not 503. */
async function untilDone(ask: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    const answer = await ask()
    if (answer.status === 401) return answer // the answer to the first request was lost
    if (answer.status !== 503) {
      assert.ok(answer.status < 300, answer.text)
      return answer
    }
    await wait(20)
  }
}

describe('two servers on one SQLite file', { timeout: 3_600_000 }, () => {
  it(`two servers share a SQLite file, even if one server is killed (KEYSTILE_SEED=${seed})`, () =>
    disturbOften(openFile(), async ({ place, fleet, load }, round) => {
      await fleet.replace(round % 2)
      const env = { KEYSTILE_ISSUER: issuer, KEYSTILE_KEY: key, KEYSTILE_DATABASE: place.database }
      const { code, stdout, stderr } = await runCommand(['user', 'list'], {
        cwd: import.meta.dirname,
        env,
      })
      assert.deepEqual([code, stderr], [0, ''])
      assert.match(stdout, /person-0/)
      await load.untilWritten(5)
    }))

  it(`a resumed server on SQLite accepts no revoked token (KEYSTILE_SEED=${seed})`, long, () =>
    disturbOften(openFile(), pause),
  )
})

describe('two servers on PostgreSQL', { ...long, timeout: 3_600_000 }, () => {
  it(`a resumed server on PostgreSQL accepts no revoked token (KEYSTILE_SEED=${seed})`, async () =>
    disturbOften(await openPostgres(), pause))
})
