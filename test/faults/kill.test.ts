// A server is killed (SIGKILL) at random moments while clients refresh, log out and log in. A
// client whose answer was lost repeats its request, within the grace period or after it.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { startServer, type RunningServer } from '../../packages/server/test-support/command.ts'
import {
  describeOnBoth,
  issuer,
  key,
  password,
  readAnswer,
  tokensOf,
  type Answer,
} from '../../packages/server/test-support/keystile.ts'
import type { Stage, Tokens } from '../../packages/server/test-support/keystile.ts'
import { createRandom, type Random } from './random.ts'

const seed = Number(process.env['KEYSTILE_SEED'] ?? randomInt(2 ** 31))
const isLong = Boolean(process.env['KEYSTILE_LONG'])
/** How many refreshes must be answered before the test ends. */
const goal = isLong ? 2_000 : 40
/** How many clients, each with a session, wait for an answer when the server is killed. */
const clients = 16
/** The largest number of answers before a kill. */
const maxAnswers = 60
/** The longest delay between the last of these answers and the kill. */
const maxMilliseconds = 5
/**
 * Two grace periods in seconds. Each new server uses the other one. A repeated request comes within
 * 60 s, but later than 1 s.
 */
const graces = [60, 1]
const run = `${goal} refreshes, KEYSTILE_SEED=${seed}`

/** A session as its client knows it. */
interface Held {
  /** All tokens of the session. The newest is last. */
  readonly all: Tokens[]
  state: 'alive' | 'ending' | 'ended'
  /**
   * Whether a late retry may have been forgiven. That happens only once in 24 hours, so the client
   * then logs out.
   */
  wasLate: boolean
}

interface Server {
  readonly running: RunningServer
  readonly grace: number
}

interface Told {
  kills: number
  /** Refreshes that were answered. */
  refreshes: number
  /** Answers that were lost. */
  lost: number
  /** Refreshes that are in the database after a kill, but unknown to their client. */
  committed: number
}

/** The users. Each user has a few dozen sessions: beyond a hundred, the oldest would be evicted. */
const people = Array.from({ length: 8 }, (_, n) => `user-${n}`)

/** Runs clients of a server that is killed again and again. */
async function live(stage: Stage, random: Random): Promise<Told> {
  const told: Told = { kills: 0, refreshes: 0, lost: 0, committed: 0 }
  const sessions: Held[] = []
  let answersLeft = Infinity
  let isOver = false
  let running: RunningServer | undefined
  let server = start()

  async function start(): Promise<Server> {
    const grace = graces[told.kills % graces.length]!
    const env = {
      KEYSTILE_RATE_LIMITS: 'off',
      KEYSTILE_ISSUER: issuer,
      KEYSTILE_KEY: key,
      KEYSTILE_DATABASE: stage.database,
      KEYSTILE_GRACE_SECONDS: String(grace),
      KEYSTILE_ACCESS_TOKEN_SECONDS: '3600',
    }
    running = await startServer({ cwd: import.meta.dirname, env })
    told.committed += await compare(stage, sessions)
    answersLeft = told.refreshes < goal ? 1 + random(maxAnswers) : Infinity
    return { running, grace }
  }

  async function kill({ running }: Server): Promise<Server> {
    await wait(random(maxMilliseconds + 1))
    await running.stop('SIGKILL')
    told.kills++
    return start()
  }

  /** @returns the answer, or the killed server when the answer was lost */
  async function askOnce(path: string, init: RequestInit): Promise<Answer | Server> {
    const asked = await server
    let answer: Answer
    try {
      answer = await readAnswer(await fetch(`${asked.running.url}/auth${path}`, init))
    } catch (error) {
      if (asked === (await server)) throw error
      told.lost++
      return asked
    }
    // On a busy machine, the server refuses a login that it cannot begin within 2 s.
    if (answer.status === 503) return askOnce(path, init)
    assert.ok(answer.status < 500, answer.text)
    if (--answersLeft === 0 && !isOver) server = kill(asked)
    return answer
  }
  const post = (path: string, form: Record<string, string>): Promise<Answer | Server> =>
    askOnce(path, { method: 'POST', body: new URLSearchParams(form) })

  async function logIn(): Promise<Held> {
    const username = people[sessions.length % people.length]!
    const answer = await untilAnswered(() => post('/token', { username, password }))
    const session: Held = { all: [takenFrom(answer)], state: 'alive', wasLate: false }
    sessions.push(session)
    return session
  }

  /** Presents the newest token of a session. */
  const show = (session: Held, refresh_token = session.all.at(-1)!.refreshToken): Promise<Answer> =>
    untilAnswered(
      () => post('/token', { grant_type: 'refresh_token', refresh_token }),
      ({ grace }) => (session.wasLate ||= grace === Math.min(...graces)),
    )

  async function refresh(session: Held): Promise<void> {
    session.all.push(takenFrom(await show(session)))
    told.refreshes++
  }

  async function logOut(session: Held): Promise<void> {
    session.state = 'ending'
    while (session.state === 'ending') {
      const revoked = await post('/revoke', { token: session.all.at(-1)!.refreshToken })
      if ('status' in revoked) {
        assert.equal(revoked.status, 200)
        session.state = 'ended'
      } else if (random(2) === 0) {
        // The client does not know whether the session has ended. The next answer shows it.
        const shown = await show(session)
        if (shown.status === 200) session.all.push(takenFrom(shown))
        else session.state = 'ended'
      }
    }
  }

  async function client(): Promise<void> {
    while (told.refreshes < goal) {
      const session = await logIn()
      while (told.refreshes < goal && !session.wasLate && random(8) > 0) await refresh(session)
      if (session.wasLate || random(2) === 0) await logOut(session)
    }
  }

  try {
    await Promise.all(Array.from({ length: clients }, client))
    server = kill(await server)
    for (const session of sessions)
      await (session.state === 'alive' ? refresh(session) : assertOver(session))
    return told
  } finally {
    // From here on, no server is killed. Clients may still send requests after a failed comparison.
    isOver = true
    await server.catch(() => {})
    await running?.stop('SIGKILL')
  }

  async function assertOver(session: Held): Promise<void> {
    for (const { refreshToken, accessToken } of session.all) {
      assert.equal((await show(session, refreshToken)).status, 400)
      const headers = { authorization: `Bearer ${accessToken}` }
      const me = await untilAnswered(() => askOnce('/users/me', { headers }))
      assert.deepEqual([me.status, me.json['detail']], [401, 'Token has been revoked'])
    }
  }
}

