// A proxy before a mail server. It delays the banner, and cuts connections after DATA. The
// connections are encrypted, so it knows a mail only by its length.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** The types of TLS records (RFC 8446 §5.1). */
const [handshake, applicationData] = [22, 23]
/** Commands are shorter than this, and mails are longer. */
const mailBytes = 1_000

export interface SmtpProxy {
  readonly port: number
  /** The number of next mails whose reply does not reach the client. */
  cuts: number
  /** The number of connections that were cut. */
  readonly wereCut: number
  /** No banner passes before this resolves. */
  banner: Promise<void>
  /** The number of connections that clients have opened. */
  readonly opened: number
  close(): void
}

/** Starts a proxy before a mail server on 127.0.0.1. */
export async function startSmtpProxy(serverPort: number): Promise<SmtpProxy> {
  const sockets = new Set<Socket>()
  let [opened, wereCut] = [0, 0]
  const server = createServer((client) => {
    opened++
    const upstream = connect(serverPort, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => [client, upstream].forEach((one) => one.destroy()))
    }
    const { banner } = proxy
    let bytesWithoutReply = 0
    const count = createCounter()
    client.on('data', (chunk: Buffer) => {
      bytesWithoutReply += count(chunk)
      upstream.write(chunk)
    })
    upstream.on('data', async (chunk: Buffer) => {
      await banner
      if (bytesWithoutReply > mailBytes && proxy.cuts > 0) {
        proxy.cuts--
        wereCut++
        client.destroy()
        return
      }
      bytesWithoutReply = 0
      client.write(chunk)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy: SmtpProxy = {
    port: (server.address() as AddressInfo).port,
    cuts: 0,
    banner: Promise.resolve(),
    get wereCut() {
      return wereCut
    },
    get opened() {
      return opened
    },
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
  return proxy
}

/** Returns a function that counts the encrypted bytes of a client in its TLS records. */
function createCounter(): (chunk: Buffer) => number {
  let pending = Buffer.alloc(0)
  let isEncrypted = false
  return (chunk) => {
    isEncrypted ||= chunk[0] === handshake
    if (!isEncrypted) return 0

    pending = Buffer.concat([pending, chunk])
    let bytes = 0
    while (pending.length >= 5 && pending.length >= 5 + pending.readUInt16BE(3)) {
      const length = pending.readUInt16BE(3)
      if (pending[0] === applicationData) bytes += length
      pending = pending.subarray(5 + length)
    }
    return bytes
  }
}
