import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { networkOf, siteOf } from './network.ts'

describe('networkOf', () => {
  it('networkOf returns the /64 network of an IPv6 address in any spelling', () => {
    const table = [
      ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
      ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
      ['2001:db8::1', '2001:db8:0:0::/64'],
      ['2001:db8::3:4:5:6:7', '2001:db8:0:3::/64'],
      ['::1', '0:0:0:0::/64'],
      ['::', '0:0:0:0::/64'],
      ['::2:3:4:5:6:7:8', '0:2:3:4::/64'],
      ['fe80::1%eth0', 'fe80:0:0:0::/64'],
      ['1::4:5:6:7:192.0.2.1', '1:0:4:5::/64'],
      ['1:2:3:4:5:6:192.0.2.1', '1:2:3:4::/64'],
    ] as const
    for (const [address, network] of table) assert.equal(networkOf(address), network, address)
  })

  it('networkOf returns the IPv4 address inside an IPv6 address (RFC 6052)', () => {
    const written = [
      '192.0.2.33',
      '64:ff9b::192.0.2.33',
      '64:ff9b::c000:221',
      '64:FF9B:0:0:0:0:192.0.2.33',
      '64:ff9b::192.0.2.33%eth0',
      '0064:ff9b:0:0::c000:0221',
    ]
    for (const address of written) assert.equal(networkOf(address), '192.0.2.33', address)
    assert.equal(networkOf('64:ff9b::1'), '0.0.0.1')
    for (const other of [
      '64:ff9b:1::c000:221',
      '64:ff9b::1:c000:221',
      '65:ff9b::c000:221',
      '::ffff:c000:221',
    ])
      assert.match(networkOf(other), /::\/64$/, other)
  })
})

it('siteOf returns the /48 network of an IPv6 address, and nothing for an IPv4 address', () => {
  const table = [
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
    ['2001:0DB8:0001:ffff::', '2001:db8:1::/48'],
    ['2001:db8::1', '2001:db8:0::/48'],
    ['::', '0:0:0::/48'],
    ['192.0.2.33', undefined],
    ['64:ff9b::192.0.2.33', undefined],
    ['', undefined],
  ] as const
  for (const [address, site] of table) assert.equal(siteOf(address), site, address)
})
