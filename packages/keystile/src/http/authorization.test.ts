import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseAuthorization } from './authorization.ts'

describe('parseAuthorization', () => {
  const table: readonly [string | null | undefined, ReturnType<typeof parseAuthorization>][] = [
    [undefined, undefined],
    [null, undefined],
    ['', undefined],
    ['Bearer', { scheme: 'bearer', value: '' }],
    ['Bearer ', { scheme: 'bearer', value: '' }],
    ['Bearer abc', { scheme: 'bearer', value: 'abc' }],
    ['BEARER Abc', { scheme: 'bearer', value: 'Abc' }],
    ['Bearer   abc', { scheme: 'bearer', value: 'abc' }],
    ['Bearer a b', { scheme: 'bearer', value: 'a b' }],
    ['Bearer a, Bearer b', { scheme: 'bearer', value: 'a, Bearer b' }],
    ['Bearer\tabc', { scheme: 'bearer\tabc', value: '' }],
    ['Bearer \tabc', { scheme: 'bearer', value: '\tabc' }],
    ['Basic Og==', { scheme: 'basic', value: 'Og==' }],
    [' Bearer abc', { scheme: '', value: 'Bearer abc' }],
  ]
  for (const [field, parts] of table) {
    it(`splits ${JSON.stringify(field) ?? 'nothing'} into ${JSON.stringify(parts) ?? 'nothing'} (RFC 9110 §11.4)`, () => {
      assert.deepEqual(parseAuthorization(field), parts)
    })
  }

  it('takes a moment for a field of many spaces', () => {
    assert.equal(parseAuthorization(`Bearer ${' '.repeat(16_000)}x`)?.value, 'x')
    assert.equal(parseAuthorization(`Bearer x${' '.repeat(16_000)}x`)?.value.length, 16_002)
  })
})
