import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { ProblemError } from '../../base/errors.ts'
import type { Caller, Decision } from '../../guard/guard.ts'
import type { HttpAnswer } from '../../http/message.ts'
import { problemAnswer } from '../../http/problem.ts'

/** A listener for the `upgrade` event of a node:http server. */
export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/**
 * Makes a listener that guards upgrades to WebSockets: `server.on('upgrade', onUpgrade(check,
 * open))`. `check` returns the decision of `guard.check`. A refusal is answered with its challenge,
 * and the connection is closed. Otherwise `open` is called with the caller, and passes the socket
 * to a WebSocket library.
 *
 * An error in `check` is printed and answered with 500. An error in `open` is printed and closes
 * the connection. A client that leaves at any time ends its own connection alone.
 *
 * Does NOT check that the request is a well-formed handshake: the WebSocket library does.
 */
export function onUpgrade<S extends string, U, Nobody>(
  check: (request: IncomingMessage) => Promise<Decision<S, U, Nobody>>,
  open: (
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    caller: Caller<S, U> | Nobody,
  ) => unknown,
): UpgradeListener {
  return (request, socket, head) => {
    // node:http has stopped listening to the socket: without this, a reset ends the process.
    socket.on('error', () => socket.destroy())
    let isOpen = false

    const decideAndOpen = async (): Promise<void> => {
      const decision = await check(request)
      if (socket.destroyed) return // the client left while the check ran
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

/** Writes the answer and closes the connection. */
function answer(socket: Duplex, { status, headers, body = '' }: HttpAnswer): void {
  const fields = Object.entries({
    ...headers,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  })
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...fields.map(([name, value]) => `${name}: ${value}`),
  ]
  // Destroyed as well: a client that never closes its half would keep the connection open.
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}
