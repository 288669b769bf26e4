// Fills a database with many sessions before anything is timed, and measures their size.
import { createKeystile, type Keystile } from '@keystile/server'
import { stringMember } from './json.ts'
import { inBatches, password } from './people.ts'
import { issuer } from './stand-alone.ts'

/**
 * The number of measured sessions. It is large, so that half-empty database pages do not change the
 * result.
 */
const measuredSessions = 10_000
const measuredRefreshes = 20_000
/** Keystile keeps at most this many sessions of one user. */
const sessionsOfUser = 100

export interface Place {
  /** The database to fill. It need not be stored on the disk. */
  readonly database: string
  readonly key?: string
  /** Returns the size of the sessions and their tokens, including indexes. */
  bytes(): Promise<number>
}

export interface Prepared {
  /** Unused refresh tokens, each of a different session. */
  readonly refreshTokens: readonly string[]
  /** Access tokens of several users. */
  readonly accessTokens: readonly string[]
  /** The size of an answer to a refresh. */
  readonly tokenBytes: number
  readonly bytesOfSession: number
  readonly bytesOfRefresh: number
  /** The numbers of sessions and of refreshes that were measured. */
  readonly measured: { readonly sessions: number; readonly refreshes: number }
}

/**
 * Starts sessions in an empty database: `needed` sessions, or the number of measured sessions if
 * that is larger.
 */
export async function prepareSessions(
  place: Place,
  needed: number,
  quick: boolean,
): Promise<Prepared> {
  const [sessions, refreshes] = quick ? [200, 400] : [measuredSessions, measuredRefreshes]
  const count = Math.max(needed, sessions)
  const { database, key } = place
  const keystile = await createKeystile({
    issuer,
    database,
    ...(key !== undefined && { key }),
    accessTokenSeconds: 24 * 60 * 60,
    rateLimits: 'off',
  })
  try {
    const subjects = await inBatches(Math.ceil(count / sessionsOfUser), (n) =>
      register(keystile, n),
    )
    const logIn = (n: number): ReturnType<typeof keystile.sessions.create> =>
      keystile.sessions.create({ subject: subjects[n % subjects.length]! })
    const empty = await place.bytes()
    const first = await inBatches(sessions, logIn)
    const started = await place.bytes()
    const tokens = first.map(({ refreshToken }) => refreshToken)
    let tokenBytes = 0
    await inBatches(refreshes, async (n) => {
      const text = await refresh(keystile, tokens[n % sessions]!)
      tokens[n % sessions] = stringMember(JSON.parse(text), 'refresh_token')
      tokenBytes = text.length
    })
    const refreshed = await place.bytes()
    const more = await inBatches(count - sessions, (n) => logIn(sessions + n))
    return {
      refreshTokens: [...tokens, ...more.map(({ refreshToken }) => refreshToken)],
      accessTokens: first.slice(0, 1_000).map(({ accessToken }) => accessToken),
      tokenBytes,
      bytesOfSession: (started - empty) / sessions,
      bytesOfRefresh: (refreshed - started) / refreshes,
      measured: { sessions, refreshes },
    }
  } finally {
    await keystile.close()
  }
}

async function register(keystile: Keystile, n: number): Promise<string> {
  const body = JSON.stringify({ username: `user${n}`, email: `user${n}@example.com`, password })
  return stringMember(JSON.parse(await ask(keystile, '/users', body, 'application/json')), 'id')
}

function refresh(keystile: Keystile, token: string): Promise<string> {
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token })
  return ask(keystile, '/token', form.toString(), 'application/x-www-form-urlencoded')
}

async function ask(keystile: Keystile, path: string, body: string, type: string): Promise<string> {
  const headers = { 'content-type': type }
  const answer = await keystile.fetch(
    new Request(`${issuer}${path}`, { method: 'POST', headers, body }),
  )
  const text = await answer.text()
  if (!answer.ok) throw new Error(`POST ${path}: ${answer.status} ${text}`)
  return text
}
