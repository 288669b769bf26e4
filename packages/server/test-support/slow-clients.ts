// Slow clients, which connect only to the loopback address. Each client begins a request or an
// answer and never finishes it.
import { connect, type Socket } from 'node:net'

const host = '127.0.0.1' // fixed, so that this code cannot attack another machine
const maxClients = 16_000

export type Slowness =
  /** Sends a header line from time to time, but never the end of the header. */
  | 'slow headers'
  /** Sends a byte of the body from time to time. */
  | 'slow bodies'
  /** Asks for large answers, and reads almost nothing. */
  | 'slow readers'
  /** Asks for a small answer and then a large one, and reads almost nothing. */
  | 'slow readers behind another answer'
  /** Asks for many small answers, which all wait for the answer to a login. */
  | 'slow readers behind a login'
  /** Sends more than a thousand requests without a wait, and reads nothing. */
  | 'pipelining'
  /** Sends one request, and then nothing. */
  | 'idle'
  /** Connects, and sends nothing. */
  | 'silent'

export interface SlowClients {
  /**
   * The number of connections that are open for the clients. A slow reader does not notice when the
   * server ends the connection.
   */
  open(): number
  /** The bytes that each client has received until now, as text. */
  answers(): readonly string[]
  close(): void
}

interface SlowOptions {
  readonly port: number
  readonly count: number
  /**
   * The time between two pieces that a client sends, or between two bytes that a slow reader reads.
   */
  readonly everyMilliseconds?: number
}

/** Connects the clients, a hundred at a time. */
export async function startSlowClients(
  slowness: Slowness,
  { port, count, everyMilliseconds = 1_000 }: SlowOptions,
): Promise<SlowClients> {
  if (!(count >= 1 && count <= maxClients))
    throw new RangeError(`count must be from 1 to ${maxClients}`)
  const clients: { readonly socket: Socket; answer: string; isOpen: boolean }[] = []
  for (let started = 0; started < count; started += 100) {
    const group = Array.from({ length: Math.min(100, count - started) }, () => open(port))
    for (const socket of await Promise.all(group)) {
      const client = { socket, answer: '', isOpen: true }
      socket.on('error', () => {})
      socket.once('close', () => (client.isOpen = false))
      if (isReader(slowness) || slowness === 'pipelining') socket.pause()
      else socket.on('data', (chunk: Buffer) => (client.answer += chunk.toString('latin1')))
      socket.write(beginnings[slowness])
      clients.push(client)
    }
  }
  const timer = setInterval(() => {
    const piece = pieces[slowness]
    for (const { socket, isOpen } of clients) {
      if (!isOpen) continue
      if (piece !== undefined) socket.write(piece)
      if (isReader(slowness)) socket.read(1)
    }
  }, everyMilliseconds)
  return {
    open: () => clients.filter(({ isOpen }) => isOpen).length,
    answers: () => clients.map(({ answer }) => answer),
    close() {
      clearInterval(timer)
      for (const { socket } of clients) socket.destroy()
    },
  }
}

const form =
  'POST /token HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\n'
const beginnings: Readonly<Record<Slowness, string>> = {
  'slow headers': 'GET /healthz HTTP/1.1\r\nhost: localhost\r\n',
  'slow bodies': `${form}content-length: 4096\r\n\r\nusername=`,
  // The kernel's buffers can hold one whole answer, so the client asks for several.
  'slow readers': get('/docs/swagger-ui-bundle.js').repeat(8),
  'slow readers behind another answer': `${get('/healthz')}${get('/docs/swagger-ui-bundle.js')}`,
  'slow readers behind a login': `${form}content-length: 21\r\n\r\nusername=a&password=b${get('/openapi.json').repeat(90)}`,
  pipelining: get('/openapi.json').repeat(1_700),
  idle: get('/healthz'),
  silent: '',
}
const pieces: Readonly<Partial<Record<Slowness, string>>> = {
  'slow headers': 'x-more: 1\r\n',
  'slow bodies': 'a',
}

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`
}

function isReader(slowness: Slowness): boolean {
  return slowness.startsWith('slow readers')
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port }, () => resolve(socket))
    socket.once('error', reject)
  })
}
