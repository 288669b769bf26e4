import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { preferredLanguage } from './language.ts'

describe('preferredLanguage', () => {
  const cases: readonly (readonly [header: string | null, language: string | undefined])[] = [
    [null, undefined],
    ['', undefined],
    ['de', 'de'],
    ['DE-at', 'de'],
    ['fr-CA, fr;q=0.9, en;q=0.8', 'fr'],
    ['en;q=0.5, es;q=0.7', 'es'],
    ['nl, de;q=0.9', 'de'],
    ['de;q=0', undefined],
    ['*', undefined],
    ['*, es ; q=0.1', 'es'],
    ['en, de', 'en'],
    ['zh-Hant-TW', undefined],
    ['deutsch', undefined],
    ['de;q=2', undefined],
    ['de;q=0.1234', undefined],
    ['de;x', undefined],
    ['!de', undefined],
    ['de-!', undefined],
    ['de;q=0, fr', 'fr'],
    ['fr;q=0.125, de;q=0.25', 'de'],
    ['fr;q=0.999, de;q=1', 'de'],
    ['fr;q=0.999, de;q=1.000', 'de'],
    [`de${' '.repeat(998)}`, 'de'],
    [`de${' '.repeat(999)}`, undefined],
    ['de\r\nbcc: x', undefined],
    [`de,${' '.repeat(1_000)}en`, undefined],
  ]
  for (const [header, language] of cases)
    it(`preferredLanguage finds ${language} in ${JSON.stringify(header)?.slice(0, 40)}`, () => {
      assert.equal(preferredLanguage(header), language)
    })
})
