import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addressOf } from './audit.ts'

describe('addressOf', () => {
  it('is the address of the peer; IPv4 is written as such, also on a socket that takes both kinds', () => {
    for (const [remoteAddress, address] of [
      ['192.0.2.1', '192.0.2.1'],
      ['::ffff:192.0.2.1', '192.0.2.1'],
      ['::FFFF:192.0.2.1', '192.0.2.1'],
      ['2001:db8::1', '2001:db8::1'],
      ['::1', '::1'],
      ['2001:db8::ffff:192.0.2.1', '2001:db8::ffff:192.0.2.1'],
      ['::ffff:1', '::ffff:1'],
    ])
      assert.equal(addressOf({ remoteAddress }), address)
  })

  it('is nothing where there is none, and never what is no address', () => {
    for (const remoteAddress of [undefined, '', 'localhost', '192.0.2.1, 10.0.0.1', '::ffff:1.2.3', '1.2.3.4\n'])
      assert.equal(addressOf({ remoteAddress }), undefined)
  })
})
