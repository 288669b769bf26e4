// A mail server for tests: a real SMTP server on a port of the loopback address.
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { simpleParser, type ParsedMail } from 'mailparser'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

/** A mail that the server accepted. */
export interface ReceivedMail {
  /** The bytes between DATA and the final dot. */
  readonly raw: string
  readonly parsed: ParsedMail
  readonly envelope: { readonly from: string; readonly to: readonly string[] }
  /** Whether the connection was encrypted. */
  readonly isEncrypted: boolean
  readonly user: string | undefined
}

/** What the server does with the next mail: accepts it, or replies with a code, or hangs up. */
export type Reply = 'accept' | 450 | 550 | 'cut-after-data'

export interface MailServer {
  readonly port: number
  /** The URL for `mailUrl`. */
  readonly url: string
  /** All mails that the server accepted, in their order. */
  readonly mails: readonly ReceivedMail[]
  /** The replies to the next mails. The server accepts all mails after these. */
  readonly replies: Reply[]
  /** Called when the server has read the DATA of a mail, before it replies. */
  onDataRead: () => void
  /**
   * Called for each mail with the user of its login: when the server has read the DATA (`data`), and
   * when it has sent its reply 250 (`accepted`).
   */
  onMail: (when: 'data' | 'accepted', user: string | undefined) => void
  /** The number of mails whose DATA the server has read. */
  readonly tries: number
  /** Returns the accepted mails as soon as there are so many. */
  received(count: number): Promise<readonly ReceivedMail[]>
  /** Resolves as soon as the server has read the DATA of so many mails. */
  tried(count: number): Promise<void>
  close(): Promise<void>
}

export async function startMailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const mails: ReceivedMail[] = []
  const replies: Reply[] = []
  let tries = 0
  const { until, wake } = createWaiting()

  const server = new SMTPServer({
    authOptional: true,
    // close() waits this long for connections, which a pool keeps open.
    closeTimeout: 100,
    onAuth: ({ username, password }, _session, done) =>
      ['app', 'a', 'b', 'c'].includes(username ?? '') && password === 'secret'
        ? done(null, { user: username })
        : done(new Error('wrong password')),
    async onData(stream, session, done) {
      // A client that was killed sends only a part.
      const raw = await text(stream).catch(() => undefined)
      if (raw === undefined) return

      const reply = replies.shift() ?? 'accept'
      running.onDataRead()
      running.onMail('data', session.user)
      if (reply === 'accept')
        mails.push({
          raw,
          parsed: await simpleParser(raw),
          envelope: {
            from: session.envelope.mailFrom ? session.envelope.mailFrom.address : '',
            to: session.envelope.rcptTo.map(({ address }) => address),
          },
          isEncrypted: session.secure,
          user: session.user,
        })

      if (reply === 'cut-after-data')
        for (const { _socket } of connectionsOf(server)) _socket.destroy()
      else if (reply === 'accept') {
        done()
        running.onMail('accepted', session.user)
      } else done(Object.assign(new Error('no'), { responseCode: reply }))
      tries++
      wake()
    },
    ...options,
  })
  // A client that hangs up must not end the test.
  server.on('error', () => {})
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const address = server.server.address()
  if (typeof address !== 'object' || address === null)
    throw new Error('a listening server must have an address')

  const running: MailServer = {
    port: address.port,
    onDataRead() {},
    onMail() {},
    url: `smtp://127.0.0.1:${address.port}`,
    mails,
    replies,
    get tries() {
      return tries
    },
    async received(count) {
      await until(() => mails.length >= count)
      return mails
    },
    tried: (count) => until(() => tries >= count),
    close: () => new Promise((resolve) => server.close(resolve)),
  }
  return running
}

/** Lets tests wait until something is so. `wake()` makes all of them look again. */
function createWaiting(): {
  until(isDone: () => boolean): Promise<void>
  wake(): void
} {
  const waiting = new Set<() => void>()
  return {
    until: (isDone) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!isDone()) return
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
        check()
      }),
    wake() {
      for (const check of waiting) check()
    },
  }
}

/** Returns the open connections, whose sockets the server does not offer. */
function connectionsOf(server: SMTPServer): Iterable<{ readonly _socket: { destroy(): void } }> {
  return (server as unknown as { connections: Set<{ readonly _socket: { destroy(): void } }> })
    .connections
}
