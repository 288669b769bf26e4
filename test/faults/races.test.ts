// Two processes on one database use one refresh token at the same time, and end its session
// meanwhile. The tests compare the answers with the tokens in the database that can still be used.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { it } from 'node:test'
import {
  createTestClock,
  describeOnBoth,
  tokensOf,
  type Stage,
  type TestClock,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { until } from '../../tools/until.ts'
import {
  startProcess,
  type AskedRequest,
  type KeystileProcess,
  type ToldAnswer,
} from './process.ts'
import { createRandom } from './random.ts'

const seed = Number(process.env['KEYSTILE_SEED'] ?? randomInt(2 ** 31))
const rounds = process.env['KEYSTILE_LONG'] ? 500 : 2
/** How many times each process sends one token at the same time. */
const tries = 20
const day = 24 * 60 * 60
const run = `${rounds} times, KEYSTILE_SEED=${seed}`

const refreshOf = (token: string): AskedRequest => [
  'POST',
  '/token',
  { form: { grant_type: 'refresh_token', refresh_token: token } },
]
const opening = (bearer: string): AskedRequest => ['GET', '/users/me', { bearer }]
const idOf = (refreshToken: string): string => refreshToken.split('.')[0]!
/** Returns the refresh token of a successful answer. */
const next = ({ status, json }: ToldAnswer): string => {
  assert.equal(status, 200, JSON.stringify(json))
  return json['refresh_token'] as string
}

interface Race {
  readonly one: KeystileProcess
  readonly other: KeystileProcess
  /** Keystile in this process, which starts the sessions. */
  readonly here: TestKeystile
  readonly clock: TestClock
  /** The subject of an account. */
  readonly subject: string
}

/** Starts the two processes and stops them at the end, also after a failure. */
async function race(stage: Stage, run: (race: Race) => Promise<void>): Promise<void> {
  const clock = createTestClock()
  const here = await stage.start({ clock })
  const subject = await here.addUser()
  const processes: KeystileProcess[] = []
  try {
    processes.push(await startProcess(stage.database), await startProcess(stage.database))
    const [one, other] = processes as [KeystileProcess, KeystileProcess]
    await run({ one, other, here, clock, subject })
  } finally {
    await Promise.all(processes.map((process) => process.stop()))
  }
}

/** Returns the successors that both processes issue when each gets a token 20 times. */
async function showAtOnce({ one, other }: Race, token: string): Promise<ReadonlySet<string>> {
  const answers = await Promise.all([show(one, token), show(other, token)])
  return new Set(answers.flat().map(next))
}

/**
 * Shows a token many times at once. On a busy machine, some requests wait too long for their turn
 * and get 503: as clients do, they are sent again.
 */
async function show(process: KeystileProcess, token: string): Promise<readonly ToldAnswer[]> {
  const answers: ToldAnswer[] = []
  await until(async () => {
    const requests = Array.from({ length: tries - answers.length }, () => refreshOf(token))
    answers.push(...(await process.ask(requests)).filter(({ status }) => status !== 503))
    return answers.length === tries
  })
  return answers
}

/** Returns the ids of a session's refresh tokens that can still be used. */
async function listLiving(stage: Stage, sessionId: string): Promise<readonly unknown[]> {
  const rows = await stage.sql(
    `select t.id from refresh_token t join session s on s.id = t.session_id
      where s.id = '${sessionId}' and s.ended_at is null and t.used_at is null`,
  )
  return rows.map(({ id }) => id)
}

async function count(stage: Stage, from: string): Promise<number> {
  return Number((await stage.sql(`select count(*) as number from ${from}`))[0]!['number'])
}

describeOnBoth('two processes on one database', (stage) => {
  it(`${2 * tries} parallel refreshes in two processes get the same new token (${rounds}×)`, () =>
    race(stage, async (race) => {
      const created = await race.here.keystile.sessions.create({ subject: race.subject })
      const { sessionId } = tokensOf({ access_token: created.accessToken })
      let { refreshToken } = created
      for (let round = 1; round <= rounds; round++) {
        const successors = await showAtOnce(race, refreshToken)
        assert.equal(successors.size, 1)
        ;[refreshToken] = successors as unknown as [string]
        assert.deepEqual(await listLiving(stage, sessionId), [idOf(refreshToken)])
        assert.equal(await count(stage, 'refresh_token'), round + 1)
      }
    }))

  it(`a day after a refresh, ${2 * tries} retries get the token of that refresh (${rounds}×)`, () =>
    race(stage, async (race) => {
      const { one, other, here, subject } = race
      for (let round = 1; round <= rounds; round++) {
        const created = await here.keystile.sessions.create({ subject })
        const { sessionId } = tokensOf({ access_token: created.accessToken })
        const [first] = await one.ask([refreshOf(created.refreshToken)])
        const successor = next(first!)
        await Promise.all([one, other].map((process) => process.advance(day)))
        race.clock.advance(day)
        assert.deepEqual(await showAtOnce(race, created.refreshToken), new Set([successor]))
        assert.deepEqual(await listLiving(stage, sessionId), [idOf(successor)])
        // Counts only tokens of this session: tokens of older sessions are deleted after a while.
        assert.equal(await count(stage, `refresh_token where session_id = '${sessionId}'`), 2)
      }
    }))

  it(`no token stays valid if it is revoked while two processes refresh it (${run})`, (t) =>
    race(stage, async ({ one, other, here, subject }) => {
      const random = createRandom(seed)
      const statuses: Record<number, number> = {}
      let mixed = 0
      for (let round = 1; round <= rounds; round++) {
        const created = await here.keystile.sessions.create({ subject })
        const { sessionId } = tokensOf({ access_token: created.accessToken })
        const requests = Array.from({ length: tries }, () => refreshOf(created.refreshToken))
        const revocation: AskedRequest = [
          'POST',
          '/revoke',
          { form: { token: created.refreshToken } },
        ]
        const place = random(tries + 1)
        const [ofOne, ofOther] = await Promise.all([
          one.ask(requests.toSpliced(place, 0, revocation)),
          other.ask(requests),
        ])
        assert.equal(ofOne[place]!.status, 200)
        const answers = [...ofOne.toSpliced(place, 1), ...ofOther]
        const granted = answers.filter(({ status }) => status === 200)
        for (const { status, json } of answers) {
          // On a busy machine, a request may wait too long for its turn.
          assert.ok(
            status === 200 || status === 503 || json['error'] === 'invalid_grant',
            JSON.stringify(json),
          )
          statuses[status] = (statuses[status] ?? 0) + 1
        }
        if (granted.length > 0 && granted.length < answers.length) mixed++
        const refreshTokens = new Set(granted.map(next))
        assert.ok(refreshTokens.size <= 1)

        assert.deepEqual(await listLiving(stage, sessionId), [])
        assert.equal(await count(stage, `event where value = '${sessionId}'`), 1)
        const opened = [
          created.accessToken,
          ...granted.map(({ json }) => json['access_token'] as string),
        ].map(opening)
        for (const { status } of await one.ask(opened)) assert.equal(status, 401)
        // The other process learns of the revocation within a second, unless the machine is busy.
        await until(async () => (await other.ask(opened)).every(({ status }) => status === 401))
        const shown = [created.refreshToken, ...refreshTokens].map(refreshOf)
        for (const process of [one, other])
          for (const { status } of await process.ask(shown)) assert.equal(status, 400)
      }
      t.diagnostic(
        `${JSON.stringify(statuses)}; ` +
          `in ${mixed} of ${rounds} rounds some were granted and some refused`,
      )
    }))
})
