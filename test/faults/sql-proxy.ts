// A proxy between Keystile and PostgreSQL that loses connections at a certain statement, or falls
// silent like a network that drops all packets.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { after } from 'node:test'

/** A statement at which a connection is lost. */
export interface Loss {
  /** A part of the statement, such as `commit\0`: a zero byte follows the whole statement. */
  readonly statement: string
  /** Only a transaction that has sent this text before. Default: any. */
  readonly after?: string
  /** Whether PostgreSQL still gets the statement; its reply is lost. */
  readonly isForwarded: boolean
}

export interface SqlProxy {
  readonly url: string
  /** The number of connections so far. */
  readonly accepted: number
  /** The number of bytes that clients have sent so far. */
  readonly sentBytes: number
  /** Loses the next connection that sends the statement. Resolves when this has happened. */
  loseOnce(loss: Loss): Promise<void>
  /** Passes on nothing any more. Connections stay open, and new ones are accepted. */
  silence(): void
  /** Passes on the bytes of new connections. Those of older ones stay lost, as behind a firewall. */
  resume(): void
}

interface Pair {
  readonly client: Socket
  readonly upstream: Socket
  /** What the client has sent since the last commit. */
  sent: string
  isSilent: boolean
}

/**
 * Starts a proxy. It closes after the test.
 *
 * @param target the URL of the database
 */
export async function startSqlProxy(target: string): Promise<SqlProxy> {
  const { hostname, port } = new URL(target)
  const pairs = new Set<Pair>()
  let accepted = 0
  let sentBytes = 0
  let isSilent = false
  let planned: { readonly loss: Loss; happened(): void } | undefined

  function lose({ client, upstream }: Pair): void {
    client.resetAndDestroy()
    upstream.destroy()
  }

  function passOn(pair: Pair, bytes: Buffer): void {
    if (pair.isSilent) return
    const text = bytes.toString('latin1')
    const { loss } = planned ?? {}
    const isPlanned = loss && pair.sent.includes(loss.after ?? '') && text.includes(loss.statement)
    pair.sent = text.includes('commit\0') ? '' : pair.sent + text
    if (!planned || !isPlanned) return void pair.upstream.write(bytes)

    const { happened } = planned
    planned = undefined
    if (loss.isForwarded) {
      pair.isSilent = true
      pair.upstream.write(bytes)
      // PostgreSQL has done the statement when it replies.
      pair.upstream.once('data', () => {
        lose(pair)
        happened()
      })
    } else {
      lose(pair)
      happened()
    }
  }

  const server = createServer((client) => {
    accepted++
    const upstream = connect(Number(port), hostname)
    const pair: Pair = { client, upstream, sent: '', isSilent }
    pairs.add(pair)
    client.on('data', (bytes: Buffer) => {
      sentBytes += bytes.length
      passOn(pair, bytes)
    })
    upstream.on('data', (bytes) => pair.isSilent || client.write(bytes))
    for (const socket of [client, upstream]) {
      socket.on('error', () => {})
      // A silent network does not pass on the end of a connection either.
      socket.on('close', () => {
        pairs.delete(pair)
        upstream.destroy()
        if (!pair.isSilent) client.destroy()
      })
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const through = new URL(target)
  through.hostname = '127.0.0.1'
  through.port = String((server.address() as AddressInfo).port)
  after(async () => {
    for (const { client, upstream } of pairs)
      for (const socket of [client, upstream]) socket.destroy()
    await once(server.close(), 'close')
  })

  return {
    url: through.href,
    get accepted() {
      return accepted
    },
    get sentBytes() {
      return sentBytes
    },
    loseOnce: (loss) => new Promise((happened) => (planned = { loss, happened })),
    silence() {
      isSilent = true
      for (const pair of pairs) pair.isSilent = true
    },
    resume() {
      isSilent = false
    },
  }
}
