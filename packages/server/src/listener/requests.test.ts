import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, it } from 'node:test'
import { silentLogger, type HttpAnswer } from 'keystile/internal'
import { freePort } from '../../test-support/command.ts'
import { testOptions, testPages } from '../../test-support/start-options.ts'
import { createMetrics } from '../features/operations/metrics/metrics.ts'
import { standardLimits } from './limited-server.ts'
import { droppedConnections, requests, requestSeconds } from './metrics.ts'
import { listen, type ListenOptions } from './server.ts'

describe('listen', () => {
  const closing: (() => unknown)[] = []
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close()
  })

  async function start(
    options: Partial<ListenOptions>,
    answer: () => Promise<HttpAnswer | undefined> = async () => undefined,
  ) {
    const port = await freePort()
    const service = {
      keystile: { answer, close: async () => {} },
      options: testOptions,
      pages: testPages,
      hasAdministrator: async () => false,
      findUnreadiness: async () => [],
      readGauges: () => [],
      routeOf: () => undefined,
    }
    const server = await listen(service, { hosts: ['127.0.0.1'], port, ...options })
    closing.push(() => server.close())
    return { port, url: `http://127.0.0.1:${port}` }
  }

  function connectTo(port: number): Socket {
    const socket = connect({ host: '127.0.0.1', port }).on('error', () => {})
    closing.push(() => socket.destroy())
    return socket
  }

  /** A logger that keeps the fields and the message of each line. */
  function keepLines() {
    const lines: { readonly ms?: number; readonly message: string }[] = []
    const info = (fields: object, message: string): void => void lines.push({ ...fields, message })
    return { lines, accessLog: { ...silentLogger, info } }
  }

  it('the listener accepts 100 header lines, HTTP/1.0 without Host, and any Expect', async () => {
    const { port } = await start({})
    const last = ['host: a', 'connection: close']
    for (const [version, lines, status] of [
      ['1.1', [...last, ...Array.from({ length: 98 }, () => 'b: c')], 200],
      ['1.1', ['host: a', ...Array.from({ length: 100 }, () => 'b: c')], 431],
      ['1.1', ['b: c'], 400],
      ['1.0', ['b: c'], 200],
      ['1.1', [...last, 'expect: a'], 200],
    ] as const) {
      const socket = connectTo(port)
      socket.write(`GET /healthz HTTP/${version}\r\n${lines.join('\r\n')}\r\n\r\n`)
      const said = await text(socket)
      assert.equal(said.split(' ')[1], String(status))
      assert.match(said, /^x-content-type-options: nosniff\r$/m)
    }
  })

  it('at most once a second, the full listener closes idle connections', async (t) => {
    let now = 1_000
    t.mock.method(performance, 'now', () => now)
    const { mock: rounds } = t.mock.method(Server.prototype, 'closeIdleConnections')
    const asked = Promise.withResolvers<void>()
    const counts = createMetrics([droppedConnections])
    const limits = { ...standardLimits, connections: 1 }
    const { port } = await start({ limits, metrics: { counts, binding: 'own' } }, () => {
      asked.resolve()
      return new Promise(() => {})
    })
    connectTo(port).write('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
    await asked.promise
    for (const [time, expected] of [
      [1_000, 1],
      [1_999, 1],
      [2_000, 2],
    ] as const) {
      now = time
      await once(connectTo(port), 'close')
      assert.equal(rounds.callCount(), expected, String(time))
    }
    assert.match(counts.read([]), /^keystile_connections_dropped_total 3$/m)
  })

  it('the access log has the milliseconds of a request, and the metrics its seconds', async (t) => {
    let now = 1_000
    t.mock.method(performance, 'now', () => now)
    const { lines, accessLog } = keepLines()
    const counts = createMetrics([requests, requestSeconds])
    const metrics = { counts, binding: 'own' } as const
    const { url } = await start({ accessLog, metrics }, async () => {
      now += 12.34
      return undefined
    })
    assert.equal((await fetch(url)).status, 404)
    assert.equal(lines[0]?.ms, 12.3)
    assert.match(counts.read([]), /^keystile_request_seconds_sum\{route="\/"\} 0\.01234/m)
    const shown = await (await fetch(`${url}/metrics`)).text()
    assert.match(shown, /^keystile_connections [1-9]\d*$/m)
  })

  it('the listener writes an access log even if metrics are off', async () => {
    const { lines, accessLog } = keepLines()
    const { url } = await start({ accessLog })
    await fetch(`${url}/healthz`)
    assert.deepEqual(
      lines.map(({ message }) => message),
      ['request'],
    )
  })

  it('a separate port for metrics answers only GET /metrics', async () => {
    const counts = createMetrics([])
    const port = await freePort()
    const { url } = await start({ metrics: { counts, binding: { hosts: ['127.0.0.1'], port } } })
    assert.equal((await fetch(`${url}/metrics`)).status, 404)
    for (const [method, path, status] of [
      ['GET', '/metrics?a', 200],
      ['POST', '/metrics', 404],
      ['GET', '/metrics/', 404],
    ] as const)
      assert.equal((await fetch(`http://127.0.0.1:${port}${path}`, { method })).status, status)
  })
})
