import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { problemAnswer, ProblemError, writeAnswer, type AnswerBody, type HttpAnswer } from 'keystile/internal'

const pieceBytes = 65_536
/** More than any answer of an endpoint has: a file of `/docs`. */
const largeBytes = pieceBytes
/** A large answer has this time to itself, whoever else wants one. */
const fairMilliseconds = 1_000

const busy = problemAnswer(
  new ProblemError('temporarily_unavailable', 'Too many read this at the moment', { retryAfterSeconds: 1 }),
)

export interface ReaderLimits {
  /** From the answer to its last byte being taken. */
  readonly answerMilliseconds: number
  /** Large answers at once. For one more, the one that has taken longest is cut off, or it is refused where that is young. */
  readonly largeAnswers: number
}

/** Writes an answer, or that it cannot be had now. @returns the status that was written */
export type AnswerWriter = (response: ServerResponse, answer: HttpAnswer<AnswerBody>) => number

/**
 * Writes answers, and ends connections whose clients do not take them. The kernel takes and keeps megabytes for each client,
 * however slowly that reads; so large answers are limited in number, and each is the last of its connection, the end of which
 * tells that all of it was taken. Of a small one the kernel has all at once, and it is forgotten here. An answer that waits behind
 * others of its connection is not taken either.
 */
export function createAnswerWriter({ answerMilliseconds, largeAnswers }: ReaderLimits): AnswerWriter {
  const large = new Map<Socket, number>()
  const deadlines = new WeakMap<Socket, Set<NodeJS.Timeout>>()

  /** Whether there is room for one more, made if need be. */
  function hasRoom(): boolean {
    const [longest] = large // a map keeps its order
    if (!longest || large.size < largeAnswers) return true
    const [socket, since] = longest
    if (performance.now() - since < fairMilliseconds) return false
    large.delete(socket)
    socket.resetAndDestroy()
    return true
  }

  /** Ends a connection after the time for an answer. @returns what calls that off; the connection's own end does so too */
  function setDeadline(socket: Socket): () => void {
    const known = deadlines.get(socket)
    const timers = known ?? new Set()
    if (!known) {
      deadlines.set(socket, timers)
      // One listener for all, for a client may send thousands of requests at once.
      socket.once('close', () => timers.forEach((timer) => clearTimeout(timer)))
    }
    // By a reset: what was written before an orderly end would stay with the kernel until it is taken.
    const timer = setTimeout(() => socket.resetAndDestroy(), answerMilliseconds)
    timers.add(timer)
    return () => {
      clearTimeout(timer)
      timers.delete(timer)
    }
  }

  return (response, wanted) => {
    const { socket } = response.req // the response itself has none until those before it are written
    const hasLast = socket.destroyed || large.has(socket) // so another large one takes no room: it is never sent
    const answer = isLarge(wanted) && !hasLast && !hasRoom() ? busy : wanted
    if (isLarge(answer)) {
      writeInPieces(response, answer)
      if (hasLast) return answer.status
      setDeadline(socket)
      // Node would close it when the kernel has all; this waits until the client has, and closes its side.
      socket.destroySoon = () => void socket.end()
      large.set(socket, performance.now())
      socket.once('close', () => large.delete(socket))
    } else {
      writeAnswer(response, answer)
      const isTaken = response.socket !== null && socket.writableLength === 0
      if (!isTaken && !socket.destroyed) response.once('finish', setDeadline(socket))
    }
    return answer.status
  }
}

function isLarge({ body }: HttpAnswer<AnswerBody>): boolean {
  return (body?.length ?? 0) > largeBytes
}

/** Others come in between: to copy a megabyte takes the kernel a millisecond. */
function writeInPieces(response: ServerResponse, { status, headers, body = '' }: HttpAnswer<AnswerBody>): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  response.writeHead(status, { ...headers, connection: 'close', 'content-length': bytes.length })
  let written = 0
  const writeNext = (): void => {
    if (response.destroyed) return
    const piece = bytes.subarray(written, (written += pieceBytes))
    if (written < bytes.length) response.write(piece, () => setImmediate(writeNext))
    else response.end(piece)
  }
  writeNext()
}
