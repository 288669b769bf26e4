import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import { findJson } from './fetch-json.ts'

describe('findJson', () => {
  let server: Server
  let url: string
  let answer: RequestListener
  let asked: IncomingMessage[] = []
  before(async () => {
    server = createServer((request, response) => {
      asked.push(request)
      answer(request, response)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/set`
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })

  const { signal } = new AbortController()
  const ask = (
    answering: RequestListener,
    from = globalThis.fetch,
  ): ReturnType<typeof findJson> => {
    answer = answering
    asked = []
    return findJson(url, { fetch: from, signal })
  }
  const send =
    (
      body: string | Uint8Array,
      headers: Record<string, string> = {},
      status = 200,
    ): RequestListener =>
    (_, response) =>
      response.writeHead(status, headers).end(body)

  it('findJson returns the JSON object, and sends Accept: application/json', async () => {
    const found = await ask(send('{"keys":[{"kid":"größe"}]}', { 'content-type': 'text/plain' }))
    assert.deepEqual(found, { value: { keys: [{ kid: 'größe' }] }, freshSeconds: undefined })
    assert.equal(asked[0]!.method, 'GET')
    assert.equal(asked[0]!.headers.accept, 'application/json')
  })

  it('findJson returns a status such as 404 or 403, instead of throwing', async () => {
    for (const status of [400, 401, 403, 404, 405, 410, 451])
      assert.deepEqual(await ask(send('{}', {}, status)), { status })
  })

  for (const status of [201, 204, 408, 429, 500, 503]) {
    it(`findJson refuses an answer with status ${status}`, async () => {
      await assert.rejects(
        ask(send(status === 204 ? '' : '{}', {}, status)),
        new RegExp(`answered ${status} instead of 200`),
      )
    })
  }

  it('findJson does not follow redirects', async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      await assert.rejects(ask(send('', { location: `${url}/other` }, status)), /redirects/)
      assert.deepEqual(
        asked.map((request) => request.url),
        ['/set'],
      )
    }
  })

  it('findJson reports a redirect even if fetch hides the status, as in Deno', async () => {
    const hiding: typeof fetch = async () =>
      Object.defineProperty(Response.error(), 'type', { value: 'opaqueredirect' })
    await assert.rejects(ask(send('{}'), hiding), /redirects/)
  })

  it('findJson refuses an answer if a custom fetch has followed a redirect', async () => {
    const following: typeof fetch = (target, init) => fetch(target, { ...init, redirect: 'follow' })
    const redirecting: RequestListener = (request, response) =>
      request.url === '/set'
        ? response.writeHead(302, { location: '/other' }).end()
        : response.end('{"keys":"elsewhere"}')
    await assert.rejects(ask(redirecting, following), /redirects/)
  })

  const withBytes = (count: number): string => `{"a":"${'x'.repeat(count - 8)}"}`

  it('findJson accepts a body of 256 KiB, and refuses one byte more', async () => {
    assert.ok(await ask(send(withBytes(262_144))))
    await assert.rejects(ask(send(withBytes(262_145))), /more than 262144 bytes/)
  })

  it('findJson stops reading an endless body, and closes the connection', async () => {
    let sent = 0
    let hungUp: Promise<unknown> | undefined
    const endless: RequestListener = (_, response) => {
      hungUp = new Promise((resolve) => response.on('close', resolve))
      response.writeHead(200)
      const more = (): void => {
        while (!response.destroyed && response.write(' '.repeat(16_384))) sent += 16_384
      }
      response.on('drain', more)
      more()
    }
    await assert.rejects(ask(endless), /more than 262144 bytes/)
    await hungUp
    assert.ok(sent < 50_000_000, `${sent} bytes`)
  })

  it('findJson limits the size of a compressed body after decompression', async () => {
    const packed = gzipSync(withBytes(20_000_000))
    assert.ok(packed.length < 50_000)
    await assert.rejects(
      ask(send(packed, { 'content-encoding': 'gzip' })),
      /more than 262144 bytes/,
    )
  })

  const noObjects: readonly [string, string | Uint8Array, RegExp][] = [
    ['an empty body', '', /is not JSON/],
    ['HTML', '<html>secret</html>', /is not JSON/],
    ['an array', '[]', /is not a JSON object/],
    ['null', 'null', /is not a JSON object/],
    ['a duplicate member', '{"keys":[],"keys":[1]}', /appears twice/],
    [
      'bytes that are not UTF-8',
      Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d),
      /is not UTF-8/,
    ],
    ['a byte order mark', '\ufeff{}', /is not JSON/],
  ]
  for (const [name, body, reason] of noObjects) {
    it(`findJson refuses ${name} as the body, and the error does not show the body`, async () => {
      await assert.rejects(ask(send(body)), (error: Error) => {
        assert.match(error.message, reason)
        assert.doesNotMatch(error.message, /secret/)
        return true
      })
    })
  }

  it('findJson refuses a body that ends too early', async () => {
    const breaking: RequestListener = (_, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('{"keys":', () => response.destroy())
    }
    await assert.rejects(ask(breaking), (error: Error) => {
      assert.match(error.message, /ended early$/)
      assert.ok(error.cause instanceof Error)
      return true
    })
  })

  it('findJson refuses an answer without a body', async () => {
    const empty = findJson(url, { fetch: async () => new Response(), signal })
    await assert.rejects(empty, { message: new RegExp(`^${url}: the body is `) })
  })

  it('findJson rejects if no server listens at the URL', async () => {
    const unreachable = findJson('http://127.0.0.1:1/set', { fetch, signal })
    await assert.rejects(unreachable, (error: Error) => {
      assert.equal(error.message, 'http://127.0.0.1:1/set cannot be reached')
      assert.ok(error.cause instanceof Error)
      return true
    })
  })

  it('findJson calls fetch with an abort signal, without cache and redirects', async () => {
    let given: RequestInit | undefined
    await findJson(url, {
      fetch: async (_, init) => {
        given = init
        return Response.json({})
      },
      signal,
    })
    assert.deepEqual([given?.redirect, given?.cache, given?.signal], ['manual', 'no-store', signal])
  })

  it('findJson stops reading when its abort signal fires', async () => {
    const controller = new AbortController()
    let cancelled = false
    let pulls = 0
    const body = new ReadableStream({
      pull(stream) {
        pulls++
        controller.abort()
        stream.enqueue(Buffer.from(' '))
      },
      cancel() {
        cancelled = true
      },
    })
    const late = findJson(url, { fetch: async () => new Response(body), signal: controller.signal })
    await assert.rejects(late, /took too long/)
    assert.ok(cancelled && pulls < 5)
  })

  const cacheControls: readonly [string | undefined, number | undefined][] = [
    [undefined, undefined],
    ['', undefined],
    ['public', undefined],
    ['max-age=300', 300],
    ['public, max-age=15', 15],
    ['public,MAX-AGE="60",immutable', 60],
    ['s-maxage=5, max-age=300', 300],
    ['s-maxage=5', undefined],
    ['x-max-age=5', undefined],
    ['max-age=-5', undefined],
    ['max-age=soon', undefined],
    ['max-age=99999999999', undefined],
    ['max-age=0', 0],
    ['no-store', 0],
    ['max-age=300, no-cache', 0],
    ['no-cache, max-age=300', 0],
    ['no-cached', undefined],
  ]
  for (const [field, seconds] of cacheControls) {
    it(`findJson returns freshSeconds ${seconds} for Cache-Control ${inspect(field)}`, async () => {
      const found = await ask(send('{}', field === undefined ? {} : { 'cache-control': field }))
      assert.ok('freshSeconds' in found)
      assert.equal(found.freshSeconds, seconds)
    })
  }
})
