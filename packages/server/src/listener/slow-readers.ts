import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import {
  cancelStream,
  problemAnswer,
  ProblemError,
  type AnswerBody,
  type HttpAnswer,
} from 'keystile/internal'
import { nodeHeaders, writeAnswer } from 'keystile/internal-node'

/** The size of a piece of a large answer. The kernel copies one piece in less than 0.1 ms. */
const pieceBytes = 65_536
/**
 * The largest size of a small answer. A large answer has more bytes; only files of `/docs` are
 * large.
 */
const maxSmallBytes = pieceBytes
/**
 * For this time after the start of a large answer, the server does not end the answer to make room
 * for another client.
 */
const fairMilliseconds = 1_000

const busy = problemAnswer(
  new ProblemError('temporarily_unavailable', 'Too many clients are reading this at the moment', {
    retryAfterSeconds: 1,
  }),
)

export interface ReaderLimits {
  /** The longest time from the start of an answer until the client has received all of it. */
  readonly answerMilliseconds: number
  /**
   * The largest number of large answers at the same time. If a client requests one more, the server
   * ends the oldest answer. If the oldest answer started less than a second ago, the server refuses
   * the new request instead.
   */
  readonly largeAnswers: number
  /** The largest total size, in MiB, of the small answers that clients have not read yet. */
  readonly waitingMebibytes: number
}

/**
 * Writes an answer, or a refusal if there is no room for the answer. Returns the status that was
 * written.
 */
export type AnswerWriter = (response: ServerResponse, answer: HttpAnswer<AnswerBody>) => number

/**
 * Creates a function that writes answers and resets connections whose clients do not read them.
 * This stops an attack that fills the memory: many clients request answers and do not read them.
 * Does NOT support two answers at the same time on one connection.
 *
 * - Large answers: the kernel buffers megabytes for each client. So their number is limited, and
 *   each large answer is the last answer of its connection. The end of the connection shows that
 *   the client has received the whole answer.
 * - Streams: `writeAnswer` waits for the client before each piece, and the stream itself ends if a
 *   client is too slow.
 * - Small answers: the bytes that the kernel does not have yet are counted. If there are more than
 *   the limit, the connection that has waited longest is reset.
 */
export function createAnswerWriter({
  answerMilliseconds,
  largeAnswers,
  waitingMebibytes,
}: ReaderLimits): AnswerWriter {
  const large = createLargeAnswers(largeAnswers)
  const waiting = createWaitingAnswers(waitingMebibytes * 2 ** 20)

  /**
   * Resets the connection after `answerMilliseconds`, unless `answered` has been closed by then.
   */
  function setDeadline(socket: Socket, answered: ServerResponse | Socket): void {
    // A reset also frees memory: after a normal end, the kernel would keep the written bytes until
    // the client reads them.
    const timer = setTimeout(() => socket.resetAndDestroy(), answerMilliseconds)
    answered.once('close', () => clearTimeout(timer))
  }

  return (response, wanted) => {
    const { socket } = response.req
    if (socket.destroyed) {
      cancelStream(wanted.stream)
      return wanted.status
    }

    const answer = isLarge(wanted) && !large.makeRoom() ? busy : wanted
    if (isLarge(answer)) {
      writeInPieces(response, answer)
      setDeadline(socket, socket)
      // `destroySoon` would close the connection when the kernel has all bytes. `end` waits until
      // the client has them.
      socket.destroySoon = () => void socket.end()
      large.add(socket)
    } else {
      writeAnswer(response, answer)
      if (answer.stream || socket.writableLength === 0) return answer.status

      setDeadline(socket, response)
      waiting.add(socket, response, answer.body?.length ?? 0)
    }
    return answer.status
  }
}

/** Counts the connections with a large answer. */
function createLargeAnswers(limit: number): {
  /**
   * Makes room for one more large answer. If there is none, resets the connection of the oldest
   * large answer, unless that answer started less than a second ago.
   *
   * @returns whether there is room now
   */
  makeRoom(): boolean
  add(socket: Socket): void
} {
  /** Maps each connection to the time at which the answer started. */
  const large = new Map<Socket, number>()

  return {
    makeRoom() {
      const [oldest] = large // a map keeps the order of insertion
      if (!oldest || large.size < limit) return true

      const [socket, since] = oldest
      if (performance.now() - since < fairMilliseconds) return false

      large.delete(socket)
      socket.resetAndDestroy()
      return true
    },
    add(socket) {
      large.set(socket, performance.now())
      socket.once('close', () => large.delete(socket))
    },
  }
}

/**
 * Counts the bytes of the small answers that wait for their clients. If more than `maxBytes` wait,
 * resets the connections that have waited longest.
 */
function createWaitingAnswers(maxBytes: number): {
  add(socket: Socket, response: ServerResponse, bytes: number): void
} {
  const waiting = new Map<Socket, number>()
  let waitingBytes = 0

  function remove(socket: Socket): void {
    waitingBytes -= waiting.get(socket) ?? 0
    waiting.delete(socket)
  }

  return {
    add(socket, response, bytes) {
      waiting.set(socket, bytes)
      waitingBytes += bytes
      response.once('close', () => remove(socket))

      for (const [longest] of waiting) {
        if (waitingBytes <= maxBytes) return
        remove(longest)
        longest.resetAndDestroy()
      }
    },
  }
}

function isLarge({ body }: HttpAnswer<AnswerBody>): boolean {
  return (body?.length ?? 0) > maxSmallBytes
}

/**
 * Writes an answer in pieces, so that the server can serve other connections between two pieces.
 * Otherwise all other connections would wait while the kernel copies the whole answer: a
 * millisecond for each megabyte.
 */
function writeInPieces(response: ServerResponse, answer: HttpAnswer<AnswerBody>): void {
  const { status, body = '' } = answer
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  response.writeHead(status, {
    ...nodeHeaders(answer),
    connection: 'close',
    'content-length': bytes.length,
  })
  let written = 0
  const writeNext = (): void => {
    if (response.destroyed) return
    const piece = bytes.subarray(written, (written += pieceBytes))
    if (written < bytes.length) response.write(piece, () => setImmediate(writeNext))
    else response.end(piece)
  }
  writeNext()
}
