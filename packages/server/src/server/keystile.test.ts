import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fetchFrom } from './keystile.ts'

describe('keystile.fetch', () => {
  it('keystile.fetch returns the answer of Keystile, or 404 if Keystile has none', async () => {
    const senders: unknown[] = []
    const fetch = fetchFrom(async ({ url, remoteAddress }) => {
      senders.push(remoteAddress)
      return url.endsWith('/token') ? { status: 299, headers: { a: 'b' } } : undefined
    })
    const answered = await fetch(new Request('http://localhost/token'), {
      remoteAddress: '192.0.2.1',
    })
    assert.deepEqual([answered.status, answered.headers.get('a')], [299, 'b'])
    assert.equal((await fetch(new Request('http://localhost/other'))).status, 404)
    assert.deepEqual(senders, ['192.0.2.1', undefined])
  })
})
