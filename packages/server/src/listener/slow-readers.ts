import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import {
  nodeHeaders,
  problemAnswer,
  ProblemError,
  writeAnswer,
  type AnswerBody,
  type HttpAnswer,
} from 'keystile/internal'

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
  /** MiB of small answers that their clients have not taken, of all connections together. */
  readonly waitingMebibytes: number
}

/** Writes an answer, or that it cannot be had now. @returns the status that was written */
export type AnswerWriter = (response: ServerResponse, answer: HttpAnswer<AnswerBody>) => number

/**
 * Writes answers, of each connection one at a time, and ends connections whose clients do not take
 * them. The kernel takes and keeps megabytes for each client, however slowly that reads; so large
 * answers are limited in number, and each is the last of its connection, the end of which tells that
 * all of it was taken. A small one is forgotten once the kernel has it. Until then it counts against
 * a limit of bytes: beyond the limit, the connection that has waited longest is reset.
 */
export function createAnswerWriter({ answerMilliseconds, largeAnswers, waitingMebibytes }: ReaderLimits): AnswerWriter {
  const large = new Map<Socket, number>()
  /** Bytes of the small answer that waits. A map keeps its order: the longest wait comes first. */
  const waiting = new Map<Socket, number>()
  let waitingBytes = 0

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

  /** Resets a connection after the time for an answer, unless `taken` closes before. */
  function setDeadline(socket: Socket, taken: ServerResponse | Socket): void {
    // By a reset: what was written before an orderly end would stay with the kernel until it is taken.
    const timer = setTimeout(() => socket.resetAndDestroy(), answerMilliseconds)
    taken.once('close', () => clearTimeout(timer))
  }

  function removeWaiting(socket: Socket): void {
    waitingBytes -= waiting.get(socket) ?? 0
    waiting.delete(socket)
  }

  function addWaiting(socket: Socket, response: ServerResponse, bytes: number): void {
    waiting.set(socket, bytes)
    waitingBytes += bytes
    response.once('close', () => removeWaiting(socket))
    for (const [longest] of waiting) {
      if (waitingBytes <= waitingMebibytes * 2 ** 20) return
      removeWaiting(longest)
      longest.resetAndDestroy()
    }
  }

  return (response, wanted) => {
    const { socket } = response.req
    if (socket.destroyed) return wanted.status
    const answer = isLarge(wanted) && !hasRoom() ? busy : wanted
    if (isLarge(answer)) {
      writeInPieces(response, answer)
      setDeadline(socket, socket)
      // Node would close it when the kernel has all; this waits until the client has, and closes its side.
      socket.destroySoon = () => void socket.end()
      large.set(socket, performance.now())
      socket.once('close', () => large.delete(socket))
    } else {
      writeAnswer(response, answer)
      if (socket.writableLength === 0) return answer.status
      setDeadline(socket, response)
      addWaiting(socket, response, answer.body?.length ?? 0)
    }
    return answer.status
  }
}

function isLarge({ body }: HttpAnswer<AnswerBody>): boolean {
  return (body?.length ?? 0) > largeBytes
}

/** Others come in between: to copy a megabyte takes the kernel a millisecond. */
function writeInPieces(response: ServerResponse, answer: HttpAnswer<AnswerBody>): void {
  const { status, body = '' } = answer
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  response.writeHead(status, { ...nodeHeaders(answer), connection: 'close', 'content-length': bytes.length })
  let written = 0
  const writeNext = (): void => {
    if (response.destroyed) return
    const piece = bytes.subarray(written, (written += pieceBytes))
    if (written < bytes.length) response.write(piece, () => setImmediate(writeNext))
    else response.end(piece)
  }
  writeNext()
}
