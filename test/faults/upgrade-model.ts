// Clients of a rolling upgrade, and the model of what they know: each client has one user, and
// knows what each answer must be.
import { setTimeout as delay } from 'node:timers/promises'
import {
  tokensOf,
  type Answer,
  type SendOptions,
} from '../../packages/server/test-support/keystile.ts'
import type { Random } from './random.ts'
import type { Balancer } from './upgrade-balancer.ts'

/** What the clients have seen. */
export interface Told {
  operations: number
  /** Answers that had to be repeated, because the server did not know a change of the other yet. */
  retries: number
  /** Answers 503: the server or the database was busy. */
  busy: number
  readonly differences: string[]
  readonly byOperation: Record<string, number>
}

export interface Actors {
  readonly told: Told
  /** Runs this many operations, spread over all clients. */
  run(operations: number): Promise<void>
}

interface Parts {
  readonly balancer: Balancer
  /** The access token of an administrator. */
  readonly token: string
  readonly random: Random
}

/** A session that its client believes to be active. */
interface Held {
  readonly id: string
  accessToken: string
  refreshToken: string
  /** The token that was used last, which returns the same new token while that one is unused. */
  previous?: { readonly token: string; readonly usedAt: number } | undefined
}

interface Person {
  readonly username: string
  readonly id: string
  email: string
  password: string
  isDisabled: boolean
  isDeleted: boolean
  scopes: readonly string[]
  sessions: readonly Held[]
  /** A session that has ended. Its tokens must be refused. */
  ended?: Held | undefined
  /** When the client last changed something that the other server learns later. */
  changedAt: number
}

/**
 * How long a server may not know a change of the other. Keystile promises a second; the tests must
 * also pass on a busy machine.
 */
const learnMilliseconds = 10_000

type Expected = (answer: Answer) => boolean

export function createActors({ count, ...parts }: Parts & { readonly count: number }): Actors {
  const told: Told = { operations: 0, retries: 0, busy: 0, differences: [], byOperation: {} }
  const actors = Array.from({ length: count }, (_, n) => createActor(n, parts, told))
  return {
    told,
    async run(operations) {
      let left = operations
      await Promise.all(
        actors.map(async (step) => {
          while (left-- > 0) await step()
        }),
      )
    },
  }
}

function createActor(
  n: number,
  { balancer, token, random }: Parts,
  told: Told,
): () => Promise<void> {
  let names = 0
  let person: Person | undefined

  /** Sends a request, and compares its answer with the model. */
  async function ask(
    expected: Expected,
    method: string,
    path: string,
    options: SendOptions,
  ): Promise<Answer | undefined> {
    const send = balancer.choose()
    for (;;) {
      const answer = await send(method, path, options)
      const { status, text } = answer
      if (status !== 503 && expected(answer)) return answer
      if (status === 503) told.busy++
      else if (!mayRepeat(method, status)) {
        const { username, isDisabled, sessions } = person ?? {}
        const state = JSON.stringify({ username, isDisabled, sessions: sessions?.length })
        told.differences.push(`${method} ${path} ${state}: ${status} ${text.slice(0, 300)}`)
        return undefined
      } else told.retries++
      await delay(20)
    }
  }
  /** A read, or a refusal, changes nothing: the server may not know the other's change yet. */
  const mayRepeat = (method: string, status: number): boolean =>
    (method === 'GET' || status >= 400) &&
    performance.now() - (person?.changedAt ?? 0) < learnMilliseconds

  const status =
    (wanted: number): Expected =>
    (answer) =>
      answer.status === wanted

  async function register(): Promise<void> {
    const username = `actor-${n}-${names++}`
    const email = `${username}@example.com`
    const json = { username, email, password: `correct horse battery ${random(1e9)}` }
    const created = await ask(status(201), 'POST', '/users', { json })
    if (!created) return
    await ask(status(409), 'POST', '/users', { json })
    person = {
      username,
      email,
      id: String(created.json['id']),
      password: json.password,
      isDisabled: false,
      isDeleted: false,
      scopes: [],
      sessions: [],
      changedAt: performance.now(),
    }
  }

  function endAll(user: Person, except?: Held): void {
    user.ended = user.sessions.find((session) => session !== except) ?? user.ended
    user.sessions = except ? [except] : []
    user.changedAt = performance.now()
  }

  return async () => {
    told.operations++
    if (!person) return register()
    const user = person
    const held = user.sessions[random(Math.max(1, user.sessions.length))]
    const able = operations.filter(({ needs }) => needs === undefined || held !== undefined)
    // With more sessions, the operations that need one come more often.
    const mustLogIn = !user.isDisabled && user.sessions.length < 2 && random(2) === 0
    const chosen = mustLogIn ? login : able[random(able.length)]!
    told.byOperation[chosen.name] = (told.byOperation[chosen.name] ?? 0) + 1
    await chosen.run({ user, held: held as Held, ask, status, endAll, token, random })
    if (user.isDeleted) person = undefined
  }
}

