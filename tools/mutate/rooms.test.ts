import assert from 'node:assert/strict'
import { it } from 'node:test'
import { testRooms, type Fate } from './rooms.ts'

it('the mutants of a sample are killed unless they are equivalent or untested', async () => {
  const fates = new Map<string, Fate>()
  await testRooms({
    files: ['tools/mutate/sample/code.ts'],
    stages: [['tools/mutate/sample/tests.ts']],
    onNote: (note) => assert.fail(note),
    onVerdict: ({ mutant, fate }) =>
      void fates.set(`${mutant.original} → ${mutant.replacement.replaceAll(/\s+/g, ' ')}`, fate),
  })
  const fateOf = (change: string): Fate | undefined => fates.get(change)

  assert.equal(fateOf('value <= limit → value < limit'), 'killed')
  assert.equal(fateOf('one > other → one <= other'), 'killed')
  assert.equal(fateOf('one > other → one >= other'), 'survived', 'both return the same number')
  assert.equal(fateOf('sum += number → sum -= number'), 'killed', 'only a thread reaches it')
  assert.equal(fateOf('one - other → one + other'), 'killed', 'only a child process reaches it')
  assert.equal(fateOf('\'m\' → ""'), 'killed', 'it is reached when the file is loaded')
  assert.equal(fateOf('{\n  return value <= limit\n} → {}'), 'uncompiled')
  assert.equal(fateOf('{\n  console.log(unit)\n} → {}'), 'untested')
})
