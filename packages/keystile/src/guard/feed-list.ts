// The revocations that a verifier has read from the feed of an issuer.
import type { Clock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import { parseJsonObject, type JsonObject } from '../base/json.ts'
import {
  createRevocationList,
  isRevocationKind,
  type RevocationEvent,
  type RevocationList,
} from './revocations.ts'

/** How long the list keeps a revocation after the revocation has expired. */
const keptMilliseconds = 60_000

export interface FeedList {
  /** The id of the last revocation, from which the issuer can continue. */
  readonly lastEventId: string | undefined
  /**
   * Adds a revocation. Ignores a revocation of a kind that this version does not know.
   *
   * @param data the JSON of the event
   * @throws {Error} if the revocation is malformed. If it were ignored, a revoked token could be
   *   admitted
   */
  add(data: string, id?: string): void
  /** Forgets `lastEventId`, so that the issuer sends all revocations again. Keeps the list. */
  startOver(): void
  isRevoked: RevocationList['isRevoked']
  /**
   * Removes the revocations that expired over a minute ago, but at most once a minute. Returns
   * false if the clock was set back by a minute or more. In that case a token may be valid again
   * although its revocation was already removed, so the caller must read all revocations again.
   */
  purge(): boolean
}

/**
 * Creates an empty list. A revocation stays in the list until it expires, even if the issuer no
 * longer sends it: the issuer may have restored an old database that lacks this revocation.
 */
export function createFeedList(clock: Clock): FeedList {
  const list = createRevocationList()
  let purgedAt = Number.NEGATIVE_INFINITY
  let lastEventId: string | undefined

  return {
    get lastEventId() {
      return lastEventId
    },
    add(data, id) {
      const event = parseRevocation(data)
      if (event) list.add(event)
      // Ignores an id that does not fit into a header field. Without an id, the issuer sends all
      // revocations again.
      lastEventId = /^[\x21-\x7e]{1,200}$/.exec(id ?? '')?.[0]
    },
    startOver() {
      lastEventId = undefined
    },
    isRevoked: list.isRevoked,
    purge() {
      const now = clock.now()
      if (Math.abs(now - purgedAt) < keptMilliseconds) return true
      const wasSetBack = now < purgedAt
      purgedAt = now
      list.purge(now - keptMilliseconds)
      return !wasSetBack
    },
  }
}

/** Returns `undefined` for a kind of revocation that only a later version knows. */
function parseRevocation(data: string): RevocationEvent | undefined {
  const { kind, value, expires_at: expiresAt } = membersOf(data)
  if (typeof kind === 'string' && !isRevocationKind(kind)) return undefined
  if (isRevocationKind(kind) && typeof value === 'string' && Number.isSafeInteger(expiresAt))
    return { kind, value, expiresAt: Number(expiresAt) }
  throw new Error('a revocation is malformed')
}

function membersOf(data: string): JsonObject {
  try {
    return parseJsonObject(new TextEncoder().encode(data))
  } catch (error) {
    throw new Error(`a revocation is ${messageOf(error)}`)
  }
}