interface Step {
  readonly user: Person
  /** One of the active sessions, if the operation needs one. */
  readonly held: Held
  readonly token: string
  readonly random: Random
  ask(
    expected: Expected,
    method: string,
    path: string,
    options: SendOptions,
  ): Promise<Answer | undefined>
  status(wanted: number): Expected
  endAll(user: Person, except?: Held): void
}

interface Operation {
  readonly name: string
  readonly needs?: 'session'
  run(step: Step): Promise<void>
}

/** How long a client repeats a refresh. It is shorter than the grace period of 30 s. */
const repeatMilliseconds = 15_000

const isGrantRefused: Expected = ({ status, json }) =>
  status === 400 && json['error'] === 'invalid_grant'

const login: Operation = {
  name: 'login',
  async run({ user, ask, status }) {
    const { username, password } = user
    const expected = user.isDisabled ? isGrantRefused : status(200)
    const answer = await ask(expected, 'POST', '/token', { form: { username, password } })
    if (!answer || user.isDisabled) return
    const { accessToken, refreshToken, sessionId: id } = tokensOf(answer.json)
    user.sessions = [...user.sessions, { id, accessToken, refreshToken }]
  },
}

const operations: readonly Operation[] = [
  login,
  {
    name: 'wrong password',
    run: async ({ user: { username }, ask }) =>
      void (await ask(isGrantRefused, 'POST', '/token', {
        form: { username, password: 'not the password' },
      })),
  },
  {
    name: 'refresh',
    needs: 'session',
    async run({ held, ask }) {
      const form = { grant_type: 'refresh_token', refresh_token: held.refreshToken }
      const expected: Expected = ({ status, json }) =>
        status === 200 && tokensOf(json).sessionId === held.id
      const answer = await ask(expected, 'POST', '/token', { form })
      if (!answer) return
      const { accessToken, refreshToken } = tokensOf(answer.json)
      const previous = { token: held.refreshToken, usedAt: performance.now() }
      Object.assign(held, { previous, accessToken, refreshToken })
    },
  },
  {
    name: 'repeated refresh',
    needs: 'session',
    async run({ held, ask }) {
      const { token = '', usedAt = -Infinity } = held.previous ?? {}
      if (performance.now() - usedAt > repeatMilliseconds) return
      const form = { grant_type: 'refresh_token', refresh_token: token }
      await ask(
        ({ status, json }) => status === 200 && json['refresh_token'] === held.refreshToken,
        'POST',
        '/token',
        { form },
      )
    },
  },
  {
    name: 'ended session',
    async run({ user: { ended }, ask, status }) {
      if (!ended) return
      const form = { grant_type: 'refresh_token', refresh_token: ended.refreshToken }
      await ask(isGrantRefused, 'POST', '/token', { form })
      await ask(status(401), 'GET', '/users/me', { bearer: ended.accessToken })
    },
  },
  {
    name: 'logout',
    needs: 'session',
    async run({ user, held, ask, status }) {
      await ask(status(200), 'POST', '/revoke', { form: { token: held.refreshToken } })
      endOne(user, held)
    },
  },
  {
    name: 'end a session',
    needs: 'session',
    async run({ user, held, ask, status }) {
      const target = user.sessions[0] ?? held
      const bearer = held.accessToken
      await ask(status(204), 'DELETE', `/users/me/sessions/${target.id}`, { bearer })
      endOne(user, target)
    },
  },
  {
    name: 'end all sessions',
    needs: 'session',
    async run({ user, held, ask, status, endAll, random }) {
      if (random(3) > 0) return
      await ask(status(204), 'DELETE', '/users/me/sessions', { bearer: held.accessToken })
      endAll(user)
    },
  },
  {
    name: 'list sessions',
    needs: 'session',
    async run({ user, held, ask }) {
      const ids = user.sessions.map(({ id }) => id).toSorted()
      const expected: Expected = ({ status, json }) =>
        status === 200 &&
        JSON.stringify((json['sessions'] as Held[]).map(({ id }) => id).toSorted()) ===
          JSON.stringify(ids)
      await ask(expected, 'GET', '/users/me/sessions', { bearer: held.accessToken })
    },
  },
  {
    name: 'read oneself',
    needs: 'session',
    async run({ user, held, ask }) {
      const expected: Expected = ({ status, json }) =>
        status === 200 &&
        json['id'] === user.id &&
        json['username'] === user.username &&
        json['email'] === user.email
      await ask(expected, 'GET', '/users/me', { bearer: held.accessToken })
    },
  },
  {
    name: 'change password',
    needs: 'session',
    async run({ user, held, ask, status, endAll, random }) {
      const password = `purple monkey dishwasher ${random(1e9)}`
      const json = { current_password: user.password, new_password: password }
      const bearer = held.accessToken
      const answer = await ask(status(204), 'POST', '/users/me/password', { json, bearer })
      if (!answer) return
      user.password = password
      endAll(user, held)
    },
  },
  {
    name: 'change e-mail',
    needs: 'session',
    async run({ user, held, ask, status, random }) {
      const email = `${user.username}-${random(1e9)}@example.com`
      const json = { current_password: user.password, new_email: email }
      const bearer = held.accessToken
      if (await ask(status(204), 'POST', '/users/me/email', { json, bearer })) user.email = email
      user.changedAt = performance.now()
    },
  },
  {
    name: 'disable or enable',
    async run({ user, ask, token: bearer, endAll, random }) {
      if (!user.isDisabled && random(2) > 0) return
      const json = { disabled: !user.isDisabled }
      const expected: Expected = (answer) =>
        answer.status === 200 && answer.json['disabled'] === json.disabled
      await ask(expected, 'PATCH', `/users/${user.id}`, { json, bearer })
      user.isDisabled = json.disabled
      if (json.disabled) endAll(user)
      user.changedAt = performance.now()
    },
  },
  {
    name: 'grant',
    async run({ user, ask, token: bearer, random }) {
      const json = { scopes: random(2) > 0 ? ['users:read'] : [] }
      const expected: Expected = (answer) =>
        answer.status === 200 && String(answer.json['scopes']) === String(json.scopes)
      await ask(expected, 'PATCH', `/users/${user.id}`, { json, bearer })
      user.scopes = json.scopes
      user.changedAt = performance.now()
    },
  },
  {
    name: 'manage',
    async run({ user, ask, token: bearer }) {
      const expected: Expected = ({ status, json }) =>
        status === 200 &&
        json['email'] === user.email &&
        json['disabled'] === user.isDisabled &&
        String(json['scopes']) === String(user.scopes)
      await ask(expected, 'GET', `/users/${user.id}`, { bearer })
    },
  },
  {
    name: 'delete',
    async run({ user, ask, status, token: bearer, random }) {
      if (random(8) > 0) return
      user.isDeleted = true
      await ask(status(204), 'DELETE', `/users/${user.id}`, { bearer })
      await ask(status(404), 'GET', `/users/${user.id}`, { bearer })
      const { username, password } = user
      await ask(isGrantRefused, 'POST', '/token', { form: { username, password } })
    },
  },
]

function endOne(user: Person, held: Held): void {
  user.ended = held
  user.sessions = user.sessions.filter((session) => session !== held)
  user.changedAt = performance.now()
}
