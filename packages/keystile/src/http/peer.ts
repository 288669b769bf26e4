// The other end of a connection.

/** The peer of a connection, as node:http knows it. */
export interface PeerSocket {
  readonly remoteAddress?: string | undefined
  /** node:http sets the server that accepted the connection. */
  readonly server?: { address?(): unknown } | null | undefined
}

/**
 * Returns the `remoteAddress` of a node:http connection. A server on a UNIX socket has a path as
 * its address. A connection that has ended has no address either, and must not count as a UNIX
 * socket: its sender could forge `X-Forwarded-For`.
 */
export function peerOf(socket: PeerSocket | undefined): string | undefined {
  const { remoteAddress, server } = socket ?? {}
  return remoteAddress ?? (typeof server?.address?.() === 'string' ? 'unix:' : undefined)
}
