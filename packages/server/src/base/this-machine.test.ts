import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isHttpElsewhere, isLoopback, isOnThisMachine } from './this-machine.ts'

describe('isOnThisMachine', () => {
  it('isOnThisMachine is true only for a URL whose host is a loopback name or address', () => {
    for (const issuer of ['http://localhost', 'https://127.1.2.3:1/x', 'http://[::1]'])
      assert.equal(isOnThisMachine(issuer), true, issuer)
    for (const issuer of [
      'localhost:80',
      'x',
      'http://10.0.0.1',
      'http://[::2]',
      'http://127.example',
    ])
      assert.equal(isOnThisMachine(issuer), false, issuer)
  })
})

describe('isLoopback', () => {
  it('isLoopback recognizes a loopback address that is mapped into IPv6', () => {
    assert.equal(isLoopback('::ffff:127.0.0.1'), true)
    for (const address of ['::ffff:10.0.0.1', '::ffff:', '::ffff:localhost', '::ffff:::1'])
      assert.equal(isLoopback(address), false, address)
  })
})

describe('isHttpElsewhere', () => {
  it('isHttpElsewhere is true only for a URL that is http and points to another machine', () => {
    assert.equal(isHttpElsewhere('http://api.example'), true)
    for (const url of ['http://localhost', 'https://api.example', 'x'])
      assert.equal(isHttpElsewhere(url), false, url)
    assert.equal(isHttpElsewhere(undefined), false)
  })
})
