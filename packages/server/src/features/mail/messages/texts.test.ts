import assert from 'node:assert/strict'
import { it } from 'node:test'
import { texts } from './texts.ts'

/** Returns all texts of a record. For a text that depends on a length, returns it for 15. */
function textsIn(record: object): readonly string[] {
  return Object.values(record).flatMap((value: unknown) => {
    if (typeof value === 'string') return [value]
    if (value === undefined) return []
    if (typeof value !== 'function') return textsIn(value as object)
    const text = (value as (minLength: number) => string)(15)
    assert.match(text, /\b15\b/)
    return [text]
  })
}

it('no text of an account page is empty, in any of the four languages', () => {
  const languages = Object.entries(texts)
  assert.deepEqual(languages.map(([language]) => language).toSorted(), ['de', 'en', 'es', 'fr'])
  for (const [language, { pages }] of languages)
    for (const text of textsIn(pages)) assert.notEqual(text.trim(), '', language)
})
