// An HTTP client that sends exactly the given headers and body, or raw bytes on a connection.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  createServer,
  request as open,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'

export interface Sent {
  readonly method?: string
  readonly path: string
  /** Header names and values, alternating: name, value, name, value. A name may appear twice. */
  readonly headers?: readonly string[]
  readonly body?: string | Uint8Array
}

export interface Received {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly text: string
}

export interface Client {
  send(sent: Sent): Promise<Received>
  /** Opens a separate connection. */
  connect(): Connection
}

export interface Served extends Client {
  readonly server: Server
  readonly port: number
  close(): Promise<void>
}

export async function serve(listener: RequestListener): Promise<Served> {
  const server = createServer(listener)
  // No keep-alive timeout: the test must notice a connection that hangs.
  server.keepAliveTimeout = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    server,
    port,
    ...clientOf(port),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Makes a client of a server on this machine. */
export function clientOf(port: number): Client {
  return {
    async send({ method = 'GET', path, headers = [], body }) {
      const hasBody = body !== undefined || !['GET', 'HEAD'].includes(method)
      const length = !hasBody ? [] : ['content-length', String(Buffer.byteLength(body ?? ''))]
      const raw = ['host', 'localhost', 'connection', 'close', ...length, ...headers]
      const sending = open({ host: '127.0.0.1', port, method, path, headers: raw, agent: false })
      sending.end(body)
      const [response] = (await once(sending, 'response')) as [IncomingMessage]
      let text = ''
      for await (const chunk of response.setEncoding('utf8')) text += chunk
      return {
        status: response.statusCode!,
        headers: response.headers as Received['headers'],
        text,
      }
    },
    connect: () => openConnection(port),
  }
}

/** A connection for several requests, whose answers the test reads one by one. */
export interface Connection {
  readonly socket: Socket
  write(text: string): void
  /**
   * Returns the next answer. If the connection ends before the answer is complete, an assertion
   * fails.
   */
  read(): Promise<Received>
}

function openConnection(port: number): Connection {
  const socket = connect(port, '127.0.0.1')
  let received = ''
  let wake = (): void => {}
  let ended = false
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    received += chunk
    wake()
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    ended = true
    wake()
  })
  /**
   * Waits until `find` finds something in the received text. Removes that part of the text, and
   * returns what was found.
   */
  const take = async <T>(
    find: () => { readonly value: T; readonly length: number } | undefined,
  ): Promise<T> => {
    for (;;) {
      const found = find()
      if (found) {
        received = received.slice(found.length)
        return found.value
      }
      assert.ok(!ended, `the connection ended after: ${received}`)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  const takeUntil = (mark: string): Promise<string> =>
    take(() => {
      const at = received.indexOf(mark)
      return at < 0 ? undefined : { value: received.slice(0, at), length: at + mark.length }
    })
  const takeBytes = (length: number): Promise<string> =>
    take(() =>
      received.length < length ? undefined : { value: received.slice(0, length), length },
    )
  return {
    socket,
    write: (text) => void socket.write(text, 'latin1'),
    async read() {
      const [first = '', ...fields] = (await takeUntil('\r\n\r\n')).split('\r\n')
      const [, status] =
        /^HTTP\/1\.1 (\d{3})/.exec(first) ?? assert.fail(`no answer, but: ${first}`)
      const headers = Object.fromEntries(
        fields.map((field) => [
          field.slice(0, field.indexOf(':')).toLowerCase(),
          field.slice(field.indexOf(':') + 1).trim(),
        ]),
      )
      let text = ''
      if (headers['transfer-encoding'] === 'chunked') {
        for (;;) {
          const size = Number.parseInt(await takeUntil('\r\n'), 16)
          text += await takeBytes(size)
          await takeUntil('\r\n')
          if (size === 0) break
        }
      } else text = await takeBytes(Number(headers['content-length'] ?? 0))
      return { status: Number(status), headers, text }
    },
  }
}
