import { connect } from 'node:net'

/** The members of pg's `Client` that a cancellation needs. pg does not document the last two. */
export interface CancellableClient {
  readonly host?: string
  readonly port?: number
  readonly processID?: number | null
  readonly secretKey?: number | null
}

/** The code of a message that cancels a statement, in the protocol of PostgreSQL. */
const cancelRequest = 80_877_102
const giveUpMilliseconds = 1_000

/**
 * Asks PostgreSQL to cancel the statement of a connection. Does not wait for an answer. Without
 * this request, a statement that this process no longer waits for could run on for hours, for
 * example if it waits for a lock: PostgreSQL does not notice that its client has left. PgBouncer
 * passes the request on.
 *
 * The protocol allows the request without TLS. A third party that reads the request can only cancel
 * statements of this connection, which is closed anyway.
 */
export function cancelStatement({ host, port, processID, secretKey }: CancellableClient): void {
  if (!host || !port || !processID || typeof secretKey !== 'number') return

  const request = Buffer.alloc(16)
  request.writeInt32BE(request.length, 0)
  request.writeInt32BE(cancelRequest, 4)
  request.writeInt32BE(processID, 8)
  request.writeInt32BE(secretKey, 12)

  const socket = connect(
    host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port },
  )
  socket.setTimeout(giveUpMilliseconds, () => socket.destroy())
  socket.on('error', () => {}) // then the statement runs on
  socket.end(request)
  socket.resume()
}
