// Clients that use a server as many people would, while the test breaks something. Each client
// remembers what the server has confirmed, and checks each later answer against it. If an answer is
// lost, the client asks again until it knows the outcome.
import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import { tokensOf, type Answer, type Tokens } from '../../packages/server/test-support/keystile.ts'
import type { Random } from './random.ts'

/** A request of a client: its path below the issuer, and the options for `fetch`. */
export type Ask = (path: string, init: RequestInit) => Promise<Answer | 'lost'>

interface Session {
  /** All tokens of the session. The newest is last. */
  readonly all: Tokens[]
  /** `ending`: a request that ends the session has been sent, and its answer has not arrived. */
  state: 'alive' | 'ending' | 'ended'
}

interface Person {
  readonly id: string
  readonly username: string
  password: string
  isDisabled: boolean
  /** Whether a request that disables or enables the user has no answer yet. */
  isChanging: boolean
  readonly sessions: Session[]
}

/** What the clients have done so far. */
export interface LoadCounts {
  /** Writes that the server has confirmed, by kind. */
  readonly confirmed: Readonly<Record<string, number>>
  /** The sum of all confirmed writes. */
  readonly writes: number
  /** Answers that were lost. */
  readonly lost: number
  /** Answers with the status 503. */
  readonly unavailable: number
}

export interface Load {
  readonly counts: LoadCounts
  /** Runs the clients until `isOver` returns true and each of them has its last answer. */
  run(clients: number, isOver: () => boolean): Promise<void>
  /** Waits until the server has confirmed this number of further writes. */
  untilWritten(more: number): Promise<void>
  /**
   * Compares the rows of the database with everything that was confirmed, except for users and
   * sessions whose last request has no answer yet.
   *
   * @param ask runs a query
   */
  compare(
    ask: (sql: string) => Promise<readonly Readonly<Record<string, unknown>>[]>,
  ): Promise<void>
  /** Presents tokens of sessions that have ended, at most `most`. No server may accept one. */
  presentEnded(most: number): Promise<void>
  /** Makes all functions end with an error instead of waiting on, when the test has failed. */
  abandon(): void
}

interface LoadParts {
  readonly ask: Ask
  readonly random: Random
  /** The tokens of an administrator. */
  readonly admin: Tokens
  /**
   * Whether the server may refuse a token that is not revoked, because its clock was changed. As
   * real clients do, the clients then refresh the token and try again. Default: false.
   */
  readonly clockSteps?: boolean
  /** Waits until all servers know all revocations. Default: does nothing. */
  readonly settle?: () => Promise<void>
}

/** The actions of a client, each with its share. */
const shares = {
  refresh: 50,
  logIn: 12,
  logOut: 10,
  endOne: 8,
  endAll: 4,
  register: 6,
  changePassword: 4,
  disable: 6,
} as const
const actions = Object.entries(shares).flatMap(([name, share]) =>
  Array.from({ length: share }, () => name as keyof typeof shares),
)

