// A revocation feed in node:http on the loopback. A test says what it sends.
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A revocation as the server knows it. */
export interface SentRevocation {
  readonly kind: string
  readonly value: string
  readonly expires_at?: number
}

export interface ScriptedFeed {
  readonly issuer: string
  /** The requests in their order. */
  readonly requests: { readonly url: string; readonly headers: IncomingHttpHeaders }[]
  /** The number of open streams. */
  readonly open: number
  /** Answers requests instead of the feed, if set. */
  instead: ((response: ServerResponse) => void) | undefined
  /** Whether streams get the event `current` at once and then ten times a second. */
  beats: boolean
  /** What a new stream gets first. */
  opening: (lastEventId: string | undefined) => string
  /** Sends a text to all open streams. */
  send(text: string): void
  /** Sends the event `current` to all open streams. */
  beat(): void
  /** Ends all connections. */
  cut(): void
  /** Stops listening, and ends all connections. */
  stop(): Promise<void>
  /** Listens again on the same port. */
  restart(): Promise<void>
}

/** The text of a `revocation` event. */
export function revocation(id: string, event: SentRevocation): string {
  const data = JSON.stringify({ expires_at: Date.now() + 600_000, ...event })
  return `event: revocation\nid: ${id}\ndata: ${data}\n\n`
}

/** The text of a `current` event that was sent some milliseconds after the request had arrived. */
export const current = (elapsed: number): string =>
  `event: current\ndata: {"elapsed_ms":${Math.floor(elapsed)}}\n\n`
export const reset = 'event: reset\ndata: {}\n\n'

export async function startFeed(): Promise<ScriptedFeed> {
  const streams = new Map<ServerResponse, number>()
  const server = createServer((request, response) => {
    feed.requests.push({ url: request.url!, headers: request.headers })
    if (feed.instead) return feed.instead(response)
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
    response.flushHeaders()
    const id = request.headers['last-event-id']
    response.write(feed.opening(typeof id === 'string' ? id : undefined))
    if (feed.beats) response.write(current(0))
    streams.set(response, performance.now())
    response.once('close', () => streams.delete(response))
  })
  const timer = setInterval(() => feed.beats && feed.beat(), 100)
  const feed: ScriptedFeed = {
    issuer: '',
    requests: [],
    get open() {
      return streams.size
    },
    instead: undefined,
    beats: true,
    opening: () => '',
    send(text) {
      for (const stream of streams.keys()) stream.write(text)
    },
    beat() {
      for (const [stream, openedAt] of streams) {
        stream.write(current(performance.now() - openedAt))
      }
    },
    cut: () => server.closeAllConnections(),
    async stop() {
      clearInterval(timer)
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
    async restart() {
      await once(server.listen(port, '127.0.0.1'), 'listening')
    },
  }
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return Object.defineProperty(feed, 'issuer', { value: `http://127.0.0.1:${port}` })
}
