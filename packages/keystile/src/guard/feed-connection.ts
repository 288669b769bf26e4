// Keeps a verifier connected to the revocation feed of its issuer, by one connection at a time.
import { endsWithRequest } from '../base/runtime.ts'
import type { ServerSentEvent } from '../http/event-stream.ts'
import { startMilliseconds } from './feed-age.ts'
import { openFeedStream, type FeedLocation, type FeedStream } from './feed-stream.ts'
import { createRetries } from './retries.ts'

/**
 * How long a connection is used at most. Two clocks may drift apart by 0.2 ms a second. After 15
 * minutes, the computed age of an event is therefore wrong by at most 0.2 s.
 */
const connectionMilliseconds = 900_000

export interface FeedConnection {
  /**
   * Opens a connection if none is open and the pause after the last connection has ended. Returns
   * whether a connection is open now.
   */
  open(): boolean
  /**
   * Called when all revocations have arrived. The next pause will be short. If the connection has
   * been open for long, another one replaces it. In a Worker, the connection ends.
   */
  succeed(): void
  /** Whole seconds until a connection may be opened, for `Retry-After`: at least 1. */
  secondsToNext(): number
  /** Ends the connection, and opens no other one. */
  close(): void
}

export interface FeedConnectionHandlers {
  /** Returns the id of the last revocation that was read. Called for each new connection. */
  lastEventId(): string | undefined
  /** If it throws, the connection ends. @param openedAt when the request was sent */
  onEvent(event: ServerSentEvent, openedAt: number): void
  /** Called when the connection has ended by itself. It is opened again after a pause. */
  onEnd(reason: Error): void
}

/**
 * Creates a connection that opens at the first `open()`. After a failure it opens again by itself.
 * In Cloudflare Workers it does not, because there a connection ends with the request that opened
 * it.
 */
export function createFeedConnection(
  location: FeedLocation,
  { lastEventId, onEvent, onEnd }: FeedConnectionHandlers,
): FeedConnection {
  const retries = createRetries()
  let stream: FeedStream | undefined
  let renewAt = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let isClosed = false

  function connect(): void {
    if (stream || isClosed) return
    retries.start()
    const opened = openFeedStream(location, lastEventId(), {
      onEvent(event) {
        if (stream === opened) onEvent(event, opened.openedAt)
      },
      onEnd(reason) {
        if (stream !== opened) return
        stream = undefined
        connectLater()
        onEnd(reason)
      },
    })
    stream = opened
    // The times are random, so that many verifiers do not all connect at the same time.
    renewAt = opened.openedAt + connectionMilliseconds * (1 - Math.random() / 5)
  }

  function connectLater(): void {
    const pause = retries.pause()
    if (endsWithRequest()) return
    timer = setTimeout(connect, pause)
    // This timer alone must not keep a process running. In Deno, a timer is a number.
    timer.unref?.()
  }

  function disconnect(reason: string): void {
    const opened = stream
    stream = undefined
    opened?.close(new Error(reason))
  }

  return {
    open() {
      // In a Worker, the request that opened the stream may have been aborted.
      const isLost =
        endsWithRequest() && performance.now() - (stream?.openedAt ?? 0) > startMilliseconds
      if (isLost) stream = undefined
      if (retries.isDue()) connect()
      return stream !== undefined
    },
    succeed() {
      retries.reset()
      if (endsWithRequest()) disconnect('the request ends')
      else if (performance.now() >= renewAt) {
        disconnect('the connection is renewed')
        connect()
      }
    },
    secondsToNext: () => retries.secondsToNext(),
    close() {
      isClosed = true
      clearTimeout(timer)
      disconnect('the verifier was closed')
    },
  }
}
