// A TCP proxy on the loopback, with which a test cuts or freezes the connections to a server.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { after } from 'node:test'

export interface TcpProxy {
  readonly port: number
  /** The port of the server. A test may change it; open connections stay. */
  target: number
  /** The number of connections that were accepted so far. */
  readonly accepted: number
  /** The number of bytes that clients have sent so far. */
  readonly sentBytes: number
  /** Ends all connections, and each new one, until `restore`. */
  cut(): void
  restore(): void
  /** Stops passing on bytes of the open connections, but leaves them open. */
  freeze(): void
  /** From now on, passes on a piece of what the server sends each two seconds, and queues the rest. */
  drip(): void
  close(): Promise<void>
}

/** Less than the four seconds of silence that end a connection to the feed. */
const dripMilliseconds = 2_000

/** Starts a proxy. It closes after the test. */
export async function startTcpProxy(): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>()
  let isCut = false
  let accepted = 0
  let sentBytes = 0
  let isDripping = false
  /** Passes on what the server sends: at once, or later while the proxy drips. */
  function passOn(upstream: Socket, client: Socket): void {
    const queue: (Buffer | string)[] = []
    upstream.on('data', (piece) => {
      if (isDripping || queue.length > 0) queue.push(piece)
      else client.write(piece)
    })
    const timer = setInterval(() => {
      const piece = queue.shift()
      if (piece) client.write(piece)
    }, dripMilliseconds)
    client.once('close', () => clearInterval(timer))
  }

  const server = createServer((client) => {
    accepted++
    if (isCut) {
      client.resetAndDestroy()
      return
    }
    const upstream = connect(proxy.target, '127.0.0.1')
    const pair = [client, upstream] as const
    pairs.add(pair)
    client.on('data', ({ length }) => (sentBytes += length))
    client.pipe(upstream)
    passOn(upstream, client)
    for (const socket of pair) {
      socket.on('error', () => {})
      socket.on('close', () => {
        for (const either of pair) either.destroy()
        pairs.delete(pair)
      })
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  const cut = (): void => {
    isCut = true
    for (const pair of pairs) for (const socket of pair) socket.destroy()
  }
  const proxy: TcpProxy = {
    port: (server.address() as AddressInfo).port,
    target: 0,
    get accepted() {
      return accepted
    },
    get sentBytes() {
      return sentBytes
    },
    cut,
    restore() {
      isCut = false
    },
    freeze() {
      for (const [client, upstream] of pairs) {
        client.unpipe().pause()
        upstream.pause()
      }
    },
    drip() {
      isDripping = true
    },
    async close() {
      cut()
      await once(server.close(), 'close')
    },
  }
  after(() => proxy.close())
  return proxy
}
