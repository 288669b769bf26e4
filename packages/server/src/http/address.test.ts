import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addressOf } from './address.ts'

describe('addressOf', () => {
  it('addressOf writes an IPv4-mapped IPv6 address of a connection as IPv4', () => {
    for (const [remoteAddress, address] of [
      ['192.0.2.1', '192.0.2.1'],
      ['::ffff:192.0.2.1', '192.0.2.1'],
      ['::FFFF:192.0.2.1', '192.0.2.1'],
      ['2001:db8::1', '2001:db8::1'],
      ['::ffff:192.168.100.200', '192.168.100.200'],
      ['::ffff:192.0.2.1%eth0', '::ffff:192.0.2.1%eth0'],
      ['::1', '::1'],
      ['2001:db8::ffff:192.0.2.1', '2001:db8::ffff:192.0.2.1'],
      ['::ffff:1', '::ffff:1'],
    ])
      assert.equal(addressOf({ remoteAddress }), address)
  })

  it('addressOf returns undefined for text that is not an address', () => {
    for (const remoteAddress of [
      undefined,
      '',
      'localhost',
      '192.0.2.1, 10.0.0.1',
      '::ffff:1.2.3',
      '1.2.3.4\n',
    ])
      assert.equal(addressOf({ remoteAddress }), undefined)
  })
})
