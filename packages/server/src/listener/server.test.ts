import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, it } from 'node:test'
import { silentLogger } from 'keystile/internal'
import { until } from '../../../../tools/until.ts'
import { freePort } from '../../test-support/command.ts'
import { openReader } from '../../test-support/revocation-reader.ts'
import { startSlowClients, type Slowness } from '../../test-support/slow-clients.ts'
import { byOperator } from '../features/operations/audit/by.ts'
import { createMetrics } from '../features/operations/metrics/metrics.ts'
import { metrics as allMetrics } from '../server/features.ts'
import { checkOptions } from '../server/options.ts'
import { wire, type RunningKeystile } from '../server/wire/wire.ts'
import { standardLimits } from './limited-server.ts'
import { listen, type ListenOptions } from './server.ts'

/** Timeouts so short that a test can wait for them. */
const short = {
  headerMilliseconds: 300,
  requestMilliseconds: 300,
  answerMilliseconds: 300,
  idleMilliseconds: 300,
  checkMilliseconds: 50,
  largeAnswers: 1_000,
  waitingMebibytes: 32,
  bodyMebibytes: 64,
  pipelinedRequests: 100,
  pipelinedRequestsOfAll: 2_000,
  connections: 1_000,
}
/** Limits that only slow readers exceed, so that other clients succeed on a busy machine too. */
const shortForReaders = {
  ...short,
  headerMilliseconds: 60_000,
  requestMilliseconds: 60_000,
  idleMilliseconds: 3_000, // the kernel may hold all small answers, and then the connection is idle
  answerMilliseconds: 3_000,
}
const behindOthers = ['slow readers behind another answer', 'slow readers behind a login'] as const
const form = { 'content-type': 'application/x-www-form-urlencoded' }

