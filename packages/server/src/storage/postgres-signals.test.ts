import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { receiveSignals, type SignalClient } from './postgres-signals.ts'

/** A client of pg whose server is the test. */
class Client extends EventEmitter implements SignalClient {
  readonly processID = 7
  readonly said: string[] = []
  readonly pid: number
  readonly isAbsent: boolean
  constructor({ pid = 7, isAbsent = false } = {}) {
    super()
    this.pid = pid
    this.isAbsent = isAbsent
  }
  async connect(): Promise<void> {
    if (this.isAbsent) throw new Error('PostgreSQL is away')
    this.said.push('connect')
  }
  async query(text: string): Promise<{ readonly rows: readonly unknown[] }> {
    this.said.push(text)
    return { rows: text.startsWith('select') ? [{ pid: String(this.pid) }] : [] }
  }
  async end(): Promise<void> {
    this.said.push('end')
    this.emit('end')
  }
}

const turn = (): Promise<void> => delay(10)
const opening = ['connect', 'select pg_backend_pid() as pid', 'listen keystile']

describe('receiveSignals', { concurrency: true }, () => {
  it('receiveSignals calls onSignal once after LISTEN, and then for each signal', async () => {
    let signals = 0
    const client = new Client()
    const { close } = receiveSignals(
      async () => client,
      () => signals++,
    )
    await turn()
    assert.deepEqual([client.said, signals], [opening, 1])
    client.emit('notification')
    assert.equal(signals, 2)
    client.emit('error', new Error('the connection breaks')) // `end` follows
    await close()
    assert.deepEqual(client.said.slice(3), ['end', 'end'])
  })

  it('receiveSignals opens a new connection two seconds after a failure', async () => {
    const clients = [new Client({ isAbsent: true }), new Client(), new Client()]
    const opened: number[] = []
    const heard = { signals: 0 }
    const { close } = receiveSignals(
      async () => {
        opened.push(performance.now())
        return clients[opened.length - 1] ?? assert.fail('there must be a client')
      },
      () => heard.signals++,
    )
    while (heard.signals < 1) await turn()
    assert.deepEqual(clients[0]?.said, ['end'])
    clients[1]?.emit('end')
    while (heard.signals < 2) await turn()
    assert.deepEqual(clients[1]?.said, [...opening, 'end'])
    await close()
    const [first = 0, second = 0, third = 0] = opened
    for (const pause of [second - first, third - second]) assert.ok(pause >= 1_990, `${pause} ms`)
    await turn()
    assert.equal(opened.length, 3)
  })

  it('behind a pooler, receiveSignals sends no LISTEN and opens no second connection', async () => {
    const client = new Client({ pid: 8 })
    let opened = 0
    const { close } = receiveSignals(
      async () => {
        opened++
        return client
      },
      () => assert.fail('there must be no signal'),
    )
    await delay(2_200)
    assert.equal(opened, 1)
    assert.deepEqual(client.said, [...opening.slice(0, 2), 'end'])
    await close()
  })

  it('after close(), receiveSignals opens no connection', async () => {
    const early = new Client()
    const { close } = receiveSignals(
      async () => early,
      () => {},
    )
    await close() // before the client has been created
    assert.deepEqual(early.said, [])

    let opened = 0
    const later = receiveSignals(
      async () => {
        opened++
        return new Client()
      },
      () => {},
    )
    await turn()
    await later.close()
    await delay(2_200)
    assert.equal(opened, 1)
  })

  it('close() waits until the connection has ended', async () => {
    const client = new Client()
    let hasEnded = false
    const end = async (): Promise<void> => {
      await turn()
      hasEnded = true
      client.emit('end')
    }
    const { close } = receiveSignals(
      async () => Object.assign(client, { end }),
      () => {},
    )
    await turn()
    await close()
    assert.ok(hasEnded)
  })

  it('close() does not wait for a database that does not answer', async () => {
    const client = Object.assign(new Client(), { end: () => new Promise<never>(() => {}) })
    const { close } = receiveSignals(
      async () => client,
      () => {},
    )
    await turn()
    await close()
  })
})

describe('the timers of receiveSignals', () => {
  it('no timer of receiveSignals keeps the process alive', async () => {
    const timers = (): number =>
      process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    const before = timers()
    const waiting = receiveSignals(
      async () => new Client({ isAbsent: true }),
      () => {},
    )
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(timers(), before)
    await waiting.close()
    assert.equal(timers(), before)
  })
})
