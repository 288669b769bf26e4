// Clients of several Keystile servers. They remember what was acknowledged, and write down each
// answer that must not be.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import {
  password,
  readAnswer,
  tokensOf,
  type Answer,
  type Tokens,
} from '../../../packages/server/test-support/keystile.ts'
import { createRandom } from '../random.ts'
import { createPulse, type Pulse } from './pulse.ts'

/** A session as its client knows it. */
export interface Session {
  readonly username: string
  /** The newest tokens. */
  tokens: Tokens
  /** When the server acknowledged the end of the session, by `performance.now()`. */
  endedAt?: number
}

/** What the servers have acknowledged. */
export interface Ledger {
  readonly users: string[]
  readonly sessions: Session[]
  /** Answers that must not be, each as a sentence. */
  readonly wrong: string[]
  /** How often each answer came, such as `POST /token 200`. */
  readonly answers: Map<string, number>
}

export interface Clients {
  readonly ledger: Ledger
  /** The successful writes of each server. */
  readonly pulses: readonly Pulse[]
  /** Sends a request until a server answers, but not with 503. Each try goes to the next server. */
  ask(request: Asked): Promise<Settled>
  /** Stops sending. Resolves when all requests are answered, which needs a working database. */
  stop(): Promise<void>
}

interface Asked {
  readonly method: string
  readonly path: string
  readonly form?: Readonly<Record<string, string>>
  readonly json?: unknown
  readonly bearer?: string
}

/** An answer, and whether an earlier try had no answer or 503, so that it may have had an effect. */
interface Settled {
  readonly answer: Answer
  readonly isRepeated: boolean
}

const pauseMilliseconds = 50
const timeoutMilliseconds = 15_000

/**
 * @param urls the servers, such as `http://localhost:8000`
 * @param signal ends all clients at once, when the test has failed
 */
export function startClients(urls: readonly string[], count: number, signal: AbortSignal): Clients {
  const ledger: Ledger = { users: [], sessions: [], wrong: [], answers: new Map() }
  const pulses = urls.map(() => createPulse())
  const stopping = new AbortController()
  let turn = 0

  async function ask(request: Asked): Promise<Settled> {
    for (let isRepeated = false; ; isRepeated = true) {
      signal.throwIfAborted()
      const n = turn++ % urls.length
      const answer = await send(urls[n] ?? '', request)
      const what = `${request.method} ${request.path.replaceAll(/[\w-]{20,}/g, '{id}')}`
      const told = `${what} ${answer?.status ?? 'no answer'}`
      ledger.answers.set(told, (ledger.answers.get(told) ?? 0) + 1)
      if (answer && answer.status !== 503) {
        if (answer.status < 300 && request.method !== 'GET') pulses[n]?.beat()
        return { answer, isRepeated }
      }
      await delay(pauseMilliseconds)
    }
  }
  const note = (what: string, { answer, isRepeated }: Settled): void => {
    const when = isRepeated ? ', after a try without an answer' : ''
    ledger.wrong.push(`${what}: ${answer.status} ${answer.text}${when}`)
  }
  const all = Promise.all(Array.from({ length: count }, (_, n) => live(n)))
  all.catch(() => {}) // `stop` reports it

  async function live(seed: number): Promise<void> {
    const random = createRandom(seed)
    let username = await register()
    while (!stopping.signal.aborted) {
      const session = await logIn(username)
      for (;;) {
        if (!session || stopping.signal.aborted) break
        await delay(pauseMilliseconds)
        const dice = random(40)
        if (dice < 26) await refresh(session)
        else if (dice < 32) await open(session)
        else if (dice < 34) username = await register()
        else if (dice < 37) await logOut(session)
        else if (dice < 38) await logOutEverywhere(session)
        else break // leaves the session alone
        if (session.endedAt !== undefined) break
      }
    }
  }

  async function register(): Promise<string> {
    const username = `u${randomUUID()}`
    const json = { username, email: `${username}@example.com`, password }
    const settled = await ask({ method: 'POST', path: '/users', json })
    const { status } = settled.answer
    if (status === 201 || (status === 409 && settled.isRepeated)) ledger.users.push(username)
    else note('a registration', settled)
    return username
  }

  async function logIn(username: string): Promise<Session | undefined> {
    const settled = await ask({ method: 'POST', path: '/token', form: { username, password } })
    if (settled.answer.status !== 200) {
      note('a login', settled)
      return undefined
    }
    const session: Session = { username, tokens: tokensOf(settled.answer.json) }
    ledger.sessions.push(session)
    return session
  }

  async function refresh(session: Session): Promise<void> {
    const settled = await ask(refreshOf(session))
    if (settled.answer.status === 200) session.tokens = tokensOf(settled.answer.json)
    else note('a refresh', settled)
  }

  async function open(session: Session): Promise<void> {
    const settled = await ask(openingOf(session))
    if (settled.answer.status !== 200) note('a guarded request', settled)
  }

  async function logOut(session: Session): Promise<void> {
    const form = { token: session.tokens.refreshToken }
    const settled = await ask({ method: 'POST', path: '/revoke', form })
    if (settled.answer.status === 200) session.endedAt = performance.now()
    else note('a logout', settled)
  }

  async function logOutEverywhere({ username, tokens }: Session): Promise<void> {
    const bearer = tokens.accessToken
    const settled = await ask({ method: 'DELETE', path: '/users/me/sessions', bearer })
    const { status } = settled.answer
    // A repeated request can find its own token revoked.
    if (status !== 204 && !(status === 401 && settled.isRepeated))
      return note('a logout everywhere', settled)
    for (const session of ledger.sessions)
      if (session.username === username) session.endedAt ??= performance.now()
  }

  return {
    ledger,
    pulses,
    ask,
    async stop() {
      stopping.abort()
      await all
    },
  }
}

export const refreshOf = ({ tokens }: Session): Asked => ({
  method: 'POST',
  path: '/token',
  form: { grant_type: 'refresh_token', refresh_token: tokens.refreshToken },
})

export const openingOf = ({ tokens }: Session): Asked => ({
  method: 'GET',
  path: '/users/me',
  bearer: tokens.accessToken,
})

/** Sends a request to a server. Returns undefined if no answer arrives. */
export async function send(
  url: string,
  { method, path, form, json, bearer }: Asked,
): Promise<Answer | undefined> {
  const init: RequestInit = {
    method,
    headers: {
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
    },
    body: json === undefined ? (form ? new URLSearchParams(form) : null) : JSON.stringify(json),
    signal: AbortSignal.timeout(timeoutMilliseconds),
  }
  try {
    return await readAnswer(await fetch(`${url}/auth${path}`, init))
  } catch {
    return undefined
  }
}
