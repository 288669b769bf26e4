import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { networkOf } from './network.ts'

describe('networkOf', () => {
  it('is the /64 of an IPv6 address, however that is written', () => {
    const table = [
      ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
      ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
      ['2001:db8::1', '2001:db8:0:0::/64'],
      ['2001:db8::3:4:5:6:7', '2001:db8:0:3::/64'],
      ['::1', '0:0:0:0::/64'],
      ['::', '0:0:0:0::/64'],
      ['::2:3:4:5:6:7:8', '0:2:3:4::/64'],
      ['fe80::1%eth0', 'fe80:0:0:0::/64'],
      ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
      ['1::4:5:6:7:192.0.2.1', '1:0:4:5::/64'],
      ['1:2:3:4:5:6:192.0.2.1', '1:2:3:4::/64'],
    ] as const
    for (const [address, network] of table) assert.equal(networkOf(address), network, address)
  })

  it('is an IPv4 address itself', () => {
    assert.equal(networkOf('192.0.2.1'), '192.0.2.1')
  })
})
