// One open answer of GET /revocations: when it sends, and how it ends. `stream-pieces.ts` says what
// it sends.

import type { AnswerStream } from 'keystile/internal'
import type { ProvenClient } from '../clients/clients.ts'
import type { EventFeed } from '../events/events.ts'
import { createPieces, type StreamStart } from './stream-pieces.ts'

export interface Stream {
  /** The client that reads the stream. */
  readonly proven: ProvenClient
  /** Sends the next piece of the stream, if there is one and the peer can receive it. */
  flush(): void
  /** Makes the next `flush` send a heartbeat. */
  beat(): void
  /** Whether the peer has not read for too long. */
  isStalled(): boolean
  end(): void
}

interface StreamOptions extends StreamStart {
  readonly proven: ProvenClient
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
