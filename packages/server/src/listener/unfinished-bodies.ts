import type { IncomingMessage } from 'node:http'

/** A piece of a single byte takes about as much memory as this. */
const leastPieceBytes = 256

export interface BodyLimits {
  /** The largest total size, in MiB, of the request bodies of which a part has not arrived yet. */
  readonly bodyMebibytes: number
}

/** Calls `read`, and counts the bytes of the request's body until `read` has finished. */
export type BodyReader = (
  incoming: IncomingMessage,
  read: () => Promise<Uint8Array>,
) => Promise<Uint8Array>

/**
 * Creates a function that reads bodies. This stops an attack that fills the memory: many clients
 * send nearly a whole body and then wait. If more bytes wait than the limit allows, the connections
 * whose bodies began first are reset. Other clients send a whole body at once, so they are not
 * among these.
 */
export function createBodyReader({ bodyMebibytes }: BodyLimits): BodyReader {
  const maxBytes = bodyMebibytes * 2 ** 20
  const unfinished = new Map<IncomingMessage, number>() // a map keeps the order of insertion
  let waitingBytes = 0

  function remove(incoming: IncomingMessage): void {
    waitingBytes -= unfinished.get(incoming) ?? 0
    unfinished.delete(incoming)
  }

  function add(incoming: IncomingMessage, bytes: number): void {
    unfinished.set(incoming, (unfinished.get(incoming) ?? 0) + bytes)
    waitingBytes += bytes

    for (const [oldest] of unfinished) {
      if (waitingBytes <= maxBytes) return
      remove(oldest)
      oldest.socket.resetAndDestroy()
    }
  }

  return async (incoming, read) => {
    const onData = ({ length }: Uint8Array): void =>
      add(incoming, Math.max(length, leastPieceBytes))
    try {
      const body = read()
      incoming.on('data', onData)
      return await body
    } finally {
      incoming.off('data', onData)
      remove(incoming)
    }
  }
}
