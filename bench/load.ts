// A load generator that costs less than the servers under test: it uses raw keep-alive sockets and
// prepared requests, and reads only the status and the length of each answer.
import { connect, type Socket } from 'node:net'
import { setPriority } from 'node:os'

export const host = '127.0.0.1' // fixed, so that the load never goes to another machine
const maxConnections = 256
const maxSeconds = 60
const maxRequests = 5_000_000
/** If an answer takes longer than this, the measurement fails. */
const stallSeconds = 30

export interface Load {
  readonly port: number
  readonly connections: number
}

export interface Run {
  /** Returns the next whole request, for any free connection. */
  readonly next: () => Buffer
  /** The time for which requests are sent. */
  readonly seconds: number
  /** The status that every answer must have. */
  readonly expect: number
  /** Called with the body of each answer. Default: bodies are not read. */
  readonly onBody?: ((body: string) => void) | undefined
}

export interface Answers {
  readonly answered: number
  readonly seconds: number
}

export interface OpenLoad {
  /**
   * Keeps one request in flight on each connection. @throws {Error} when an answer has another
   * status
   */
  run(run: Run): Promise<Answers>
  close(): void
}

/**
 * Returns the bytes of a request.
 *
 * @param target the method and the path, such as `GET /users/me`
 * @param fields the header fields in addition to `host` and `content-length`
 */
export function requestBytes(
  target: string,
  fields: Readonly<Record<string, string>> = {},
  body?: string,
): Buffer {
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  const length = body === undefined ? '' : `content-length: ${Buffer.byteLength(body)}\r\n`
  return Buffer.from(
    `${target} HTTP/1.1\r\nhost: ${host}\r\n${lines.join('')}${length}\r\n${body ?? ''}`,
  )
}

/** Makes a function that returns one request after the other, and starts again after the last. */
export function inTurn(requests: readonly Buffer[]): () => Buffer {
  let sent = 0
  return () => requests[sent++ % requests.length]!
}

/**
 * Makes a function that returns each request only once, and throws after the last request. Use it
 * for requests that may be sent only once, such as refreshes.
 */
export function onceEach(requests: readonly Buffer[]): () => Buffer {
  let sent = 0
  return () => {
    const request = requests[sent++]
    if (!request)
      throw new RangeError(
        `all ${requests.length} requests were sent, and each may be sent only once`,
      )
    return request
  }
}

/** Requests of which each is made from the answer to an earlier one. */
export interface Chain {
  next(): Buffer
  onBody(body: string): void
}

/**
 * Makes a chain of requests that may be sent only once, such as refreshes. Begins with `first`.
 *
 * @param follow returns the request that the answer to another request allows
 */
export function inChain(first: readonly Buffer[], follow: (body: string) => Buffer): Chain {
  const waiting = [...first]
  let sent = 0
  return {
    next() {
      const request = waiting[sent++]
      if (!request) throw new RangeError('there must be more requests than connections')
      return request
    },
    onBody: (body) => void waiting.push(follow(body)),
  }
}

/** Opens the connections. The time that this takes is not measured. */
export async function openLoad({ port, connections }: Load): Promise<OpenLoad> {
  if (!(connections >= 1 && connections <= maxConnections))
    throw new RangeError(`connections must be 1 to ${maxConnections}`)
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)))
  return {
    run: (run) => runOn(sockets, run),
    close() {
      for (const socket of sockets) socket.destroy()
    },
  }
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true }, () => resolve(socket))
    socket.once('error', reject)
  })
}

async function runOn(
  sockets: readonly Socket[],
  { next, seconds, expect, onBody }: Run,
): Promise<Answers> {
  if (!(seconds > 0 && seconds <= maxSeconds))
    throw new RangeError(`seconds must be more than 0 and at most ${maxSeconds}`)
  const start = performance.now()
  const end = start + seconds * 1000
  let sent = 0
  let answered = 0
  const nextInTime = (): Buffer | undefined =>
    sent++ < maxRequests && performance.now() < end ? next() : undefined
  const priority = raisePriority()
  try {
    const onAnswer = (reader: AnswerReader): void => {
      answered++
      onBody?.(reader.readBody())
    }
    await Promise.all(sockets.map((socket) => ask(socket, nextInTime, expect, onAnswer)))
  } finally {
    priority.end()
  }
  return { answered, seconds: (performance.now() - start) / 1000 }
}

/** Sends one request after the other on a connection, until `next` returns undefined. */
function ask(
  socket: Socket,
  next: () => Buffer | undefined,
  expect: number,
  onAnswer: (reader: AnswerReader) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const reader = createAnswerReader(expect)
    const done = (error?: Error): void => {
      for (const event of ['data', 'close', 'error', 'timeout']) socket.removeAllListeners(event)
      socket.setTimeout(0)
      if (error) reject(error)
      else resolve()
    }
    const send = (): void => {
      const request = next()
      if (request) socket.write(request)
      else done()
    }
    socket.setTimeout(stallSeconds * 1000)
    socket.on('timeout', () => done(new Error(`no answer within ${stallSeconds} s`)))
    socket.on('error', done)
    socket.on('close', () => done(new Error('the server closed the connection')))
    socket.on('data', (chunk: Buffer) => {
      try {
        if (!reader.isWhole(chunk)) return
        onAnswer(reader)
        send()
      } catch (error) {
        done(error as Error)
      }
    })
    send()
  })
}

/**
 * Reads the answers on one connection. The next answer may begin only after the previous answer has
 * ended.
 */
export interface AnswerReader {
  /**
   * Whether the answer has arrived whole. @throws {Error} when it has a status that is not expected
   */
  isWhole(chunk: Buffer): boolean
  /** The status of the last answer. */
  readonly status: number
  /** Returns the body of the last answer that was whole. */
  readBody(): string
  /** The `Retry-After` of the last answer, or 0. */
  readonly retryAfterSeconds: number
}

export function createAnswerReader(...expected: readonly number[]): AnswerReader {
  let pending: Buffer | undefined
  let status = 0
  let retryAfterSeconds = 0
  let body: Buffer = Buffer.alloc(0)
  return {
    readBody: () => body.toString(),
    get status() {
      return status
    },
    get retryAfterSeconds() {
      return retryAfterSeconds
    },
    isWhole(chunk) {
      const bytes = pending ? Buffer.concat([pending, chunk]) : chunk
      const headEnd = bytes.indexOf('\r\n\r\n')
      if (headEnd < 0) {
        pending = bytes
        return false
      }
      const head = bytes.toString('latin1', 0, headEnd)
      status = Number(head.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length))
      if (!expected.includes(status)) {
        throw new Error(
          `the status of an answer must be ${expected.join(' or ')}; the answer is ` +
            bytes.toString('latin1', 0, 600),
        )
      }
      retryAfterSeconds =
        status === 200 ? 0 : Number(/\r\nretry-after: *(\d+)/i.exec(head)?.[1] ?? 0)
      const [, length] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? []
      if (length === undefined) throw new Error('an answer must have a content-length')
      const missing = headEnd + 4 + Number(length) - bytes.length
      if (missing < 0) throw new Error('an answer is longer than its content-length')
      pending = missing > 0 ? bytes : undefined
      body = bytes.subarray(headEnd + 4)
      return missing === 0
    },
  }
}

/**
 * Raises the priority of this thread, so that on a busy machine the load generator does not have to
 * wait. Only root may do this; for other users, this function does nothing. On Linux, only the
 * priority of this thread changes. Servers that are started later keep their normal priority.
 */
export function raisePriority(): { end(): void } {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return { end() {} }
  setPriority(0, -10)
  return { end: () => setPriority(0, 0) }
}
