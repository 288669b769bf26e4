// The open answers of GET /revocations. All of them send the same revocations, whose bytes are
// stored once, in the log. Each answer has only its own position in the log, and its own
// heartbeats.
import { setImmediate, setTimeout as delay } from 'node:timers/promises'
import type { AnswerStream, Logger } from 'keystile/internal'
import type { Clients, ProvenClient } from '../clients/clients.ts'
import type { LogCursor } from '../events/event-log.ts'
import type { EventFeed } from '../events/events.ts'

/** Limits for the open streams. */
export interface StreamLimits {
  /** The largest number of open streams. */
  readonly streams: number
  /** The largest number of open streams of one client. */
  readonly streamsOfClient: number
  /** The longest time for which a peer may take no bytes. */
  readonly stallMilliseconds: number
}

/** The limits of a server. Tests use smaller limits. */
const standardStreamLimits: StreamLimits = {
  streams: 1_000,
  streamsOfClient: 100,
  stallMilliseconds: 10_000,
}

/** The time between two heartbeats. A verifier is `stale` after four seconds without one. */
const heartbeatMilliseconds = 1_000
/**
 * How old the latest read may be for a heartbeat. With an older read, the heartbeat would promise
 * too much.
 */
const freshSeconds = 1
/**
 * The number of streams that are served in a row. Then the server does other work before the next.
 */
const streamsAtOnce = 50
/**
 * The shortest time between two rounds over all streams. Revocations that arrive meanwhile share a
 * round, so that 1,000 streams cannot use up the processor.
 */
const roundMilliseconds = 20

