import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { kindOf, notAwaited, requireKnownOptions } from './options.ts'

const check = (options: unknown): void => requireKnownOptions('bake', options, ['sugar', 'salt'])

describe('requireKnownOptions', () => {
  it('requireKnownOptions accepts an option that is null, and options without a prototype', () => {
    for (const options of [{}, { sugar: 1, salt: null }, Object.create(null)]) check(options)
  })

  it('requireKnownOptions accepts a class instance with members that are not options', () => {
    class Recipe {
      readonly sugar = 1
      readonly title = 'Cake'
    }
    check(new Recipe())
  })

  const refused: readonly (readonly [what: string, options: unknown, message: string])[] = [
    ...[undefined, null, 5, 'sugar', ['sugar'], () => ({})].map(
      (value) =>
        [
          String(value),
          value,
          'the options of bake must be an object with any of these: sugar, salt',
        ] as const,
    ),
    [
      'a misspelt name',
      { suger: 1 },
      'bake has no option `suger`; did you mean `sugar`? Its options are sugar, salt',
    ],
    [
      'a misspelt name in an object without a prototype',
      Object.assign(Object.create(null), { suger: 1 }),
      'bake has no option `suger`; did you mean `sugar`? Its options are sugar, salt',
    ],
    ['an unknown name', { flour: 1 }, 'bake has no option `flour`; its options are sugar, salt'],
    [
      'undefined as a value',
      { sugar: undefined },
      'the option `sugar` of bake is undefined: leave it out, or give it a value',
    ],
  ]
  for (const [what, options, message] of refused) {
    it(`requireKnownOptions refuses ${what}`, () => {
      assert.throws(() => check(options), { name: 'TypeError', message })
    })
  }
})

it('kindOf shows numbers, null and undefined, but only the kind of other values', () => {
  const kinds = [5, NaN, null, undefined, '', 'secret', [], ['secret'], {}, () => {}, true]
  assert.deepEqual(kinds.map(kindOf), [
    '5',
    'NaN',
    'null',
    'undefined',
    'an empty string',
    'a string',
    'an empty array',
    'an array',
    'an object',
    'a function',
    'a boolean',
  ])
})

it('the message about a promise shows how to await it', () => {
  assert.match(notAwaited('bake'), /^the argument of bake\(\).*Fix: bake\(await createKeystile/)
})
