import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { ProblemError } from '../../base/errors.ts'
import type { Caller, Decision } from '../../guard/guard.ts'
import type { TokenType } from '../../guard/identity.ts'
import { noSniffing, type HttpAnswer } from '../../http/message.ts'
import { problemAnswer } from '../../http/problem.ts'

export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/**
 * Creates a listener that guards WebSocket upgrades:
 * `server.on('upgrade', onUpgrade(check, open))`. `check` returns the decision of `guard.check`. If
 * the decision is a refusal, the listener sends the refusal and closes the connection. Otherwise
 * the listener calls `open` with the caller, and `open` passes the socket to a WebSocket library.
 *
 * If `check` fails, the listener prints the error and answers 500. If `open` fails, the listener
 * prints the error and closes the connection. The process keeps running, even if a client
 * disconnects at any time.
 *
 * Does NOT check that the request is a well-formed handshake: the WebSocket library does.
 */
export function onUpgrade<S extends string, U, Nobody, T extends TokenType = 'at+jwt'>(
  check: (request: IncomingMessage) => Promise<Decision<S, U, Nobody, T>>,
  open: (
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    caller: Caller<S, U, T> | Nobody,
  ) => unknown,
): UpgradeListener {
  return (request, socket, head) => {
    // node:http no longer handles errors of this socket: without a listener, a reset connection
    // would end the process. The socket closes itself.
    socket.on('error', () => {})
    let isOpen = false

    const decideAndOpen = async (): Promise<void> => {
      const decision = await check(request)
      if (socket.destroyed) return // the client disconnected during the check
      if (!decision.allowed) return answer(socket, decision.answer)
      isOpen = true
      await open(request, socket, head, decision.caller)
    }

    decideAndOpen().catch((error: unknown) => {
      console.error(error)
      if (isOpen) socket.destroy()
      else
        answer(socket, problemAnswer(new ProblemError('internal_server_error', 'Internal error')))
    })
  }
}

/** Writes an HTTP/1.1 answer to the socket and closes the connection. */
function answer(socket: Duplex, { status, headers, body = '' }: HttpAnswer): void {
  const fields = Object.entries({
    ...headers,
    ...noSniffing,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  })
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...fields.map(([name, value]) => `${name}: ${value}`),
  ]
  // `end` closes one direction only. A client that never closes the other direction would keep the
  // connection open, so `destroy` follows.
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}
