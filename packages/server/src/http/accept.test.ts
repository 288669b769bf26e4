import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { prefersHtml } from './accept.ts'

const chrome =
  'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8'

describe('prefersHtml', () => {
  for (const [accept, expected] of [
    [chrome, true],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', true],
    ['text/html', true],
    ['Text/HTML; charset=utf-8 ; Q=0.5', true],
    ['text/*', true],
    ['text/html, */*', true],
    ['text/html;q=0.5, application/json;q=0.4', true],
    ['application/*;q=1, text/html;q=1.000', true],
    [undefined, false],
    [null, false],
    ['', false],
    ['*/*', false],
    ['application/json, text/plain, */*', false],
    ['application/json', false],
    ['text/html, application/json', false],
    ['text/html;q=0.4, */*;q=0.5', false],
    ['text/html;q=0', false],
    ['text/html;q=0, text/*', false],
    ['text/html;q=2', false],
    ['text/html;q=x', false],
    ['text/html;q=0.1234', false],
    ['text/htmlx', false],
    [`text/html,${'x'.repeat(991)}`, false],
    [`text/html,${'x'.repeat(990)}`, true],
  ] as const)
    it(`a request with Accept: ${accept?.slice(0, 60)} gets ${expected ? 'HTML' : 'JSON'}`, () => {
      assert.equal(prefersHtml(accept), expected)
    })
})
