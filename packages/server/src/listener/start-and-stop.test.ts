import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, Server as TcpServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, it } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { freePort } from '../../test-support/command.ts'
import { testOptions, testPages } from '../../test-support/start-options.ts'
import { createMetrics } from '../features/operations/metrics/metrics.ts'
import { listen, type ListeningServer, type ListenOptions } from './server.ts'

const here = '127.0.0.1'
/** An address for documentation (RFC 5737), which no machine has. */
const absent = '192.0.2.1'
const ask = 'GET / HTTP/1.1\r\nhost: localhost\r\n\r\n'

describe('listen', () => {
  const closing: (() => unknown)[] = []
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close()
  })

  /** Starts a server that answers when `answer` is called. */
  async function start(options: Omit<ListenOptions, 'port'>) {
    const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let closings = 0
    const port = await freePort()
    const service = {
      keystile: {
        async answer() {
          asked.resolve()
          await answer.promise
          return { status: 200, headers: {} }
        },
        close: async () => void closings++,
      },
      options: testOptions,
      pages: testPages,
      hasAdministrator: async () => false,
      findUnreadiness: async () => [],
      readGauges: () => [],
      routeOf: () => undefined,
    }
    const server: ListeningServer = await listen(service, { port, ...options })
    closing.push(() => server.close())
    return { port, server, asked: asked.promise, answer: answer.resolve, closings: () => closings }
  }

  async function isOpen(port: number): Promise<boolean> {
    const socket = connect({ host: here, port })
    closing.push(() => socket.destroy())
    return once(socket, 'connect').then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        assert.equal(error.code, 'ECONNREFUSED')
        return false
      },
    )
  }

  it('listen skips hosts that this machine lacks, and throws if it lacks all', async () => {
    for (const hosts of [
      [here, absent],
      [absent, here],
    ])
      assert.ok(await isOpen((await start({ hosts })).port))
    await assert.rejects(start({ hosts: [absent] }), { code: 'EADDRNOTAVAIL' })
  })

  it('listen skips IPv6 addresses on a machine without IPv6', async (t) => {
    const listenReally = TcpServer.prototype.listen
    t.mock.method(TcpServer.prototype, 'listen', function (this: TcpServer, ...how: object[]) {
      const [options] = how as [{ readonly host?: string }]
      if (options.host !== '::1') return Reflect.apply(listenReally, this, how)
      const error = Object.assign(new Error('no IPv6'), { code: 'EAFNOSUPPORT' })
      return setImmediate(() => this.emit('error', error))
    })
    assert.ok(await isOpen((await start({ hosts: ['::1', here] })).port))
  })

  it('if listen throws because a port is in use, it stops listening on all hosts', async () => {
    const port = await freePort()
    const counts = createMetrics([])
    closing.push(() => counts.close())
    for (const options of [
      { hosts: [here, here] },
      { hosts: [here], metrics: { counts, binding: { hosts: [here], port } } },
    ]) {
      await assert.rejects(start({ ...options, port } as ListenOptions), { code: 'EADDRINUSE' })
      assert.equal(await isOpen(port), false)
    }
  })

  it('close() closes the service, the server, its port for metrics and its timers', async (t) => {
    const timers = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timers()
    const counts = createMetrics([])
    const { mock: metricsClosed } = t.mock.method(counts, 'close')
    const binding = { hosts: [here], port: await freePort() }
    const { port, server, closings } = await start({
      hosts: [here],
      metrics: { counts, binding },
    })
    const ports = [port, binding.port]
    assert.deepEqual(await Promise.all(ports.map(isOpen)), [true, true])
    closing.splice(0, 1)
    await server.close()
    assert.deepEqual(await Promise.all(ports.map(isOpen)), [false, false])
    assert.deepEqual([closings(), metricsClosed.callCount()], [1, 1])
    assert.ok(timers() <= before)
  })

  it('close() waits 10 s for running requests, and then closes their connections', async (t) => {
    const { port, server, asked } = await start({ hosts: [here] })
    const socket = connect({ host: here, port }).on('error', () => {})
    t.after(() => socket.destroy())
    socket.write(ask)
    await asked
    closing.splice(0)
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const closed = server.close()
    t.mock.timers.tick(9_999)
    for (let turn = 0; turn < 10; turn++) await nextTurn()
    assert.equal(socket.closed, false)
    t.mock.timers.tick(1)
    t.mock.timers.reset()
    await Promise.all([once(socket, 'close'), closed])
  })

  it('close() ends a connection as soon as its last request has an answer', async (t) => {
    const { port, server, asked, answer } = await start({ hosts: [here] })
    const socket = connect({ host: here, port })
    t.after(() => socket.destroy())
    socket.write(ask)
    await asked
    closing.splice(0)
    t.mock.timers.enable({ apis: ['setTimeout'] }) // the limit of 10 s must not end it
    const closed = server.close()
    await nextTurn()
    answer()
    assert.match(await text(socket), /^HTTP\/1\.1 200 /)
    await closed
  })
})
