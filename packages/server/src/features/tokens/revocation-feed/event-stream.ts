// One open answer of GET /revocations. All of them send the same revocations, whose bytes are
// stored once, in the log. Each answer has only its own position in the log, and its own
// heartbeats.
import type { AnswerStream } from 'keystile/internal'
import type { ProvenClient } from '../clients/clients.ts'
import type { LogCursor } from '../events/event-log.ts'
import type { EventFeed } from '../events/events.ts'

export interface Stream {
  readonly proven: ProvenClient
  /** Sends the next piece of the stream, if there is one and the peer can receive it. */
  flush(): void
  /** Makes the next `flush` send a heartbeat. */
  beat(): void
  isStalled(): boolean
  end(): void
}

interface StreamOptions {
  readonly proven: ProvenClient
  /**
   * When the request arrived, by `performance.now()`. If this time is later than the real arrival,
   * the peer computes an age of the events that is too high, which is safe.
   */
  readonly openedAt: number
  /** Where the stream begins. Undefined: with a `reset` and all revocations. */
  readonly position: LogCursor | undefined
  /** How long the peer may go without reading. */
  readonly stallMilliseconds: number
  onEnd(): void
}

/**
 * Creates one stream. The stream has no queue: the adapter asks for each piece when the peer can
 * receive more.
 */
export function createStream(
  feed: Pick<EventFeed, 'ageSeconds' | 'log'>,
  options: StreamOptions,
): { readonly body: AnswerStream; readonly stream: Stream } {
  const { proven, stallMilliseconds, onEnd } = options
  const pieces = createPieces(feed, options)
  let isWaiting = false
  let askedAt = performance.now()
  let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined

  const stream: Stream = {
    proven,
    flush() {
      if (!isWaiting) return
      const piece = pieces.next()
      if (piece === undefined) return
      if (piece === 'lost') return stream.end()

      isWaiting = false
      controller?.enqueue(piece)
    },
    beat: pieces.beat,
    isStalled: () => !isWaiting && performance.now() - askedAt > stallMilliseconds,
    end() {
      onEnd()
      // If the peer has not taken the last piece, a regular end would wait for it.
      if (isWaiting) controller?.close()
      else
        controller?.error(
          new Error('the server ended the stream before the client had read all of it'),
        )
    },
  }
  const body: AnswerStream = new ReadableStream(
    {
      start: (given) => void (controller = given),
      pull() {
        isWaiting = true
        askedAt = performance.now()
        stream.flush()
      },
      cancel: onEnd,
    },
    { highWaterMark: 0 },
  )
  return { body, stream }
}

/**
 * How old the latest read of the events may be when a heartbeat is sent, in seconds. A heartbeat
 * promises that the peer has all revocations, except those of the last second. If the read is
 * older, the server could not keep this promise, so it sends no heartbeat.
 */
const freshSeconds = 1

const frame = (event: string, data: object): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(Buffer.from(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`))
/**
 * Tells the peer that all revocations follow, because this process does not know the last event
 * that the peer received.
 */
const reset = frame('reset', {})
/**
 * Makes a heartbeat. It tells the peer that the peer has all revocations, except those of the last
 * second. It also says how long ago the peer's request arrived, so that the peer notices when the
 * heartbeat was delayed.
 */
const current = (openedAt: number): Uint8Array<ArrayBuffer> =>
  frame('current', { elapsed_ms: Math.floor(performance.now() - openedAt) })

interface Pieces {
  /** Returns what to send next. Undefined if nothing is left at the moment. */
  next(): Uint8Array<ArrayBuffer> | 'lost' | undefined
  /** Makes a heartbeat follow the revocations. */
  beat(): void
}

/** Creates the pieces of one stream, in their order. */
function createPieces(
  feed: Pick<EventFeed, 'ageSeconds' | 'log'>,
  { openedAt, position }: Pick<StreamOptions, 'openedAt' | 'position'>,
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
      if (news || !mustBeat || feed.ageSeconds >= freshSeconds) return news

      mustBeat = false
      return current(openedAt)
    },
    beat() {
      mustBeat = true
    },
  }
}