describe('listen', () => {
  const closing: (() => unknown)[] = []
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close()
  })

  async function start(
    options: Partial<ListenOptions> = {},
    change: (running: RunningKeystile) => RunningKeystile = (same) => same,
  ) {
    const port = await freePort()
    const issuer = `http://localhost:${port}`
    const counts = createMetrics(allMetrics)
    const running = await wire(
      checkOptions({ issuer, database: ':memory:', docs: 'on' }),
      counts.meter,
    )
    const metrics = { counts, binding: 'own' } as const
    const server = await listen(change(running), {
      hosts: ['127.0.0.1'],
      port,
      metrics,
      ...options,
    })
    closing.push(() => server.close())
    const url = `http://127.0.0.1:${port}`
    // Keeps no idle connection open, which `connections` would count.
    const ask = (path: string) => fetch(url + path, { headers: { connection: 'close' } })
    const metricsOf = async (): Promise<string> => (await ask('/metrics')).text()
    return {
      port,
      url,
      metrics: metricsOf,
      connections: async () =>
        Number(
          await until(async () => /^keystile_connections (\d+)$/m.exec(await metricsOf())?.[1]),
        ),
      /** Waits until another client gets an answer. On a busy machine, it too meets the time limits. */
      serves: () => until(async () => (await (await ask('/healthz')).text()) === '{"status":"ok"}'),
    }
  }

  async function readLarge(url: string): Promise<number> {
    const response = await fetch(`${url}/docs/swagger-ui-bundle.js`)
    await response.arrayBuffer()
    return response.status
  }

  async function beSlow(slowness: Slowness, port: number, count = 10) {
    const clients = await startSlowClients(slowness, { port, count, everyMilliseconds: 20 })
    closing.push(() => clients.close())
    return clients
  }

  async function untilGone({ open }: { open(): number }): Promise<void> {
    await until(() => open() === 0)
  }

  it('revocation streams outlive time limits for answers, and end with the listener', async () => {
    let running: RunningKeystile | undefined
    const log: unknown[] = []
    const accessLog = { ...silentLogger, info: (fields: object) => void log.push(fields) }
    const { url, metrics } = await start({ limits: short, accessLog }, (given) => {
      running = given
      return given
    })
    const client = { id: 'api', grants: [], scopes: [], may: ['revocations'] } as const
    const created = await running!.clients.create({ ...client, confidential: true }, byOperator)
    assert.ok(created !== 'taken' && created.secret !== undefined)
    const credentials = { client_id: 'api', client_secret: created.secret }
    const reader = await openReader(`${url}/revocations`, credentials)
    for (let beat = 0; beat < 3; beat++) await reader.untilCurrent()

    const text = await metrics()
    assert.match(text, /^keystile_revocation_streams 1$/m)
    assert.match(text, /^keystile_requests_total\{route="\/revocations",status="200"\} 1$/m)
    assert.equal(
      log.filter((line) => (line as { route?: string }).route === '/revocations').length,
      1,
    )

    await closing.pop()?.()
    assert.equal(await reader.untilEnd(), 'complete')
  })

  for (const [slowness, answer] of [
    ['slow headers', /^HTTP\/1.1 408 /],
    ['slow bodies', /^HTTP\/1.1 408 /],
    ['silent', /^HTTP\/1.1 408 /],
    ['idle', /^HTTP\/1.1 200 /],
  ] as const) {
    it(`the listener ends stalled connections (${slowness}) and serves other clients`, async () => {
      const { port, serves } = await start({ limits: short })
      const clients = await beSlow(slowness, port)
      await serves()
      await untilGone(clients)
      for (const said of clients.answers()) assert.match(said, answer)
    })
  }

  for (const slowness of ['slow readers', ...behindOthers] as const) {
    it(`the listener ends connections of ${slowness} and serves other clients`, async () => {
      const { port, connections } = await start({ limits: shortForReaders })
      await beSlow(slowness, port)
      assert.ok((await connections()) > 10)
      await until(async () => (await connections()) <= 1)
    })
  }

  for (const [what, request] of [
    ['without a Host', 'GET / HTTP/1.1\r\n\r\n'],
    ['with an unknown expectation', 'GET / HTTP/1.1\r\nhost: localhost\r\nexpect: x\r\n\r\n'],
  ] as const) {
    it(`the listener resets a connection that pipelines hundreds of requests ${what}`, async () => {
      const { port } = await start()
      const login = 'POST /token HTTP/1.1\r\nhost: localhost\r\ncontent-length: 21\r\n'
      const socket = connectTo(port).setEncoding('latin1')
      socket.write(
        `${login}content-type: ${form['content-type']}\r\n\r\nusername=a&password=b${request.repeat(500)}`,
      )
      assert.equal(
        await text(socket).catch(({ code }: NodeJS.ErrnoException) => code),
        'ECONNRESET',
      )
    })
  }

  it('the listener resets a connection if unfinished bodies are too large together', async () => {
    const limits = { ...short, requestMilliseconds: 60_000, bodyMebibytes: 0.1 }
    const { port } = await start({ limits })
    const size = 40_000
    const begin = () => {
      const socket = connectTo(port).setEncoding('latin1')
      const header = `POST /token HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${size + 1}\r\n`
      socket.write(`${header}content-type: ${form['content-type']}\r\nconnection: close\r\n\r\n`)
      socket.write('x'.repeat(size))
      return { socket, said: text(socket).catch(({ code }: NodeJS.ErrnoException) => code) }
    }
    // The second round shows that finished, refused and broken bodies count no more.
    for (let round = 0; round < 2; round++) {
      const clients = [begin(), begin(), begin()]
      assert.equal(await Promise.race(clients.map(({ said }) => said)), 'ECONNRESET')
      for (const { socket } of clients) if (!socket.destroyed) socket.write('x')
      const answers = await Promise.all(clients.map(({ said }) => said))
      assert.equal(answers.filter((answer) => answer === 'ECONNRESET').length, 1)
      assert.equal(answers.filter((answer) => answer?.startsWith('HTTP/1.1 400')).length, 2)
    }
  })

  it('the listener ends connections that pipeline too much, and serves other clients', async () => {
    const { port, serves, connections } = await start({ limits: shortForReaders })
    await beSlow('pipelining', port, 50)
    await serves()
    await until(async () => (await connections()) <= 1)
  })

  it('the /metrics port resets a connection that sends hundreds of requests at once', async () => {
    const port = await freePort()
    await start({
      metrics: { counts: createMetrics(allMetrics), binding: { hosts: ['127.0.0.1'], port } },
    })
    const socket = connectTo(port).setEncoding('latin1')
    socket.write('GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(500))
    assert.equal(await text(socket).catch(({ code }: NodeJS.ErrnoException) => code), 'ECONNRESET')
  })

  for (const [what, header, status] of [
    ['has no Host', 'a: b', 400],
    ['has two Hosts', 'Host: localhost\r\nhost: localhost', 400],
    ['has two hundred header lines', `host: localhost${'\r\na: b'.repeat(199)}`, 431],
  ] as const) {
    it(`the listener refuses a request that ${what}, and closes the connection`, async () => {
      const { port } = await start()
      const socket = connectTo(port)
      socket.write(`GET /healthz HTTP/1.1\r\n${header}\r\n\r\n`)
      const said = await text(socket)
      assert.match(said, new RegExp(`^HTTP/1.1 ${status} `))
      assert.match(said, /^connection: close\r$/im)
      assert.match(said, /^x-content-type-options: nosniff\r$/im)
    })
  }

  it('if the client reads all answers, a connection of 100 requests stays open', async () => {
    const { port } = await start({ limits: { ...standardLimits, answerMilliseconds: 2_000 } })
    const ask = 'GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n'
    const socket = connectTo(port).setEncoding('latin1')
    let said = ''
    socket.on('data', (chunk: string) => (said += chunk))
    const untilAnswers = async (count: number): Promise<void> => {
      while (said.split('HTTP/1.1 200 ').length <= count) await once(socket, 'data')
    }
    socket.write(ask.repeat(100))
    await untilAnswers(100)
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    socket.end(ask)
    await untilAnswers(101)
  })

  it('by default, no time limit of the listener is longer than 65 seconds', () => {
    const { largeAnswers, connections, ...others } = standardLimits
    const times = Object.entries(others).filter(([name]) => name.endsWith('Milliseconds'))
    assert.equal(times.length, 5)
    for (const [name, milliseconds] of times) assert.ok(milliseconds <= 65_000, name)
    assert.ok(connections > 13_000 && largeAnswers <= 100)
  })

  for (const slowness of ['slow readers', 'slow readers behind another answer'] as const) {
    it(`if ${slowness} use up the limit of large answers, a large download gets 503`, async () => {
      const { port, url } = await start({
        limits: { ...shortForReaders, answerMilliseconds: 60_000, largeAnswers: 5 },
      })
      // On a busy machine, the first answers may be older than a second, and are ended.
      await until(async () => {
        await beSlow(slowness, port, 5)
        return (await readLarge(url)) === 503
      })
      assert.equal((await fetch(`${url}/docs`)).status, 200)
      await until(async () => (await readLarge(url)) !== 503)
    })
  }

  it('at the limit of large answers, the next request ends an answer older than 1 s', async () => {
    const limits = { ...standardLimits, answerMilliseconds: 60_000, largeAnswers: 5 }
    const { port, connections } = await start({ limits })
    await beSlow('slow readers', port, 5)
    const before = await connections()
    await new Promise((resolve) => setTimeout(resolve, 1_200)) // after a second they may be reset
    await beSlow('slow readers', port, 1)
    await until(async () => (await connections()) === before)
  })

  it('the listener sends all of a large file, even to a slow reader', async () => {
    const { port, url } = await start({
      limits: { ...shortForReaders, answerMilliseconds: 60_000 },
    })
    const whole = await (await fetch(`${url}/docs/swagger-ui-bundle.js`)).text()
    const socket = connect({ host: '127.0.0.1', port })
    socket.write('GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: localhost\r\n\r\n')
    socket.pause()
    await new Promise((resolve) => setTimeout(resolve, 200))
    const said = await text(socket)
    assert.ok(whole.length > 1_000_000)
    assert.equal(said.slice(said.indexOf('\r\n\r\n') + 4), whole)
  })

  it('a listener with too many connections refuses new ones, and closes idle ones', async () => {
    const { port, url, metrics } = await start({ limits: { ...standardLimits, connections: 20 } })
    const clients = await beSlow('idle', port, 20)
    const [turnedAway] = await once(connectTo(port), 'close')
    assert.equal(turnedAway, false)
    await untilGone(clients)
    assert.equal((await fetch(`${url}/healthz`)).status, 200)
    const said = await metrics()
    assert.match(said, /^keystile_connections_dropped_total [1-9]/m)
    assert.match(said, /^keystile_connections \d+$/m)
  })

  it('the listener still answers other clients after requests break off at any byte', async () => {
    const { port, url } = await start()
    const whole =
      'POST /token HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"a": '
    for (let length = 0; length <= whole.length; length += 5) {
      const socket = connectTo(port)
      socket.write(whole.slice(0, length))
      if (length % 2 === 0) socket.end()
      else socket.resetAndDestroy()
    }
    assert.equal((await fetch(`${url}/healthz`)).status, 200)
  })

  it('the metrics count requests by route, and contain no text from clients', async () => {
    const { url, metrics } = await start()
    for (const path of [
      '/users/u53r1d',
      '/u53r1d?u53r1d',
      '/docs',
      '/docs/start.js',
      '/healthz',
      '/readyz',
    ])
      await fetch(`${url}${path}`)
    await fetch(`${url}/users/me`, { headers: { authorization: 'Bearer u53r1d' } })
    await fetch(`${url}/token`, {
      method: 'POST',
      headers: form,
      body: 'username=u53r1d&password=u53r1d',
    })
    await fetch(`${url}/token`, {
      method: 'POST',
      headers: form,
      body: 'grant_type=refresh_token&refresh_token=u53r1d',
    })
    const said = await metrics()
    for (const line of [
      'keystile_requests_total{route="/users/{id}",status="401"} 1',
      'keystile_requests_total{route="-",status="404"} 1',
      'keystile_requests_total{route="/docs",status="200"} 2',
      'keystile_requests_total{route="/healthz",status="200"} 1',
      'keystile_requests_total{route="/readyz",status="200"} 1',
      'keystile_requests_total{route="/users/me",status="401"} 1',
      'keystile_requests_total{route="/token",status="400"} 2',
      'keystile_request_seconds_count{route="/token"} 2',
      'keystile_guard_refusals_total{reason="not_authenticated"} 1',
      'keystile_guard_refusals_total{reason="invalid_token"} 1',
      'keystile_logins_total{outcome="refused"} 1',
      'keystile_refreshes_total{outcome="refused"} 1',
      'keystile_hash_seconds_count 1',
      'keystile_hash_queue_length 0',
      'keystile_write_queue_length 0',
    ])
      assert.ok(said.includes(`${line}\n`), `${line}\n${said}`)
    assert.match(said, /^keystile_feed_age_seconds 0\.\d+$/m)
    assert.match(said, /^keystile_signing_key_age_seconds \d+\.?\d*$/m)
    assert.match(said, /^keystile_signing_key_remaining_seconds 259\d{4}\.?\d*$/m)
    assert.match(said, /^keystile_event_loop_delay_p99_seconds [\d.e-]+$/m)
    assert.match(said, /^process_resident_memory_bytes \d+$/m)
    assert.ok(!said.includes('u53r1d'))
    for (const line of said.trimEnd().split('\n'))
      assert.match(
        line,
        /^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"\\]*"(,\w+="[^"\\]*")*\})? [\d.e+-]+)$/,
      )
  })

  it('every answer of the listener forbids browsers to guess the content type', async () => {
    const port = await freePort()
    const { url } = await start({
      metrics: { counts: createMetrics(allMetrics), binding: { hosts: ['127.0.0.1'], port } },
    })
    const urls = [
      '/healthz',
      '/readyz',
      '/openapi.json',
      '/docs',
      '/docs/start.js',
      '/docs/swagger-ui-bundle.js',
      '/none',
    ]
      .concat('/token', '/users/me', '/.well-known/jwks.json')
      .map((path) => `${url}${path}`)
    for (const asked of [
      ...urls,
      `http://127.0.0.1:${port}/metrics`,
      `http://127.0.0.1:${port}/none`,
    ])
      for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS']) {
        const { status, headers } = await fetch(asked, { method })
        assert.equal(
          headers.get('x-content-type-options'),
          'nosniff',
          `${method} ${asked} ${status}`,
        )
      }
  })

  it('the main port has no /metrics if metrics are off, or have a port of their own', async () => {
    const none = await start({ metrics: undefined })
    assert.equal((await fetch(`${none.url}/metrics`)).status, 404)
    const port = await freePort()
    const binding = { hosts: ['127.0.0.1'], port }
    const apart = await start({ metrics: { counts: createMetrics(allMetrics), binding } })
    assert.equal((await fetch(`${apart.url}/metrics`)).status, 404)
    const response = await fetch(`http://127.0.0.1:${port}/metrics`)
    assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
    assert.match(await response.text(), /^keystile_requests_total\{route="-",status="404"\} 1$/m)
    for (const path of ['/healthz', '/token', '/'])
      assert.equal((await fetch(`http://127.0.0.1:${port}${path}`)).status, 404)
  })

  it('the access log has one line per request, with the request id of the answer', async () => {
    const lines: Record<string, unknown>[] = []
    const { url } = await start({
      accessLog: { ...silentLogger, info: (fields) => void lines.push({ ...fields }) },
    })
    const response = await fetch(`${url}/users/u53r1d?secret=1`)
    const { ms, ...rest } = lines[0]!
    const id = response.headers.get('x-request-id')
    assert.match(id!, /^[\w-]{22}$/)
    assert.ok(typeof ms === 'number' && ms >= 0)
    assert.deepEqual(rest, {
      method: 'GET',
      route: '/users/{id}',
      status: 401,
      address: '127.0.0.1',
      id,
    })
  })

  it('GET /readyz returns 503 with the reasons while the server is not ready', async () => {
    const unready = async (): Promise<readonly string[]> => [
      'the database does not answer',
      'the threads that hash passwords do not answer',
    ]
    const { url } = await start({}, (running) => ({ ...running, findUnreadiness: unready }))
    const response = await fetch(`${url}/readyz`)
    assert.deepEqual([response.status, response.headers.get('retry-after')], [503, '1'])
    assert.deepEqual(await response.json(), {
      status: 'the database does not answer; the threads that hash passwords do not answer',
    })
    assert.equal((await fetch(`${url}/healthz`)).status, 200)
  })
})

function connectTo(port: number): Socket {
  return connect({ host: '127.0.0.1', port }).on('error', () => {})
}
