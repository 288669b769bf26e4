import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import pg from 'pg'
import {
  askForPassword,
  startScriptedPostgres,
  welcome,
} from '../../test-support/scripted-postgres.ts'
import { createClient, createPool, type Pool } from './postgres-client.ts'
import { createProbe } from './postgres-probe.ts'

const url = 'postgres://ada@127.0.0.1:1/app'

describe('createPool and createClient', () => {
  it('createPool and createClient set a name, timeouts and the number of connections', async () => {
    const common = {
      connectionString: url,
      connectionTimeoutMillis: 2_000,
      keepAlive: true,
      application_name: 'keystile',
    }
    const { options } = (await createPool(url)) as pg.Pool
    const expected = { ...common, max: 21 }
    assert.deepEqual({ ...options, ...expected }, options)

    const parameters = Reflect.get(await createClient(url), 'connectionParameters') as object
    assert.equal(Reflect.get(parameters, 'query_timeout'), 5_000)
    assert.equal(Reflect.get(parameters, 'application_name'), 'keystile')
    assert.equal(Reflect.get(parameters, 'database'), 'app')
  })

  it('createPool says that pg is missing only if pg is not installed', async () => {
    const program = `
      import { registerHooks } from 'node:module'
      import { parentPort } from 'node:worker_threads'
      let code
      registerHooks({
        resolve(specifier, context, next) {
          if (specifier !== 'pg') return next(specifier, context)
          throw Object.assign(new Error('cannot be loaded'), { code })
        },
      })
      const { createPool } = await import('${import.meta.resolve('./postgres-client.ts')}')
      const messages = []
      for (code of ['ERR_MODULE_NOT_FOUND', 'ERR_OTHER'])
        await createPool('postgres://x').catch((error) => messages.push(error.message))
      parentPort.postMessage(messages)`
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`))
    const [[missing, other]] = (await once(worker, 'message')) as [readonly string[]]
    assert.match(missing ?? '', /^the package pg must be installed/)
    assert.equal(other, 'cannot be loaded')
  })
})

describe('createProbe', () => {
  it('a probe sends a query on a new connection, with the password of the pool', async (t) => {
    const server = await startScriptedPostgres()
    t.after(() => server.close())
    server.greet = () => askForPassword
    const { hostname: host, port } = new URL(server.url)
    const pool = new pg.Pool({ host, port: Number(port), user: 'app', password: 'secret' })
    await createProbe(pool)?.()
    await server.hears('1 ends')
    assert.deepEqual(server.heard, [
      '1 opens',
      '1 has the password secret',
      '1: select 1',
      '1 ends',
    ])
  })

  it('a probe fails if its connection breaks or gets no answer for a second', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const server = await startScriptedPostgres()
    t.after(() => server.close())
    const probe = createProbe(new pg.Pool({ connectionString: server.url }))
    assert.ok(probe)
    server.reply = (_, number) => server.lose(number)
    await assert.rejects(probe())

    const silences = [
      { arrived: '2 opens', greet: () => undefined },
      { arrived: '3: select 1', greet: welcome },
    ]
    server.reply = () => undefined
    for (const { arrived, greet } of silences) {
      server.greet = greet
      const failing = assert.rejects(probe(), /timeout/)
      await server.hears(arrived)
      t.mock.timers.tick(1_000)
      await failing
    }
    for (const ended of ['2 ends', '3 ends']) await server.hears(ended)
  })

  it('a probe ignores that its connection cannot be closed', async () => {
    class Client {
      on(): void {}
      async connect(): Promise<void> {}
      async query(): Promise<void> {}
      end(): Promise<void> {
        return Promise.reject(new Error('it does not close'))
      }
    }
    await createProbe({ Client, options: {} } as unknown as Pool)?.()
    await new Promise((resolve) => setImmediate(resolve))
  })

  it('there is no probe for a pool whose client class or client options are unknown', () => {
    const pool = new pg.Pool()
    assert.equal(createProbe(Object.assign(pool, { Client: undefined })), undefined)
    assert.equal(createProbe({ Client: pg.Client } as unknown as Pool), undefined)
  })
})
