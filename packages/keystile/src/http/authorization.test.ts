import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findCredential } from './authorization.ts'

describe('findCredential', () => {
  const table: readonly [
    string | null | undefined,
    bearer: string | undefined,
    basic: string | undefined,
  ][] = [
    [undefined, undefined, undefined],
    [null, undefined, undefined],
    ['', undefined, undefined],
    ['Bearer', '', undefined],
    ['bearer', '', undefined],
    ['Bearer ', '', undefined],
    ['Bearer abc', 'abc', undefined],
    ['BEARER Abc', 'Abc', undefined],
    ['bEaReR Abc', 'Abc', undefined],
    ['Bearer   abc', 'abc', undefined],
    ['Bearer a b', 'a b', undefined],
    ['Bearer a, Bearer b', 'a, Bearer b', undefined],
    ['Bearer\tabc', undefined, undefined],
    ['Bearer \tabc', '\tabc', undefined],
    ['Bearerabc', undefined, undefined],
    ['Bear', undefined, undefined],
    ['Basic Og==', undefined, 'Og=='],
    ['basic Og==', undefined, 'Og=='],
    ['Basic', undefined, ''],
    ['Basically Og==', undefined, undefined],
    ['Basic, Bearer abc', undefined, undefined],
    [' Bearer abc', undefined, undefined],
    ['ApiKey Bearer', undefined, undefined],
    ['Other Basic', undefined, undefined],
  ]
  for (const [field, bearer, basic] of table) {
    it(`findCredential(${JSON.stringify(field)}) is ${JSON.stringify(bearer ?? basic)}`, () => {
      assert.deepEqual(
        [findCredential(field, 'Bearer'), findCredential(field, 'Basic')],
        [bearer, basic],
      )
    })
  }

  it('findCredential reads a header with very many spaces quickly', () => {
    assert.equal(findCredential(`Bearer ${' '.repeat(16_000)}x`, 'Bearer'), 'x')
    assert.equal(findCredential(`Bearer x${' '.repeat(16_000)}x`, 'Bearer')?.length, 16_002)
  })
})
