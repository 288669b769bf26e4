import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createProxies, findProxyFault } from './proxies.ts'

const proxies = createProxies(['127.0.0.1', '10.0.0.0/8', 'fd00::/8', '2001:db8::7'])

function resolve(
  remoteAddress: string | undefined,
  forwarded?: string,
  by = proxies,
): string | undefined {
  const headers = new Headers(forwarded === undefined ? {} : { 'x-forwarded-for': forwarded })
  return by.resolve({
    method: 'GET',
    url: '/',
    headers,
    remoteAddress,
    body: async () => new Uint8Array(),
  }).remoteAddress
}

describe('createProxies', () => {
  it('proxies.resolve uses X-Forwarded-For only if a trusted proxy sent it', () => {
    for (const peer of [
      '192.0.2.9',
      '127.0.0.2',
      '11.0.0.1',
      '2001:db8::8',
      '::1',
      'fe80::1%eth0',
      '',
      undefined,
    ])
      assert.equal(resolve(peer, '192.0.2.1'), peer)
    for (const peer of [
      '127.0.0.1',
      '::ffff:127.0.0.1',
      '::FFFF:7f00:1',
      '10.255.0.1',
      'fdff::1',
      '2001:DB8:0::7',
    ])
      assert.equal(resolve(peer, '192.0.2.1'), '192.0.2.1', peer)
  })

  it('proxies.resolve returns the last address that is not a trusted proxy', () => {
    for (const [forwarded, address] of [
      ['192.0.2.1', '192.0.2.1'],
      ['203.0.113.5, 192.0.2.1', '192.0.2.1'],
      ['127.0.0.1, 192.0.2.1', '192.0.2.1'],
      ['192.0.2.1, 10.0.0.2', '192.0.2.1'],
      ['203.0.113.5,192.0.2.1 ,\t10.0.0.2,fd00::3', '192.0.2.1'],
      ['203.0.113.5, \t192.0.2.1 \t,  10.0.0.2  ', '192.0.2.1'],
      ['10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ] as const)
      assert.equal(resolve('127.0.0.1', forwarded), address, forwarded)
  })

  it('proxies.resolve trusts UNIX sockets only if unix: is a trusted proxy', () => {
    const withSocket = createProxies(['unix:', '10.0.0.0/8'])
    assert.equal(resolve('unix:', '203.0.113.5, 192.0.2.1, 10.0.0.2', withSocket), '192.0.2.1')
    assert.equal(resolve('unix:', undefined, withSocket), 'unix:')
    assert.equal(resolve(undefined, '192.0.2.1', withSocket), undefined)
    assert.equal(resolve('192.0.2.9', '192.0.2.1', withSocket), '192.0.2.9')
    assert.equal(resolve('unix:', '192.0.2.1'), 'unix:')
    assert.equal(resolve('10.0.0.1', 'unix:', withSocket), '10.0.0.1')
  })

  it('proxies.resolve reads addresses that have a port or brackets, or are IPv4-mapped', () => {
    for (const [entry, address] of [
      ['192.0.2.1:443', '192.0.2.1'],
      ['2001:DB8:0:0::1', '2001:db8::1'],
      ['[2001:db8::1]', '2001:db8::1'],
      ['[2001:db8::1]:65535', '2001:db8::1'],
      ['::ffff:192.0.2.1', '192.0.2.1'],
      ['[::FFFF:c000:201]:1', '192.0.2.1'],
      ['[::ffff:10.0.0.1]', '10.0.0.1'],
      ['1::ffff:c000:201', '1::ffff:c000:201'],
      ['::ffff:c000:201:1', '::ffff:c000:201:1'],
    ] as const)
      assert.equal(resolve('127.0.0.1', entry), address, entry)
  })

  it('proxies.resolve returns the proxy that wrote an invalid entry of X-Forwarded-For', () => {
    for (const entry of [
      '',
      ' ',
      'unknown',
      '_hidden',
      'localhost',
      '192.0.2',
      '192.0.2.256',
      '192.0.2.01',
      '0x7f.1',
      '192.0.2.1:',
      '192.0.2.1:x',
      '192.0.2.1:123456',
      '[192.0.2.1]',
      '[2001:db8::1',
      '2001:db8::1]',
      '[2001:db8::1]443',
      '[]',
      '2001:db8::1::2',
      'fe80::1%eth0',
      '"192.0.2.1"',
      'for=192.0.2.1',
      '192.0.2.1;',
      '192.0.2.1 192.0.2.2',
      '192.0. 2.1',
      'x192.0.2.1:443',
      'x[2001:db8::1]',
    ]) {
      assert.equal(resolve('127.0.0.1', `203.0.113.5, ${entry}`), '127.0.0.1', entry)
      assert.equal(resolve('127.0.0.1', `203.0.113.5, ${entry}, 10.0.0.2`), '10.0.0.2', entry)
    }
    assert.equal(resolve('127.0.0.1'), '127.0.0.1')
  })

  it('proxies.resolve does not parse an entry of X-Forwarded-For above 64 characters', () => {
    const entryOf = (length: number): string => 'x, 192.0.2.1:443'.padEnd(length + 2) + ',10.0.0.2'
    assert.equal(resolve('127.0.0.1', entryOf(64)), '192.0.2.1')
    assert.equal(resolve('127.0.0.1', entryOf(65)), '10.0.0.2')
  })

  it('createProxies reads an IPv4-mapped IPv6 range as the IPv4 range', () => {
    const { isTrusted } = createProxies(['::ffff:10.0.0.0/104', '::ffff:192.0.2.7'])
    for (const address of ['10.0.0.0', '10.255.255.255', '192.0.2.7'])
      assert.ok(isTrusted(address), address)
    for (const address of ['9.255.255.255', '11.0.0.0', '192.0.2.8', '::1'])
      assert.ok(!isTrusted(address), address)
  })
})

describe('findProxyFault', () => {
  it('findProxyFault accepts addresses and ranges', () => {
    for (const range of [
      '127.0.0.1',
      '::1',
      '10.0.0.0/8',
      '10.0.0.0/32',
      'fd00::/8',
      '2001:db8::/128',
      'unix:',
    ])
      assert.equal(findProxyFault(range), undefined, range)
  })

  it('findProxyFault refuses a range that contains the whole Internet', () => {
    for (const range of ['0.0.0.0/0', '::/0', '10.0.0.0/0', '10.0.0.0/00', '::ffff:0.0.0.0/96'])
      assert.match(findProxyFault(range)!, /is the whole Internet/, range)
  })

  it('findProxyFault refuses text that is neither an address nor a range', () => {
    const wrong = [
      '',
      'localhost',
      '10.0.0.0/33',
      '::/129',
      '10.0.0.0/',
      '/8',
      '10.0.0.0/-1',
      '10.0.0.0/8/8',
      'x/10.0.0.0/8',
      '10.0.0',
      '*',
    ]
    for (const range of [
      ...wrong,
      '::ffff:0.0.0.0/95',
      '::ffff:10.0.0.0/129',
      'fe80::1%eth0',
      ' 10.0.0.1',
    ])
      assert.match(findProxyFault(range)!, /is not an address such as/, range)
  })
})
