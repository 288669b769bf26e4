import type { ServerResponse } from 'node:http'
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
 * tells that all of it was taken. Of a small one the kernel has all at once, and it is forgotten here.
 */
export function createAnswerWriter({ answerMilliseconds, largeAnswers }: ReaderLimits): AnswerWriter {
  const large = new Map<NonNullable<ServerResponse['socket']>, number>()

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

  return (response, answer) => {
    const { socket } = response
    const isLarge = (answer.body?.length ?? 0) > largeBytes
    if (isLarge && !hasRoom()) {
      writeAnswer(response, busy)
      return busy.status
    }
    if (isLarge) writeInPieces(response, answer)
    else writeAnswer(response, answer)
    if (!socket || (!isLarge && socket.writableLength === 0)) return answer.status
    // By a reset: what was written before an orderly end would stay with the kernel until it is taken.
    const timer = setTimeout(() => socket.resetAndDestroy(), answerMilliseconds)
    socket.once('close', () => clearTimeout(timer))
    if (isLarge) {
      // Node would close it when the kernel has all; this waits until the client has, and closes its side.
      socket.destroySoon = () => void socket.end()
      large.set(socket, performance.now())
      socket.once('close', () => large.delete(socket))
    } else {
      response.once('finish', () => clearTimeout(timer))
    }
    return answer.status
  }
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
