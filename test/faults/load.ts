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
   * @param query runs a query
   */
  compare(query: Query): Promise<void>
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

/** Sends requests until they are answered, and counts what was confirmed. */
interface Talk {
  /** Asks until there is an answer other than 503. Says whether an answer was lost. */
  ask(
    path: string,
    init: RequestInit,
  ): Promise<{ readonly answer: Answer; readonly wasLost: boolean }>
  confirm(kind: string): void
  readonly counts: LoadCounts
  abandon(): void
  throwIfAbandoned(): void
}

function createTalk(ask: Ask): Talk {
  const confirmed: Record<string, number> = {}
  const failed = { lost: 0, unavailable: 0 }
  let isAbandoned = false

  function throwIfAbandoned(): void {
    if (isAbandoned) throw new Error('the test has ended')
  }

  return {
    async ask(path, init) {
      for (let wasLost = false; ;) {
        throwIfAbandoned()
        const answer = await ask(path, init)
        if (answer !== 'lost' && answer.status !== 503) {
          assert.ok(answer.status < 500, answer.text)
          return { answer, wasLost }
        }
        failed[answer === 'lost' ? 'lost' : 'unavailable']++
        wasLost = true // a write that got 503 may have happened too
        if (answer !== 'lost') await wait(20)
      }
    },
    confirm(kind) {
      confirmed[kind] = (confirmed[kind] ?? 0) + 1
    },
    get counts() {
      const writes = Object.values(confirmed).reduce((sum, count) => sum + count, 0)
      return { confirmed, writes, ...failed }
    },
    abandon() {
      isAbandoned = true
    },
    throwIfAbandoned,
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

function newest({ all }: Session): Tokens {
  const tokens = all.at(-1)
  assert.ok(tokens)
  return tokens
}

const alive = ({ sessions }: Person): Session[] => sessions.filter(({ state }) => state === 'alive')

/** What a client does with its sessions, as long as they live. */
interface Logins {
  register(): Promise<Person>
  nextPassword(): string
  tryPassword(person: Person, password: string): Promise<Answer>
  logIn(person: Person): Promise<Session>
  /** Returns a session that is alive. Logs in if there is none. */
  sessionOf(person: Person): Promise<Session>
  refresh(session: Session): Promise<void>
  /** Sends a request with the access token of a session. */
  askWith(
    session: Session,
    method: string,
    request: readonly [path: string, json?: unknown],
  ): ReturnType<Talk['ask']>
}

function createLogins(talk: Talk, people: Person[], parts: LoadParts): Logins {
  let names = 0
  const logins: Logins = {
    nextPassword: () => `battery ${names++} horse staple`,
    async register() {
      for (;;) {
        const username = `person-${names++}`
        const [email, password] = [`${username}@example.com`, logins.nextPassword()]
        const body = JSON.stringify({ username, email, password })
        const headers = { 'content-type': 'application/json' }
        const { answer, wasLost } = await talk.ask('/users', { method: 'POST', headers, body })
        if (answer.status === 409 && wasLost) continue // the lost answer was a success
        assert.equal(answer.status, 201, answer.text)
        talk.confirm('register')
        const id = String(answer.json['id'])
        const person = {
          id,
          username,
          password,
          isDisabled: false,
          isChanging: false,
          sessions: [],
        }
        people.push(person)
        return person
      }
    },
    tryPassword: async ({ username }, password) =>
      (await talk.ask('/token', form({ username, password }))).answer,
    async logIn(person) {
      const { status, json, text } = await logins.tryPassword(person, person.password)
      assert.equal(status, 200, `a confirmed password is refused: ${text}`)
      talk.confirm('login')
      const session: Session = { all: [tokensOf(json)], state: 'alive' }
      person.sessions.push(session)
      return session
    },
    async sessionOf(person) {
      const sessions = alive(person)
      return sessions[parts.random(sessions.length || 1)] ?? logins.logIn(person)
    },
    async refresh(session) {
      const fields = { grant_type: 'refresh_token', refresh_token: newest(session).refreshToken }
      const { answer } = await talk.ask('/token', form(fields))
      assert.equal(answer.status, 200, `a confirmed session is lost: ${answer.text}`)
      session.all.push(tokensOf(answer.json))
      talk.confirm('refresh')
    },
    async askWith(session, method, [path, json]) {
      for (;;) {
        const asked = await talk.ask(path, withToken(method, newest(session).accessToken, json))
        if (!parts.clockSteps || asked.wasLost || asked.answer.status !== 401) return asked
        await logins.refresh(session)
      }
    },
  }
  return logins
}

type Action = (person: Person) => Promise<unknown>

/** Actions that end sessions. If the answer is lost, the same request may get 401 or 404. */
function createEndings(
  talk: Talk,
  { askWith, sessionOf }: Logins,
): Record<'logOut' | 'endOne' | 'endAll', Action> {
  async function end(
    sessions: readonly Session[],
    kind: string,
    send: () => ReturnType<Talk['ask']>,
  ): Promise<void> {
    for (const session of sessions) session.state = 'ending'
    const { answer, wasLost } = await send()
    const isDone = answer.status === 200 || answer.status === 204
    assert.ok(isDone || (wasLost && [401, 404].includes(answer.status)), answer.text)
    for (const session of sessions) session.state = 'ended'
    talk.confirm(kind)
  }

  return {
    async logOut(person) {
      const session = await sessionOf(person)
      const { refreshToken: token } = newest(session)
      await end([session], 'logout', () => talk.ask('/revoke', form({ token })))
    },
    async endOne(person) {
      const session = await sessionOf(person)
      const path = `/users/me/sessions/${newest(session).sessionId}`
      await end([session], 'end one', () => askWith(session, 'DELETE', [path]))
    },
    async endAll(person) {
      const session = await sessionOf(person)
      await end(alive(person), 'end all', () => askWith(session, 'DELETE', ['/users/me/sessions']))
    },
  }
}

/** Actions that change a user, which ends sessions too. */
function createChanges(
  talk: Talk,
  { askWith, logIn, nextPassword, sessionOf, tryPassword }: Logins,
  administrator: Session,
): Record<'changePassword' | 'disable', Action> {
  async function setDisabled(person: Person, disabled: boolean): Promise<void> {
    const sessions = alive(person)
    person.isChanging = true
    for (const each of sessions) each.state = 'ending'
    const { answer } = await askWith(administrator, 'PATCH', [`/users/${person.id}`, { disabled }])
    assert.equal(answer.status, 200, answer.text)
    for (const each of sessions) each.state = 'ended'
    person.isDisabled = disabled
    person.isChanging = false
    talk.confirm(disabled ? 'disable' : 'enable')
  }

  return {
    async changePassword(person) {
      const session = await sessionOf(person)
      const [current, next] = [person.password, nextPassword()]
      const json = { current_password: current, new_password: next }
      const others = alive(person).filter((each) => each !== session)
      for (const each of others) each.state = 'ending'
      const { answer, wasLost } = await askWith(session, 'POST', ['/users/me/password', json])
      // If a lost answer was a success, the old password is wrong the next time.
      assert.ok(answer.status === 204 || (wasLost && answer.status === 403), answer.text)
      person.password = next
      for (const each of others) each.state = 'ended'
      talk.confirm('change password')
      assert.equal((await tryPassword(person, current)).status, 400, 'an old password is accepted')
      await logIn(person)
    },
    async disable(person) {
      await setDisabled(person, true)
      const { status, text } = await tryPassword(person, person.password)
      assert.equal(status, 400, `a disabled user has logged in: ${text}`)
      await setDisabled(person, false)
    },
  }
}

type Query = (sql: string) => Promise<readonly Readonly<Record<string, unknown>>[]>

async function compare(people: readonly Person[], query: Query): Promise<void> {
  const byId = async (sql: string): Promise<Map<unknown, unknown>> =>
    new Map((await query(sql)).map(({ id, at }) => [id, at]))
  const endedAt = await byId('select id, ended_at as at from session')
  const disabledAt = await byId('select id, disabled_at as at from "user"')
  for (const { id, username, isDisabled, isChanging, sessions } of people) {
    const disabled = disabledAt.get(id)
    assert.notEqual(disabled, undefined, `the user ${username} is lost`)
    if (!isChanging) assert.equal(disabled !== null, isDisabled, username)
    for (const session of sessions) {
      if (session.state === 'ending') continue
      const ended = endedAt.get(newest(session).sessionId)
      assert.notEqual(ended, undefined, `a session of ${username} is lost`)
      assert.equal(ended !== null, session.state === 'ended', `a session of ${username}`)
    }
  }
}

async function presentEnded(
  { ask }: Talk,
  sessions: readonly Session[],
  { most, random }: { readonly most: number; readonly random: Random },
): Promise<void> {
  for (let left = Math.min(most, sessions.length); left > 0; left--) {
    const session = sessions[random(sessions.length)]
    const tokens = session?.all[random(session.all.length)]
    assert.ok(tokens)
    const me = await ask('/users/me', withToken('GET', tokens.accessToken))
    assert.equal(me.answer.status, 401, 'a revoked token is accepted')
    const fields = { grant_type: 'refresh_token', refresh_token: tokens.refreshToken }
    assert.equal((await ask('/token', form(fields))).answer.status, 400)
  }
}

/** Creates clients that have done nothing yet. */
export function createLoad(parts: LoadParts): Load {
  const { ask, random, admin, settle } = parts
  const people: Person[] = []
  const talk = createTalk(ask)
  const logins = createLogins(talk, people, parts)
  const doAction: Record<Exclude<keyof typeof shares, 'register'>, Action> = {
    logIn: logins.logIn,
    refresh: async (person) => logins.refresh(await logins.sessionOf(person)),
    ...createEndings(talk, logins),
    ...createChanges(talk, logins, { all: [admin], state: 'alive' }),
  }

  /** One client: a person who registers, and whose sessions begin and end. */
  async function live(isOver: () => boolean): Promise<void> {
    let person = await logins.register()
    while (!isOver()) {
      const action = actions[random(actions.length)] ?? 'refresh'
      if (action === 'register') person = await logins.register()
      else await doAction[action](person)
    }
  }

  return {
    get counts() {
      return talk.counts
    },
    run: async (clients, isOver) =>
      void (await Promise.all(Array.from({ length: clients }, () => live(isOver)))),
    compare: (query) => compare(people, query),
    async presentEnded(most) {
      const sessions = people.flatMap((person) => person.sessions)
      const ended = sessions.filter(({ state }) => state === 'ended')
      await settle?.()
      await presentEnded(talk, ended, { most, random })
    },
    async untilWritten(more) {
      const until = talk.counts.writes + more
      for (; talk.counts.writes < until; await wait(10)) talk.throwIfAbandoned()
    },
    abandon: talk.abandon,
  }
}
