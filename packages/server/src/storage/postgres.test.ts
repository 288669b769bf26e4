import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { DatabaseUnavailableError } from './database.ts'
import { openPostgres, reasonOf } from './postgres.ts'

describe('reasonOf', () => {
  it('reasonOf returns the connection errors of all addresses of a host', () => {
    const refused = ['::1', '127.0.0.1'].map((address) => new Error(`ECONNREFUSED ${address}:5432`))
    const driver = new AggregateError(refused) // its own message is empty
    const unavailable = new DatabaseUnavailableError('cannot be reached', { cause: driver })
    const migration = new Error('cannot be reached', { cause: unavailable })
    assert.equal(reasonOf(migration), 'ECONNREFUSED ::1:5432, ECONNREFUSED 127.0.0.1:5432')
    assert.equal(reasonOf(new Error('no cause')), 'no cause')
  })
})

/** A message of PostgreSQL that asks for authentication, with its kind and its text. */
function authentication(kind: number, text: string): Buffer {
  const message = Buffer.from(`R\0\0\0\0\0\0\0\0${text}`)
  message.writeInt32BE(message.length - 1, 1)
  message.writeInt32BE(kind, 5)
  return message
}

describe('openPostgres', () => {
  it('openPostgres says how to give the password that PostgreSQL asks for', async (t) => {
    const server = createServer((socket) => {
      t.after(() => socket.destroy())
      socket.once('data', () => {
        socket.write(authentication(10, 'SCRAM-SHA-256\0\0'))
        socket.once('data', () => socket.write(authentication(11, 'r=nonce,s=salt,i=4096')))
      })
    }).listen(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await assert.rejects(
      openPostgres(`postgres://keystile_app@127.0.0.1:${port}/keystile`, 'PostgreSQL'),
      /client password must be a string\. Fix: give the password: in the URL, in PGPASSWORD/,
    )
  })
})
