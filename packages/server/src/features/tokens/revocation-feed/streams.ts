// The open answers of GET /revocations. All of them send the same revocations, whose bytes are
// stored once, in the log. Each answer has only its own position in the log, and its own
// heartbeats.
import { setImmediate, setTimeout as delay } from 'node:timers/promises'
import type { AnswerStream, Logger } from 'keystile/internal'
import type { Clients, ProvenClient } from '../clients/clients.ts'
import type { LogCursor } from '../events/event-log.ts'
import type { EventFeed } from '../events/events.ts'

export interface StreamLimits {
  readonly streams: number
  /** The largest number of open streams of one client. */
  readonly streamsOfClient: number
  /** How long a peer may go without reading. After that, the server ends the stream. */
  readonly stallMilliseconds: number
}

/** The limits of a server. Tests use smaller limits. */
const standardStreamLimits: StreamLimits = {
  streams: 1_000,
  streamsOfClient: 100,
  stallMilliseconds: 10_000,
}

/** The time between two heartbeats. A verifier is `stale` after 4 s without a heartbeat. */
const heartbeatMilliseconds = 1_000
/**
 * How old the latest read of the events may be when a heartbeat is sent, in seconds. A heartbeat
 * promises that the peer has all revocations, except those of the last second. If the read is
 * older, the server could not keep this promise, so it sends no heartbeat.
 */
const freshSeconds = 1
/** How many streams are served before a pause, in which the server does other work. */
const streamsAtOnce = 50
/**
 * The shortest time between two rounds over all streams. Revocations that arrive in this time are
 * sent in one round, so that 1,000 streams cannot use up the processor.
 */
const roundMilliseconds = 20

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

export interface RevocationStreams {
  readonly count: number
  /**
   * Opens a stream. If the event `lastEventId` is known, the stream begins with the revocations
   * after it. Otherwise the stream begins with a `reset` and all revocations. Then each new
   * revocation follows. Returns `client full` if the client has too many streams. Returns `full` if
   * all clients together have too many streams, or if the server stops.
   *
   * @throws {DatabaseUnavailableError} if the event is not in memory, and the new events cannot be
   *   read from the database
   */
  open(
    client: ProvenClient,
    lastEventId: string | undefined,
  ): Promise<AnswerStream | 'full' | 'client full'>
  /** Ends all streams. After this call, `open()` returns `full`. */
  close(): void
}

interface Stream {
  readonly proven: ProvenClient
  /** Sends the next piece of the stream, if there is one and the peer can receive it. */
  flush(): void
  /** Makes the next `flush` send a heartbeat. */
  beat(): void
  isStalled(): boolean
  end(): void
}

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
  const flushAll = createRounds(() => flushEach(streams))
  let isClosed = false
  let checking: Promise<void> | undefined

  function beat(): void {
    for (const stream of streams) {
      if (stream.isStalled()) endStalled(stream, logger)
      else stream.beat()
    }
    void flushAll()
    // Without the database there is no heartbeat, so the peers become `stale`.
    checking ??= endRefused(streams, clients)
      .catch((error: unknown) => logger.debug({ err: error }, 'clients cannot be read'))
      .finally(() => (checking = undefined))
  }

  feed.onRead(() => void flushAll())
  feed.onEvent(({ kind, value }) => {
    if (kind === 'client') for (const stream of streamsOf(streams, value)) stream.end()
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
      if (streamsOf(streams, proven.client.id).length >= limits.streamsOfClient)
        return 'client full'

      const { body, stream } = createStream(proven, {
        pieces: createPieces(feed, { openedAt, position }),
        stallMilliseconds: limits.stallMilliseconds,
        onEnd: () => streams.delete(stream),
      })
      streams.add(stream)
      return body
    },
    close() {
      isClosed = true
      clearInterval(timer)
      for (const stream of streams) stream.end()
    },
  }
}

async function flushEach(streams: ReadonlySet<Stream>): Promise<void> {
  let flushed = 0
  for (const stream of streams) {
    stream.flush()
    if (++flushed % streamsAtOnce === 0) await setImmediate()
  }
}

function streamsOf(streams: ReadonlySet<Stream>, clientId: string): readonly Stream[] {
  return [...streams].filter(({ proven }) => proven.client.id === clientId)
}

function endStalled(stream: Stream, logger: Logger): void {
  const fields = { client: stream.proven.client.id }
  logger.warn(fields, 'a reader of revocations took no bytes; its connection is cut')
  stream.end()
}

/** Ends the streams of clients that were disabled, or lost their secret or permission. */
async function endRefused(
  streams: ReadonlySet<Stream>,
  clients: Pick<Clients, 'findAll'>,
): Promise<void> {
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

export function mayRead({ client }: Pick<ProvenClient, 'client'>): boolean {
  return client.may.includes('revocations')
}

/**
 * Returns the position after an event; undefined if the event does not exist or has expired. If the
 * event is not in memory, reads new events first, because another process may have sent this event
 * to the peer.
 */
async function findPosition(feed: EventFeed, id: string): Promise<LogCursor | undefined> {
  const known = feed.log.after(id)
  if (known) return known

  await feed.tail()
  return feed.log.after(id)
}

interface Pieces {
  /** Returns what to send next. Undefined if nothing is left at the moment. */
  next(): Uint8Array<ArrayBuffer> | 'lost' | undefined
  /** Makes a heartbeat follow the revocations. */
  beat(): void
}

/**
 * Creates the pieces of one stream, in their order.
 *
 * @param options.openedAt when the request arrived. If this time is later than the real arrival,
 *   the peer computes an age of the events that is too high, which is safe.
 * @param options.position default: a `reset`, and all revocations
 */
function createPieces(
  feed: Pick<EventFeed, 'ageSeconds' | 'log'>,
  options: { readonly openedAt: number; readonly position: LogCursor | undefined },
): Pieces {
  const { openedAt, position } = options
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

/**
 * Creates one stream. The stream has no queue: the adapter asks for each piece when the peer can
 * receive more.
 */
function createStream(
  proven: ProvenClient,
  options: { readonly pieces: Pieces; readonly stallMilliseconds: number; onEnd(): void },
): { readonly body: AnswerStream; readonly stream: Stream } {
  const { pieces, stallMilliseconds, onEnd } = options
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
 * Returns a function that starts `round`, unless a round is running. If it is called during a
 * round, one more round follows.
 */
function createRounds(round: () => Promise<void>): () => Promise<void> {
  let isRunning = false
  let isWanted = false

  return async () => {
    isWanted = true
    if (isRunning) return

    isRunning = true
    while (isWanted) {
      isWanted = false
      await round()
      await delay(roundMilliseconds, undefined, { ref: false })
    }
    isRunning = false
  }
}
