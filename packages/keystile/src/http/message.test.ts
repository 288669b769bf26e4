import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { cancelStream, pathOf, tooLarge, toResponse } from './message.ts'

describe('pathOf', () => {
  const table: readonly [string, string | undefined][] = [
    ['/', '/'],
    ['/token', '/token'],
    ['/token?a=/b', '/token'],
    ['/token#x', undefined],
    ['http://[::1]:8000/token', '/token'],
    ['http://localhost/x/../token', '/x/../token'],
    ['http://localhost/x/%2e%2e/token', '/x/%2e%2e/token'],
    ['/a/../token', '/a/../token'],
    ['/%74oken', '/%74oken'],
    ['//attacker.test/token', '//attacker.test/token'],
    ['/?', '/'],
    ['http://localhost/token?x', '/token'],
    ['https://attacker.test:8443/auth/token', '/auth/token'],
    ['HTTP://localhost/token', '/token'],
    ['http://localhost', '/'],
    ['*', undefined],
    ['', undefined],
    ['token', undefined],
    ['localhost:443', undefined],
    ['ftp://localhost/token', undefined],
    ['javascript:alert(1)', undefined],
    ['/x?to=http://localhost/y', '/x'],
    ['http://', undefined],
    ['http://[', undefined],
    ['?access_token=x', undefined],
  ]
  for (const [url, path] of table) {
    it(`pathOf finds ${path ?? 'no path'} in ${JSON.stringify(url)} (RFC 9112 §3.2)`, () => {
      assert.equal(pathOf(url), path)
    })
  }
})

it('cancelStream cancels the stream, and accepts a stream that has failed', async () => {
  let cancelled = 0
  const failed = Promise.reject(new Error('the stream has failed'))
  cancelStream({ cancel: () => (cancelled++, failed) })
  cancelStream(undefined)
  await assert.rejects(failed)
  assert.equal(cancelled, 1)
})

describe('toResponse', () => {
  it('toResponse returns the status, headers and body of the answer', async () => {
    const response = toResponse({
      status: 403,
      headers: { 'www-authenticate': 'Bearer' },
      body: '{}',
    })
    assert.equal(response.status, 403)
    assert.equal(response.headers.get('www-authenticate'), 'Bearer')
    assert.equal(await response.text(), '{}')
  })

  it('toResponse sends each cookie in a header of its own (RFC 6265 §3)', () => {
    const cookies = ['a=1; Path=/', 'b=2; Path=/']
    assert.deepEqual(
      toResponse({ status: 200, headers: {}, cookies }).headers.getSetCookie(),
      cookies,
    )
  })

  it('toResponse sets no cookie if the answer has no cookies', () => {
    assert.deepEqual(toResponse({ status: 200, headers: {} }).headers.getSetCookie(), [])
  })

  it('toResponse returns no body for status 204 (RFC 9110 §15.3.5)', () => {
    assert.equal(toResponse({ status: 204, headers: {} }).body, null)
  })
})

describe('tooLarge', () => {
  it('tooLarge() returns an error with status 413 and the allowed size (RFC 9110 §15.5.14)', () => {
    const { status, message } = tooLarge(5)
    assert.deepEqual([status, message], [413, 'The body must have at most 5 bytes'])
  })
})
