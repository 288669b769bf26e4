// What one answer of GET /revocations sends. All answers send the same revocations, whose bytes are
// stored once, in the log. Each answer has only its own position in the log, and its own
// heartbeats.

import type { LogCursor } from '../events/event-log.ts'
import type { EventFeed } from '../events/events.ts'

export interface StreamStart {
  /**
   * When the request arrived, by `performance.now()`. If this time is later than the real arrival,
   * the peer computes an age of the events that is too high, which is safe.
   */
  readonly openedAt: number
  /** Where the stream begins. Undefined: with a `reset` and all revocations. */
  readonly position: LogCursor | undefined
}

interface Pieces {
  /**
   * Returns what to send next. Undefined if nothing is left at the moment; `lost` if the stream
   * must end, because a new log has replaced the log.
   */
  next(): Uint8Array<ArrayBuffer> | 'lost' | undefined
  /** Makes a heartbeat follow the revocations. */
  beat(): void
}

/**
 * How old the latest read of the events may be when a heartbeat is sent, in seconds. A heartbeat
 * promises that the peer has all revocations, except those of the last second. If the read is
 * older, the server could not keep this promise, so it sends no heartbeat.
 */
const freshSeconds = 1

/** Creates the pieces of one stream: a `reset` if necessary, the revocations, and heartbeats. */
export function createPieces(
  feed: Pick<EventFeed, 'ageSeconds' | 'log'>,
  { openedAt, position }: StreamStart,
): Pieces {
  const cursor = position ?? feed.log.start()
  let mustReset = position === undefined
  let mustBeat = true

  return {
    next() {
      if (mustReset) {
        mustReset = false
        return reset
      }

      const news = cursor.next()
      if (news !== undefined) return news
      if (!mustBeat || feed.ageSeconds >= freshSeconds) return undefined

      mustBeat = false
      return heartbeat(openedAt)
    },
    beat() {
      mustBeat = true
    },
  }
}

/**
 * Tells the peer that all revocations follow, because this process does not know the last event
 * that the peer received.
 */
const reset = frame('reset', {})

/**
 * Tells the peer that it has all revocations, except those of the last second. Also says how long
 * ago the peer's request arrived, so that the peer notices when the heartbeat was delayed.
 */
function heartbeat(openedAt: number): Uint8Array<ArrayBuffer> {
  return frame('current', { elapsed_ms: Math.floor(performance.now() - openedAt) })
}

function frame(event: string, data: object): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`))
}
