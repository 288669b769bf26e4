// A server on 127.0.0.1 that speaks the protocol of PostgreSQL. A test says what the server
// replies, and when.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { until } from '../../../tools/until.ts'

export interface ScriptedPostgres {
  readonly url: string
  /**
   * What clients have done, with the number of the connection: `1 opens`, `1: select 1`, `1 ends`,
   * and `1 is cancelled` for a request to cancel the statement of connection 1.
   */
  readonly heard: readonly string[]
  /** Returns the reply to a statement. Undefined: there is no reply yet. Default: `done()`. */
  reply: (text: string, connection: number) => Buffer | undefined
  /** Returns the reply to a client that connects. Undefined: none yet. Default: `welcome`. */
  greet: (connection: number) => Buffer | undefined
  /** Waits until `heard` contains this text. */
  hears(text: string): Promise<void>
  send(connection: number, reply: Buffer): void
  /** Breaks a connection. Use it in `reply`, or later. */
  lose(connection: number): undefined
  /** Breaks all connections, and stops listening. */
  close(): void
}

/** The code of a message that cancels a statement, in place of the version of the protocol. */
const cancelRequest = 80_877_102

export async function startScriptedPostgres(): Promise<ScriptedPostgres> {
  const sockets: Socket[] = []
  const heard: string[] = []
  const server = createServer((socket) => {
    let number = 0
    let prepared = ''
    socket.on('error', () => {})
    socket.on('end', () => number > 0 && heard.push(`${number} ends`))
    const read = splitMessages((kind, body) => {
      const text = body.toString('utf8', 0, body.length - 1)
      if (kind === 'p') {
        heard.push(`${number} has the password ${text}`)
        send(number, welcome(number))
      } else if (kind === 'Q') hear(number, text)
      // A statement with parameters comes in several messages, whose last one is S.
      else if (kind === 'P') prepared = text.split('\0')[1] ?? ''
      else if (kind === 'S') hear(number, prepared)
      else if (kind === '' && body.readInt32BE(0) === cancelRequest)
        heard.push(`${body.readInt32BE(4)} is cancelled`)
      else if (kind === '') {
        number = sockets.push(socket)
        heard.push(`${number} opens`)
        send(number, scripted.greet(number))
      }
    })
    socket.on('data', (bytes: Buffer) => read(bytes))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  function hear(number: number, text: string): void {
    heard.push(`${number}: ${text}`)
    send(number, scripted.reply(text, number))
  }
  function send(number: number, reply: Buffer | undefined): void {
    if (reply) sockets[number - 1]?.write(reply)
  }

  const scripted: ScriptedPostgres = {
    url: `postgres://app@127.0.0.1:${(server.address() as AddressInfo).port}/app`,
    heard,
    reply: () => done(),
    greet: welcome,
    async hears(text) {
      await until(() => heard.includes(text)).catch(() => {
        assert.fail(`not heard: ${text}; heard: ${heard.join(', ')}`)
      })
    },
    send,
    lose(number) {
      sockets[number - 1]?.destroy()
      return undefined
    },
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
  return scripted
}

/** Splits what a client sends into messages. Only the first one has no letter for its kind. */
function splitMessages(onMessage: (kind: string, body: Buffer) => void): (bytes: Buffer) => void {
  let received = Buffer.alloc(0)
  let start = 0
  return (bytes) => {
    received = Buffer.concat([received, bytes])
    while (received.length >= start + 4) {
      const end = start + received.readInt32BE(start)
      if (received.length < end) return
      const kind = received.toString('latin1', 0, start)
      const body = received.subarray(start + 4, end)
      received = received.subarray(end)
      start = 1
      onMessage(kind, body)
    }
  }
}

function message(kind: string, body: string): Buffer {
  const bytes = Buffer.from(`${kind}\0\0\0\0${body}`, 'latin1')
  bytes.writeInt32BE(bytes.length - 1, 1)
  return bytes
}

const ready = message('Z', 'I')

/** The reply to a statement that has succeeded. */
export const done = (): Buffer => Buffer.concat([message('C', 'SELECT 0\0'), ready])

/** The reply to a statement that has failed. */
export const failed = (code: string): Buffer => Buffer.concat([refusal(code), ready])

/** The reply to a client that may not connect. */
export const refusal = (code: string): Buffer => message('E', `SERROR\0C${code}\0Mfailed\0\0`)

/** A notice, whose sender is this function of PostgreSQL. */
export const notice = (routine: string): Buffer =>
  message('N', `SWARNING\0C01000\0Mnotice\0R${routine}\0\0`)

/** The reply to a client that connects. The key of a connection is its number. */
export const welcome = (number: number): Buffer =>
  Buffer.concat([
    message('R', '\0\0\0\0'),
    message('K', `\0\0\0${String.fromCharCode(number)}\0\0\0${String.fromCharCode(number)}`),
    ready,
  ])

/** The reply to a client that must send its password first. */
export const askForPassword = message('R', '\0\0\0\x03')
