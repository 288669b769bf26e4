// Tests of answers that are sent piece by piece, through the adapter of each framework.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { request as open, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { pathOf, type AnswerStream } from 'keystile/internal'
import { openReader, type Reader } from '../../packages/server/test-support/revocation-reader.ts'
import { byOperator, startEmbedded } from '../../packages/server/test-support/whole-server.ts'
import { serve, type Served } from './client.ts'
import { create, password, type Mounted, type MountIn } from './mounted.ts'

const path = '/auth/stream'
const mebibyte = 2 ** 20

/** A stream whose pieces the test sends. */
interface Scripted {
  readonly stream: AnswerStream
  send(text: string): void
  end(): void
  fail(): void
  /** Resolves when the adapter cancels the stream. */
  readonly cancelled: Promise<void>
}

function script(): Scripted {
  const { promise: cancelled, resolve: cancel } = Promise.withResolvers<void>()
  let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined
  const stream: AnswerStream = new ReadableStream(
    { start: (given) => void (controller = given), cancel },
    { highWaterMark: 0 },
  )
  return {
    stream,
    send: (text) => controller?.enqueue(Uint8Array.from(Buffer.from(text))),
    end: () => controller?.close(),
    fail: () => controller?.error(new Error('the script says so')),
    cancelled,
  }
}

export function describeStreams(framework: string, mountIn: MountIn): void {
  describe(`streams in ${framework}`, { timeout: 600_000 }, () => {
    let folder: string
    let keystile: Mounted
    let served: Served
    let credentials: { readonly client_id: string; readonly client_secret: string }
    let nextStream: AnswerStream | undefined
    const readers: Reader[] = []

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'keystile-streams-'))
      const database = join(folder, 'keystile.db')
      keystile = await create(database)
      const { clients, ...other } = await startEmbedded({ issuer: keystile.issuer, database })
      const client = { id: 'api', grants: [], scopes: [], may: ['revocations'] } as const
      const created = await clients.create({ ...client, confidential: true }, byOperator)
      assert.ok(created !== 'taken' && created.secret !== undefined)
      credentials = { client_id: client.id, client_secret: created.secret }
      await other.keystile.close()

      const answer: Mounted['answer'] = async (request) =>
        pathOf(request.url) === path && nextStream
          ? { status: 200, headers: { 'x-own': 'yes' }, stream: nextStream }
          : keystile.answer(request)
      served = await serve(await mountIn({ ...keystile, answer }))
    })
    afterEach(() => {
      for (const reader of readers.splice(0)) reader.close()
    })
    after(async () => {
      await served.close()
      await keystile.close()
      rmSync(folder, { recursive: true })
    })

    /** Sends a request whose answer is a stream. */
    async function openScripted(): Promise<Scripted & { readonly response: IncomingMessage }> {
      const scripted = script()
      nextStream = scripted.stream
      const sending = open({ host: '127.0.0.1', port: served.port, path, agent: false }).end()
      scripted.send('one ')
      const [response] = (await once(sending, 'response')) as [IncomingMessage]
      response.on('error', () => {})
      return { ...scripted, response: response.setEncoding('utf8') }
    }

    it('GET /revocations sends the revocations of a mounted Keystile', async () => {
      const url = `http://127.0.0.1:${served.port}/auth/revocations`
      const reader = await openReader(url, credentials)
      readers.push(reader)
      assert.equal(reader.status, 200)
      assert.equal(reader.headers['content-type'], 'text/event-stream; charset=utf-8')
      assert.equal((await reader.untilCurrent())[0]?.event, 'reset')

      const username = `eve${served.port}`
      const { id } = await keystile.users.create({
        username,
        email: `${username}@example.com`,
        password,
      })
      const form = new URLSearchParams({ username, password }).toString()
      const type = ['Content-Type', 'application/x-www-form-urlencoded']
      const sent = { method: 'POST', path: '/auth/token', headers: type, body: form }
      assert.equal((await served.send(sent)).status, 200)
      await keystile.sessions.revokeAll(id)
      assert.equal((await reader.nextChange()).data['kind'], 'session')
    })

    it('a stream arrives piece by piece, and ends', async () => {
      const { response, send, end } = await openScripted()
      assert.deepEqual([response.statusCode, response.headers['x-own']], [200, 'yes'])
      assert.equal(response.headers['x-content-type-options'], 'nosniff')
      assert.equal(response.headers['content-length'], undefined)
      const pieces = response[Symbol.asyncIterator]()
      assert.equal((await pieces.next()).value, 'one ')
      send('two ')
      assert.equal((await pieces.next()).value, 'two ')
      end()
      assert.equal((await pieces.next()).done, true)
      assert.equal(response.complete, true)
    })

    it('a stream is cancelled when its client disconnects', async () => {
      const { response, cancelled } = await openScripted()
      response.destroy()
      await cancelled
    })

    it('a stream that fails cuts the connection, so that its client notices', async () => {
      const { response, fail } = await openScripted()
      const closed = new Promise((resolve) => response.resume().once('close', resolve))
      fail()
      await closed
      assert.equal(response.complete, false)
    })

    it('a stream is cancelled when its client closes only its own direction', async () => {
      const scripted = script()
      nextStream = scripted.stream
      const { socket, write } = served.connect()
      write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`)
      scripted.send('one ')
      await once(socket, 'data')
      socket.end()
      await scripted.cancelled
    })

    it('a stream for HTTP/1.0 has no chunks, and ends with the connection', async () => {
      const scripted = script()
      nextStream = scripted.stream
      const { socket, write } = served.connect()
      let received = ''
      const closed = new Promise((resolve) => socket.once('close', resolve))
      socket.on('data', (chunk: string) => (received += chunk))
      write(`GET ${path} HTTP/1.0\r\nhost: localhost\r\n\r\n`)
      scripted.send('one ')
      while (!received.endsWith('one ')) {
        assert.ok(!socket.closed, `the connection ended after: ${received}`)
        await new Promise((resolve) => setImmediate(resolve))
      }
      scripted.send('two ')
      scripted.end()
      await closed
      assert.match(received, /\r\n\r\none two $/)
      assert.doesNotMatch(received, /transfer-encoding/i)
    })

    it('a stream waits for a client that does not read', async () => {
      const size = 32 * mebibyte
      let made = 0
      const piece = new Uint8Array(mebibyte / 4)
      nextStream = new ReadableStream(
        {
          pull(controller) {
            made += piece.length
            controller.enqueue(piece)
            if (made === size) controller.close()
          },
        },
        { highWaterMark: 0 },
      )
      const sending = open({ host: '127.0.0.1', port: served.port, path, agent: false }).end()
      const [response] = (await once(sending, 'response')) as [IncomingMessage]
      let before = -1
      while (made > before) {
        before = made
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
      assert.ok(made < size, 'the stream was read, although its client reads nothing')

      let received = 0
      for await (const chunk of response) received += (chunk as Buffer).length
      assert.equal(received, size)
    })
  })
}
