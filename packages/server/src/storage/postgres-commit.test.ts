import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { describe, it, type TestContext } from 'node:test'
import { cancelStatement } from './postgres-cancel.ts'
import { commit } from './postgres-commit.ts'

const failure = (code: string): Error => Object.assign(new Error('x'), { code })
const unknown = (message: RegExp): object => ({ name: 'UnknownOutcomeError', message })

describe('commit', () => {
  it('commit throws if PostgreSQL reports that it did not wait for the standby', async () => {
    const send = async (): Promise<string> => 'done'
    assert.equal(await commit(send, []), 'done')
    assert.equal(await commit(send, [{ message: 'other' }, { routine: 'other' }, {}]), 'done')
    for (const notice of [
      { routine: 'SyncRepWaitForLSN', message: 'x' },
      { message: 'canceling the wait for synchronous replication' },
    ])
      await assert.rejects(
        commit(send, [{ message: 'other' }, notice]),
        unknown(/the outcome of a transaction is unknown: .* did not wait for its standby$/),
      )
  })

  it('commit rethrows an error that means a rollback, and replaces any other error', async () => {
    const conflict = failure('40001')
    await assert.rejects(
      commit(() => Promise.reject(conflict), []),
      conflict,
    )
    const lost = failure('ECONNRESET')
    await assert.rejects(
      commit(() => Promise.reject(lost), []),
      (error: Error) => {
        assert.match(error.message, /unknown: PostgreSQL did not confirm it$/)
        assert.equal(error.cause, lost)
        return true
      },
    )
  })
})

describe('cancelStatement', () => {
  async function listen(
    t: TestContext,
    where: { readonly port: number } | { readonly path: string },
  ) {
    const connections: Socket[] = []
    const server: Server = createServer((socket) => void connections.push(socket))
    t.after(() => {
      for (const socket of connections) socket.destroy()
      server.close()
    })
    server.listen('path' in where ? where : { ...where, host: '127.0.0.1' })
    await once(server, 'listening')
    return { server, connections }
  }
  const request = '0000001004d2162e00000007'

  it('cancelStatement sends PostgreSQL’s cancel message over TCP or a Unix socket', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'keystile-pg-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const tcp = (await listen(t, { port: 0 })).server
    const local = (await listen(t, { path: join(folder, '.s.PGSQL.5432') })).server
    const { port } = tcp.address() as AddressInfo
    for (const [server, client] of [
      [tcp, { host: '127.0.0.1', port }],
      [local, { host: folder, port: 5432 }],
    ] as const) {
      const arriving = once(server, 'connection')
      const secretKey = server === tcp ? 9 : 0
      cancelStatement({ ...client, processID: 7, secretKey })
      const [socket] = (await arriving) as [Socket]
      assert.equal((await buffer(socket)).toString('hex'), `${request}0000000${secretKey}`)
    }
  })

  it('cancelStatement needs host, port, pid and key, and ignores connection errors', async (t) => {
    const { server, connections } = await listen(t, { port: 0 })
    const { port } = server.address() as AddressInfo
    const whole = { host: '127.0.0.1', port, processID: 7, secretKey: 9 }
    for (const missing of [
      { ...whole, host: '' },
      { ...whole, port: 0 },
      { ...whole, processID: null },
      { ...whole, secretKey: null },
    ])
      cancelStatement(missing)
    cancelStatement({ ...whole, port: 1 }) // refused
    const arriving = once(server, 'connection')
    cancelStatement(whole)
    await arriving
    assert.equal(connections.length, 1)
  })
})
