// Asks servers whether they accept tokens of sessions that have ended.
import { setTimeout as delay } from 'node:timers/promises'
import { openingOf, send, type Session } from './clients.ts'

/** A server that accepted a token of an ended session. */
export interface LateAccept {
  readonly server: number
  readonly sessionId: string
  /** When the server was asked, by `performance.now()`. */
  readonly askedAt: number
  /** How long after the end of the session was acknowledged, in seconds. */
  readonly seconds: number
}

export interface Judge {
  readonly lateAccepts: readonly LateAccept[]
  /** How many times a server refused such a token. */
  readonly refusals: number
  stop(): Promise<void>
}

/** How old the end of a session is before all servers that reach the database know it. */
const knownAfterMilliseconds = 1_000
/** How many of the latest ended sessions each server is asked about, again and again. */
const watched = 5

/** Asks each server about the sessions that ended last, until `stop` or `signal`. */
export function startJudge(
  urls: readonly string[],
  sessions: readonly Session[],
  signal: AbortSignal,
): Judge {
  const lateAccepts: LateAccept[] = []
  let refusals = 0
  const stopping = new AbortController()

  async function judge(server: number, url: string): Promise<void> {
    while (!stopping.signal.aborted && !signal.aborted) {
      const limit = performance.now() - knownAfterMilliseconds
      const ended = sessions.filter(({ endedAt = Infinity }) => endedAt < limit).slice(-watched)
      for (const session of ended) {
        const askedAt = performance.now()
        const seconds = (askedAt - (session.endedAt ?? NaN)) / 1_000
        const answer = await send(url, openingOf(session))
        const { sessionId } = session.tokens
        if (answer?.status === 200) lateAccepts.push({ server, sessionId, askedAt, seconds })
        if (answer?.status === 401) refusals++
      }
      await delay(50)
    }
  }
  const judged = urls.map((url, server) => judge(server, url))
  return {
    lateAccepts,
    get refusals() {
      return refusals
    },
    async stop() {
      stopping.abort()
      await Promise.all(judged)
    },
  }
}
