// A reader of GET /revocations, for tests. It uses a connection of its own.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Mountable } from 'keystile/internal'
import { mount } from 'keystile/node'
import { until } from '../../../tools/until.ts'

/** A server-sent event. */
export interface ServerEvent {
  readonly event: string
  readonly id: string | undefined
  // The type is `any`, so that tests can use the members that they expect.
  readonly data: Record<string, any> // oxlint-disable-line typescript/no-explicit-any
}

export interface Reader {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  /** The body of a refusal. */
  text(): Promise<string>
  /** Returns the next event. If the answer ends first, an assertion fails. */
  next(): Promise<ServerEvent>
  /** Returns the next event that is not a heartbeat. After two minutes, an assertion fails. */
  nextChange(): Promise<ServerEvent>
  /** Returns the events until the next `current`, without it. */
  untilCurrent(): Promise<readonly ServerEvent[]>
  /** Waits for the end of the answer. `cut`: the connection ended in the middle of it. */
  untilEnd(): Promise<'complete' | 'cut'>
  /** Stops reading, but keeps the connection open. */
  stall(): void
  /** Reads again. */
  resume(): void
  close(): void
}

interface Credentials {
  readonly client_id?: string
  readonly client_secret?: string
}

/** Returns the value of an `Authorization` header. */
function basicOf({ client_id = '', client_secret = '' }: Credentials): string {
  return `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`
}

/** Opens a stream of revocations. */
export async function openReader(
  url: string,
  credentials: Credentials | undefined,
  { lastEventId, method = 'GET' }: { lastEventId?: string | undefined; method?: string } = {},
): Promise<Reader> {
  const sending = request(url, {
    method,
    agent: false,
    headers: {
      accept: 'text/event-stream',
      ...(credentials && { authorization: basicOf(credentials) }),
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    },
  }).end()
  const [response] = (await once(sending, 'response')) as [IncomingMessage]
  response.on('error', () => {}) // `untilEnd` tells how the answer ended
  response.setEncoding('utf8')

  let received = ''
  let hasEnded = false
  let wake = (): void => {}
  const stopped = new Promise<void>((resolve) => {
    response.once('close', () => {
      hasEnded = true
      wake()
      resolve()
    })
  })
  const receive = (chunk: string): void => {
    received += chunk
    wake()
  }
  response.on('data', receive)

  async function next(): Promise<ServerEvent> {
    for (;;) {
      const end = received.indexOf('\n\n')
      if (end >= 0) {
        const event = parseEvent(received.slice(0, end))
        received = received.slice(end + 2)
        return event
      }
      assert.ok(!hasEnded, `the answer ended with: ${received}`)
      await soon(new Promise<void>((resolve) => (wake = resolve)))
    }
  }

  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    async text() {
      await soon(stopped)
      return received
    },
    next,
    async nextChange() {
      return until(async () => {
        const event = await next()
        return event.event !== 'current' && event
      })
    },
    async untilCurrent() {
      const events: ServerEvent[] = []
      for (;;) {
        const event = await next()
        if (event.event === 'current') return events
        events.push(event)
      }
    },
    async untilEnd() {
      await soon(stopped)
      return response.complete ? 'complete' : 'cut'
    },
    stall: () => void response.pause(),
    resume: () => void response.resume(),
    close: () => void sending.destroy(),
  }
}

/** Waits for a promise, but not forever: a stream that never ends would stop all tests. */
async function soon(promise: Promise<void>): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error('two minutes have passed')), 120_000)
  await Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

function parseEvent(text: string): ServerEvent {
  const fields = new Map(
    text.split('\n').map((line) => {
      const [, name = '', value = ''] = /^(\w+): (.*)$/.exec(line) ?? assert.fail(`line: ${line}`)
      return [name, value]
    }),
  )
  return {
    event: fields.get('event') ?? '',
    id: fields.get('id'),
    data: JSON.parse(fields.get('data') ?? ''),
  }
}

/** Mounts Keystile in a node:http server on a port of the loopback address. */
export async function serveOnSocket(
  keystile: Mountable,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const mounted = mount(keystile)
  const listener: RequestListener = (incoming, response) =>
    void mounted(incoming, response, () => response.writeHead(404).end())
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
