import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { findExpected } from './expected-password.ts'

const common = new Set(['ab', 'ab1', '12ab', 'a1b', 'baba', '1aa!', 'b', '121212'])
const isCommon = (text: string): boolean => common.has(text)
/** All parts of keyboard rows that the characters of these tests can form. */
const rows = ['ab', 'ba', '12', '21', '1qa', 'aq1', '2w', 'w2', 'qw', 'wq']

/** The rules in their simplest form, which may be slow. */
function findPlainly(password: string, minLength: number): string | undefined {
  const letters = /[abqw](.*[abqw])?/.exec(password)
  return (
    findSimple(password) ??
    (letters ? findPadded(letters.index, letters.index + letters[0].length) : undefined)
  )

  function findSimple(part: string): string | undefined {
    if (isCommon(part)) return 'one of the most common passwords'
    for (let unit = 1; unit < minLength && part.length >= 2 * unit - 1; unit++)
      if (part.startsWith(part.slice(unit))) return 'something short that is repeated'
    const halves = [/(.).?/g, /.(.?)/g].map((every) => part.replace(every, '$1'))
    return [[part], halves].some((all) => all.every(isInRows))
      ? 'a row of letters, digits or keys'
      : undefined
  }

  function isInRows(text: string): boolean {
    let pieces = 0
    for (let rest = text; rest !== ''; pieces++) {
      let length = rest.length
      while (!isRow(rest.slice(0, length))) length--
      rest = rest.slice(length)
    }
    return pieces < minLength && pieces * 3 <= text.length
  }

  function findPadded(first: number, end: number): string | undefined {
    const isPadding = (outside: string): boolean =>
      outside.length < minLength || findSimple(outside) !== undefined
    const around = (from: number, to: number): string =>
      password.slice(0, from) + password.slice(to)
    for (let from = 0; from <= first; from++)
      for (let to = end; to <= password.length; to++)
        if (isCommon(password.slice(from, to)) && isPadding(around(from, to)))
          return 'a common word with digits or signs around it'
    const core = password.slice(first, end)
    const isSimple =
      core.length >= 4 && core.length < password.length && findSimple(core) !== undefined
    return isSimple && isPadding(around(first, end))
      ? 'something simple with digits or signs around it'
      : undefined
  }
}

function isRow(text: string): boolean {
  return text === text.charAt(0).repeat(text.length) || rows.some((row) => row.includes(text))
}

describe('findExpected', () => {
  it('for random passwords, findExpected agrees with a simple implementation of its rules', () => {
    const piece = fc.constantFrom(
      ...'abqw12!~'.split(''),
      ...common,
      'aaaa',
      '1q2w',
      'qw12qw12',
      '!!!!!',
    )
    const password = fc
      .array(piece, { minLength: 1, maxLength: 8 })
      .map((pieces) => pieces.join(''))
    const found = new Set<string | undefined>()
    fc.assert(
      fc.property(password, fc.integer({ min: 2, max: 9 }), (text, least) => {
        const minLength = Math.min(least, text.length)
        const expected = findPlainly(text, minLength)
        found.add(expected)
        assert.equal(findExpected(text, isCommon, minLength), expected)
      }),
      { numRuns: 20_000 },
    )
    assert.equal(found.size, 6, 'some passwords meet each rule, and some none')
  })

  it('findExpected does not look up a string that is longer than every blocked password', () => {
    const asked: string[] = []
    const long = '?!'.repeat(3) + '~=?&!%~'.repeat(3)
    findExpected(`${long}~ab1${long}!`, (text) => asked.push(text) > 0 && isCommon(text), 5)
    assert.ok(asked.includes('ab1'))
    assert.ok(Math.max(...asked.map(({ length }) => length)) <= 20)
  })
})
