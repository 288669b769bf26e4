// The open answers of GET /revocations: how many may be open, when they send, and when they end.
// `event-stream.ts` is one of them.

import { setImmediate, setTimeout as delay } from 'node:timers/promises'
import type { AnswerStream, Logger } from 'keystile/internal'
import type { Clients, ProvenClient } from '../clients/clients.ts'
import type { LogCursor } from '../events/event-log.ts'
import type { EventFeed } from '../events/events.ts'
import { createStream, type Stream } from './event-stream.ts'

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

/** How many streams are served before a pause, in which the server does other work. */
const streamsAtOnce = 50

/**
 * The shortest time between two rounds over all streams. Revocations that arrive in this time are
 * sent in one round, so that 1,000 streams cannot use up the processor.
 */
const roundMilliseconds = 20

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

      const { body, stream } = createStream(feed, {
        proven,
        openedAt,
        position,
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
    const stored = found.get(client.id)
    if (!stored || stored.secretHash !== secretHash || !mayRead(stored)) stream.end()
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
