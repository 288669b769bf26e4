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
/** Larger than any answer of an endpoint; files of `/docs` are larger. */
const largeBytes = pieceBytes
/** No other client can end a large answer before that time. */
const fairMilliseconds = 1_000

const busy = problemAnswer(
  new ProblemError('temporarily_unavailable', 'Too many read this at the moment', {
    retryAfterSeconds: 1,
  }),
)

export interface ReaderLimits {
  /** From the answer until the client has taken its last byte. */
  readonly answerMilliseconds: number
  /** Large answers at once. One more ends the oldest, or is refused while that one is young. */
  readonly largeAnswers: number
  /** MiB of small answers that their clients have not taken, of all connections together. */
  readonly waitingMebibytes: number
}

/** Writes an answer, or refuses it for now. Returns the status that it wrote. */
export type AnswerWriter = (response: ServerResponse, answer: HttpAnswer<AnswerBody>) => number

/**
 * Writes answers, one at a time for each connection, and ends connections whose clients do not take
 * them. The kernel keeps megabytes for each client, however slowly it reads. So large answers are
 * limited in number, and each is the last of its connection: the end of the connection shows that
 * the client has taken all of it. A small answer counts against a limit of bytes until the kernel
 * has it. Beyond that limit, the connection that has waited longest is reset.
 */
export function createAnswerWriter({
  answerMilliseconds,
  largeAnswers,
  waitingMebibytes,
}: ReaderLimits): AnswerWriter {
  const large = new Map<Socket, number>()
  /** Bytes of the small answer that waits. The longest wait comes first: a map keeps its order. */
  const waiting = new Map<Socket, number>()
  let waitingBytes = 0

  /** Whether there is room for one more large answer. Ends the oldest where that makes room. */
  function hasRoom(): boolean {
    const [longest] = large // a map keeps its order
    if (!longest || large.size < largeAnswers) return true
    const [socket, since] = longest
    if (performance.now() - since < fairMilliseconds) return false
    large.delete(socket)
    socket.resetAndDestroy()
    return true
  }

  /** Resets a connection after the time for an answer, unless `taken` closes first. */
  function setDeadline(socket: Socket, taken: ServerResponse | Socket): void {
    // An orderly end would leave the written bytes with the kernel until the client takes them.
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
      // Node would close it once the kernel has all. This waits until the client has all.
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

/**
 * Other connections get turns between the pieces: the kernel copies a megabyte in a millisecond.
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