/** @param onLoss is called with each server that was killed before it answered */
async function untilAnswered(
  ask: () => Promise<Answer | Server>,
  onLoss: (killed: Server) => void = () => {},
): Promise<Answer> {
  for (;;) {
    const answer = await ask()
    if ('status' in answer) return answer
    onLoss(answer)
  }
}

/** Returns the tokens of a successful answer. */
function takenFrom({ status, json, text }: Answer): Tokens {
  assert.equal(status, 200, text)
  return tokensOf(json)
}

/**
 * Compares the sessions of the clients with the database, while no request is pending. A session
 * that a client has ended must be ended in the database. A live session must have exactly one
 * usable token: the newest token of its client, or the successor of this token.
 *
 * @returns how many sessions have a successor that their client has not received
 */
async function compare(stage: Stage, sessions: readonly Held[]): Promise<number> {
  const rows = await stage.sql(
    `select t.id, t.session_id, t.successor_id, t.used_at, s.ended_at
      from refresh_token t join session s on s.id = t.session_id`,
  )
  const bySession = Map.groupBy(rows, (row) => row['session_id'])
  let notReceived = 0
  for (const { all, state } of sessions) {
    const { sessionId, refreshToken } = all.at(-1)!
    const tokens = bySession.get(sessionId)!
    const isEnded = tokens.every((row) => row['ended_at'] !== null)
    if (state !== 'ending') assert.equal(isEnded, state === 'ended')
    if (isEnded) continue
    const current = tokens.find((row) => row['id'] === refreshToken.split('.')[0])!
    const living = tokens.filter((row) => row['used_at'] === null)
    assert.deepEqual(
      living.map((row) => row['id']),
      [current['successor_id'] ?? current['id']],
    )
    if (living[0] !== current) notReceived++
  }
  return notReceived
}

describeOnBoth('a server that is killed', (stage) => {
  it(`a killed server loses no confirmed refresh and no confirmed logout (${run})`, async (t) => {
    const first = await stage.start()
    for (const username of people)
      await first.addUser({ username, email: `${username}@example.com` })
    // No other process keeps the file open while the server is down.
    await first.keystile.close()
    const { kills, lost, committed, refreshes } = await live(stage, createRandom(seed))
    t.diagnostic(
      `${refreshes} refreshes, ${kills} kills, ${lost} answers lost, ` +
        `${committed} of them refreshes on disk`,
    )
    if (isLong) assert.ok(committed > 0 && committed < lost)
  })
})