const frame = (event: string, data: object): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(Buffer.from(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`))
/** Tells the peer that all revocations follow, because its last event is not known here. */
const reset = frame('reset', {})
/**
 * Tells the peer that it has all revocations, except those of the last second. Says how long ago
 * its request arrived, so that the peer notices when this piece was delayed.
 */
const current = (openedAt: number): Uint8Array<ArrayBuffer> =>
  frame('current', { elapsed_ms: Math.floor(performance.now() - openedAt) })

/** The open streams of this process. */
export interface RevocationStreams {
  readonly count: number
  /**
   * Opens a stream: first the revocations behind `lastEventId`, or a `reset` and all revocations,
   * then each new one. `client full`: the client has too many streams. `full`: all clients together
   * have too many streams, or the server stops.
   *
   * @throws {DatabaseUnavailableError} if the event is not in memory, and the database cannot tell
   *   whether it is new
   */
  open(
    client: ProvenClient,
    lastEventId: string | undefined,
  ): Promise<AnswerStream | 'full' | 'client full'>
  /** Ends all streams. From then on, `open` opens none. */
  close(): void
}

interface Stream {
  readonly proven: ProvenClient
  /** Sends what is new, if the peer has room for it. */
  flush(): void
  /** Makes the next `flush` send a heartbeat. */
  beat(): void
  isStalled(): boolean
  end(): void
}

/** Creates the streams of this process. There is none yet. */
export function createRevocationStreams(
  parts: {
    readonly feed: EventFeed
    readonly clients: Pick<Clients, 'findAll'>
    readonly logger: Logger
  },
  limits: StreamLimits = standardStreamLimits,
): RevocationStreams {
  const { feed, clients, logger } = parts
  const streams = new Set<Stream>()
  let isClosed = false
  let checking: Promise<void> | undefined

  const flushAll = createRounds(async () => {
    let flushed = 0
    for (const stream of streams) {
      stream.flush()
      // Stryker disable next-line all: only how long other work waits depends on it
      if (++flushed % streamsAtOnce === 0) await setImmediate()
    }
  })

  /** Ends the streams of clients that were disabled, or lost their secret or permission. */
  async function endRefused(): Promise<void> {
    const ids = new Set(Array.from(streams, ({ proven }) => proven.client.id))
    if (ids.size === 0) return

    const found = await clients.findAll([...ids])
    for (const stream of streams) {
      const { client, secretHash } = stream.proven
      if (!ids.has(client.id)) continue // opened during the query
      const now = found.get(client.id)
      if (!now || now.secretHash !== secretHash || !mayRead(now)) stream.end()
    }
  }

  function countOf(clientId: string): number {
    let count = 0
    for (const { proven } of streams) if (proven.client.id === clientId) count++
    return count
  }

  function beat(): void {
    for (const stream of streams) {
      if (stream.isStalled()) {
        const fields = { client: stream.proven.client.id }
        logger.warn(fields, 'a reader of revocations took no bytes; its connection is cut')
        stream.end()
      } else stream.beat()
    }
    void flushAll()
    // Without the database there is no heartbeat, so the peers become `stale`.
    checking ??= endRefused()
      .catch((error: unknown) => logger.debug({ err: error }, 'clients cannot be read'))
      .finally(() => (checking = undefined))
  }

  feed.onRead(() => void flushAll())
  feed.onEvent(({ kind, value }) => {
    if (kind !== 'client') return
    for (const stream of streams) if (stream.proven.client.id === value) stream.end()
  })
  const timer = setInterval(beat, heartbeatMilliseconds)
  timer.unref()

  return {
    get count() {
      return streams.size
    },
    async open(proven, lastEventId) {
      const openedAt = performance.now()
      const position = lastEventId === undefined ? undefined : await findPosition(feed, lastEventId)
      if (isClosed || streams.size >= limits.streams) return 'full'
      if (countOf(proven.client.id) >= limits.streamsOfClient) return 'client full'

      const { body, stream } = createStream(proven, {
        feed,
        openedAt,
        cursor: position ?? feed.log.start(),
        isReset: position === undefined,
        stallMilliseconds: limits.stallMilliseconds,
        onEnd: () => streams.delete(stream),
      })
      streams.add(stream)
      return body
    },
    close() {
      isClosed = true
      // Stryker disable next-line CallExpression: without streams, a heartbeat does nothing
      clearInterval(timer)
      for (const stream of streams) stream.end()
    },
  }
}

/** Whether a client has the permission to read the revocations. */
export function mayRead({ client }: Pick<ProvenClient, 'client'>): boolean {
  return client.may.includes('revocations')
}

/**
 * Returns the position behind an event; undefined if there is no such event, or if it has expired.
 * Another process may have sent the event before this process has read it.
 */
async function findPosition(feed: EventFeed, id: string): Promise<LogCursor | undefined> {
  const known = feed.log.after(id)
  if (known) return known

  await feed.tail()
  return feed.log.after(id)
}

/** Creates one stream. It has no queue: the adapter asks for each piece when the peer has room. */
function createStream(
  proven: ProvenClient,
  options: {
    readonly feed: Pick<EventFeed, 'ageSeconds'>
    /**
     * When the request arrived. A later time is safe: the peer then thinks that the events are
     * older.
     */
    readonly openedAt: number
    readonly cursor: LogCursor
    readonly isReset: boolean
    readonly stallMilliseconds: number
    onEnd(): void
  },
): { readonly body: AnswerStream; readonly stream: Stream } {
  const { feed, openedAt, cursor, stallMilliseconds, onEnd } = options
  let mustReset = options.isReset
  let mustBeat = true
  let isWaiting = false
  let askedAt = performance.now()
  let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined

  function next(): Uint8Array<ArrayBuffer> | 'lost' | undefined {
    if (mustReset) {
      mustReset = false
      return reset
    }
    const news = cursor.next()
    if (news || !mustBeat || feed.ageSeconds >= freshSeconds) return news

    mustBeat = false
    return current(openedAt)
  }

  const stream: Stream = {
    proven,
    flush() {
      if (!isWaiting) return
      const piece = next()
      if (piece === undefined) return
      if (piece === 'lost') return stream.end()

      isWaiting = false
      controller?.enqueue(piece)
    },
    beat() {
      mustBeat = true
    },
    isStalled: () => !isWaiting && performance.now() - askedAt > stallMilliseconds,
    end() {
      onEnd()
      // If the peer has not taken the last piece, a regular end would wait for it.
      if (isWaiting) controller?.close()
      else controller?.error(new Error('the stream of revocations was cut'))
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
 * Returns a function that starts `round`, if none is running. If it is called during a round,
 * another round follows.
 */
function createRounds(round: () => Promise<void>): () => Promise<void> {
  let isRunning = false
  // Stryker disable next-line BooleanLiteral: each call sets it
  let isWanted = false

  return async () => {
    isWanted = true
    // Stryker disable next-line ConditionalExpression: more rounds only take more time
    if (isRunning) return

    // Stryker disable next-line BooleanLiteral: more rounds only take more time
    isRunning = true
    while (isWanted) {
      // Stryker disable next-line BooleanLiteral: more rounds only take more time
      isWanted = false
      await round()
      // Stryker disable next-line ObjectLiteral,BooleanLiteral: at exit, saves 20 ms
      await delay(roundMilliseconds, undefined, { ref: false })
    }
    isRunning = false
  }
}
