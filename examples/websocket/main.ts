// WebSockets that open for logged-in users, and close when their session ends.
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { createKeystile } from '@keystile/server'
import { createGuard, mount, onUpgrade } from 'keystile/node'

const port = Number(process.env['PORT'] ?? 3000)

const keystile = await createKeystile({
  issuer: `http://localhost:${port}/auth`,
  database: 'data/websocket-example.db',
  scopes: { 'news:read': 'Read news' },
  defaultScopes: ['news:read'],
})
const guard = createGuard(keystile)
const auth = mount(keystile)

const server = createServer((request, response) =>
  auth(request, response, () => response.writeHead(404).end()),
)

const live = onUpgrade(
  (request) => guard.check(credentialsOf(request), 'news:read'),
  (request, socket, _head, { user }) => {
    if (!accept(request, socket)) return
    socket.write(textFrame(`hello ${user.username}`))

    // Checking a known token again takes microseconds. A user who was logged out is disconnected
    // within a second.
    const credentials = credentialsOf(request)
    const watch = setInterval(async () => {
      const { allowed } = await guard
        .check(credentials, 'news:read')
        .catch(() => ({ allowed: false }))
      if (allowed) return
      clearInterval(watch)
      socket.end(closeFrame(4401), () => socket.destroy())
    }, 1000)
    socket.on('close', () => clearInterval(watch))
  },
)
server.on('upgrade', live)

/**
 * A browser can send no `Authorization` with a WebSocket. It sends the token as a second
 * subprotocol instead: `new WebSocket(url, ['news', token])`. Never as part of the URL, which ends
 * up in logs.
 */
function credentialsOf(request: IncomingMessage): Parameters<typeof guard.check>[0] {
  const [, token] = (request.headers['sec-websocket-protocol'] ?? '').split(/, */)
  if (token === undefined) return request
  return {
    method: 'GET',
    url: request.url ?? '',
    headers: new Headers({ authorization: `Bearer ${token}` }),
  }
}

// Your WebSocket library does what follows, for example `handleUpgrade` of ws. It is here so that
// the example needs no library.

function accept(request: IncomingMessage, socket: Duplex): boolean {
  const { upgrade, 'sec-websocket-key': key } = request.headers
  if (upgrade?.toLowerCase() !== 'websocket' || key === undefined) {
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n', () => socket.destroy())
    return false
  }
  const digest = createHash('sha1')
    .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64')
  const protocol = request.headers['sec-websocket-protocol'] ? ['Sec-WebSocket-Protocol: news'] : []
  const fields = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${digest}`,
    ...protocol,
  ]
  socket.write(`${fields.join('\r\n')}\r\n\r\n`)
  socket.on('end', () => socket.end()).resume()
  return true
}

function textFrame(text: string): Uint8Array {
  return Buffer.concat([Buffer.from([0x81, Buffer.byteLength(text)]), Buffer.from(text)])
}

function closeFrame(code: number): Uint8Array {
  return Buffer.from([0x88, 2, code >> 8, code & 0xff])
}

server.listen(port, 'localhost', () => console.log(`listening on http://localhost:${port}`))
