import assert from 'node:assert/strict'
import { it } from 'node:test'
import { endsWithRequest } from './runtime.ts'

it('of all runtimes, only Cloudflare Workers end work with the request', ({ mock }) => {
  assert.equal(endsWithRequest(), false)
  mock.getter(navigator, 'userAgent', () => 'Cloudflare-Workers')
  assert.equal(endsWithRequest(), true)
})