/** Creates clients that have done nothing yet. */
export function createLoad({ ask, random, admin, clockSteps, settle }: LoadParts): Load {
  const administrator: Session = { all: [admin], state: 'alive' }
  const people: Person[] = []
  const confirmed: Record<string, number> = {}
  const counts = { lost: 0, unavailable: 0 }
  let names = 0
  let isAbandoned = false

  function throwIfAbandoned(): void {
    if (isAbandoned) throw new Error('the test has ended')
  }
  const countWrites = (): number => Object.values(confirmed).reduce((sum, count) => sum + count, 0)
  const nextPassword = (): string => `battery ${names++} horse staple`

  const confirm = (kind: string): void => {
    confirmed[kind] = (confirmed[kind] ?? 0) + 1
  }

  /** Asks until there is an answer other than 503. Says whether an answer was lost. */
  async function untilAnswered(
    path: string,
    init: RequestInit,
  ): Promise<{ readonly answer: Answer; readonly wasLost: boolean }> {
    for (let wasLost = false; ;) {
      throwIfAbandoned()
      const answer = await ask(path, init)
      if (answer === 'lost') {
        counts.lost++
        wasLost = true
      } else if (answer.status === 503) {
        counts.unavailable++
        // The outcome of a write that got 503 may be unknown too.
        wasLost = true
        await wait(20)
      } else {
        assert.ok(answer.status < 500, answer.text)
        return { answer, wasLost }
      }
    }
  }

  const form = (fields: Record<string, string>): RequestInit => ({
    method: 'POST',
    body: new URLSearchParams(fields),
  })
  const withToken = (method: string, token: string, json?: unknown): RequestInit => ({
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(json !== undefined && { 'content-type': 'application/json' }),
    },
    ...(json !== undefined && { body: JSON.stringify(json) }),
  })
  /** Sends a request with the access token of a session. */
  async function askWith(
    session: Session,
    method: string,
    [path, json]: readonly [path: string, json?: unknown],
  ): ReturnType<typeof untilAnswered> {
    for (;;) {
      const asked = await untilAnswered(path, withToken(method, newest(session).accessToken, json))
      if (!clockSteps || asked.wasLost || asked.answer.status !== 401) return asked
      await renew(session)
    }
  }

  const newest = ({ all }: Session): Tokens => {
    const tokens = all.at(-1)
    assert.ok(tokens)
    return tokens
  }
  const alive = ({ sessions }: Person): Session[] =>
    sessions.filter(({ state }) => state === 'alive')

  async function register(): Promise<Person> {
    for (;;) {
      const username = `person-${names++}`
      const [email, password] = [`${username}@example.com`, nextPassword()]
      const body = JSON.stringify({ username, email, password })
      const headers = { 'content-type': 'application/json' }
      const { answer, wasLost } = await untilAnswered('/users', { method: 'POST', headers, body })
      if (answer.status === 409 && wasLost) continue // the lost answer was a success
      assert.equal(answer.status, 201, answer.text)
      confirm('register')
      const id = String(answer.json['id'])
      const person = { id, username, password, isDisabled: false, isChanging: false, sessions: [] }
      people.push(person)
      return person
    }
  }

  const tryPassword = async ({ username }: Person, password: string): Promise<Answer> =>
    (await untilAnswered('/token', form({ username, password }))).answer

  function keep(person: Person, answer: Answer): Session {
    assert.equal(answer.status, 200, answer.text)
    confirm('login')
    const session: Session = { all: [tokensOf(answer.json)], state: 'alive' }
    person.sessions.push(session)
    return session
  }

  const logIn = async (person: Person): Promise<Session> =>
    keep(person, await tryPassword(person, person.password))

  const sessionOf = async (person: Person): Promise<Session> => {
    const sessions = alive(person)
    return sessions[random(sessions.length || 1)] ?? logIn(person)
  }

  const refresh = async (person: Person): Promise<void> => renew(await sessionOf(person))

  async function renew(session: Session): Promise<void> {
    const fields = { grant_type: 'refresh_token', refresh_token: newest(session).refreshToken }
    const { answer } = await untilAnswered('/token', form(fields))
    assert.equal(answer.status, 200, `a confirmed session is lost: ${answer.text}`)
    session.all.push(tokensOf(answer.json))
    confirm('refresh')
  }

  /** Runs a request that ends sessions. If its answer was lost, it may answer 401 the next time. */
  async function end(
    sessions: readonly Session[],
    kind: string,
    send: () => ReturnType<typeof untilAnswered>,
  ): Promise<void> {
    for (const session of sessions) session.state = 'ending'
    const { answer, wasLost } = await send()
    const isDone = answer.status === 200 || answer.status === 204
    assert.ok(isDone || (wasLost && [401, 404].includes(answer.status)), answer.text)
    for (const session of sessions) session.state = 'ended'
    confirm(kind)
  }

  async function logOut(person: Person): Promise<void> {
    const session = await sessionOf(person)
    const { refreshToken: token } = newest(session)
    await end([session], 'logout', () => untilAnswered('/revoke', form({ token })))
  }

  async function endOne(person: Person): Promise<void> {
    const session = await sessionOf(person)
    const path = `/users/me/sessions/${newest(session).sessionId}`
    await end([session], 'end one', () => askWith(session, 'DELETE', [path]))
  }

  async function endAll(person: Person): Promise<void> {
    const session = await sessionOf(person)
    const send = (): ReturnType<typeof askWith> =>
      askWith(session, 'DELETE', ['/users/me/sessions'])
    await end(alive(person), 'end all', send)
  }

  async function changePassword(person: Person): Promise<void> {
    const session = await sessionOf(person)
    const current = person.password
    const next = nextPassword()
    const json = { current_password: current, new_password: next }
    const others = alive(person).filter((each) => each !== session)
    for (const each of others) each.state = 'ending'
    const { answer, wasLost } = await askWith(session, 'POST', ['/users/me/password', json])
    // If a lost answer was a success, the old password is wrong the next time.
    assert.ok(answer.status === 204 || (wasLost && answer.status === 403), answer.text)
    person.password = next
    for (const each of others) each.state = 'ended'
    confirm('change password')
    assert.equal((await tryPassword(person, current)).status, 400, 'an old password is accepted')
    await logIn(person)
  }

  async function setDisabled(person: Person, disabled: boolean): Promise<void> {
    const sessions = alive(person)
    person.isChanging = true
    for (const each of sessions) each.state = 'ending'
    const path = `/users/${person.id}`
    const { answer } = await askWith(administrator, 'PATCH', [path, { disabled }])
    assert.equal(answer.status, 200, answer.text)
    for (const each of sessions) each.state = 'ended'
    person.isDisabled = disabled
    person.isChanging = false
    confirm(disabled ? 'disable' : 'enable')
  }

  async function disable(person: Person): Promise<void> {
    await setDisabled(person, true)
    const { status, text } = await tryPassword(person, person.password)
    assert.equal(status, 400, `a disabled user has logged in: ${text}`)
    await setDisabled(person, false)
  }

  const doAction = { refresh, logIn, logOut, endOne, endAll, changePassword, disable }

  /** One client: a person who registers, and whose sessions begin and end. */
  async function live(isOver: () => boolean): Promise<void> {
    let person = await register()
    while (!isOver()) {
      const action = actions[random(actions.length)] ?? 'refresh'
      if (action === 'register') person = await register()
      else await doAction[action](person)
    }
  }

  return {
    get counts() {
      return { confirmed, writes: countWrites(), ...counts }
    },
    run: async (clients, isOver) =>
      void (await Promise.all(Array.from({ length: clients }, () => live(isOver)))),
    async untilWritten(more) {
      const until = countWrites() + more
      for (; countWrites() < until; await wait(10)) throwIfAbandoned()
    },
    abandon() {
      isAbandoned = true
    },
    async compare(sql) {
      const ended = new Map(
        (await sql('select id, ended_at from session')).map((row) => [row['id'], row['ended_at']]),
      )
      const disabledAt = new Map(
        (await sql('select id, disabled_at from "user"')).map((row) => [row['id'], row]),
      )
      for (const { id, username, isDisabled, isChanging, sessions } of people) {
        const row = disabledAt.get(id)
        assert.ok(row, `the user ${username} is lost`)
        if (!isChanging) assert.equal(row['disabled_at'] !== null, isDisabled, username)
        for (const session of sessions) {
          if (session.state === 'ending') continue
          const endedAt = ended.get(newest(session).sessionId)
          assert.notEqual(endedAt, undefined, `a session of ${username} is lost`)
          assert.equal(endedAt !== null, session.state === 'ended', `a session of ${username}`)
        }
      }
    },
    async presentEnded(most) {
      const ended = people.flatMap(({ sessions }) =>
        sessions.filter(({ state }) => state === 'ended'),
      )
      await settle?.()
      for (let left = Math.min(most, ended.length); left > 0; left--) {
        const session = ended[random(ended.length)]
        const tokens = session?.all[random(session.all.length)]
        assert.ok(tokens)
        const me = await untilAnswered('/users/me', withToken('GET', tokens.accessToken))
        assert.equal(me.answer.status, 401, 'a revoked token is accepted')
        const fields = { grant_type: 'refresh_token', refresh_token: tokens.refreshToken }
        assert.equal((await untilAnswered('/token', form(fields))).answer.status, 400)
      }
    },
  }
}
