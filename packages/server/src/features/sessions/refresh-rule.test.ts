import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decideRefresh, type Shown } from './refresh-rule.ts'

const day = 24 * 60 * 60 * 1000
const now = 40 * day
const unused: Shown = {
  now,
  graceSeconds: 10,
  usedAt: null,
  repeatableUntil: null,
  successorIsUsed: false,
  lateRetryAt: null,
}
const used: Shown = { ...unused, usedAt: now - 10_000, repeatableUntil: now }

describe('decideRefresh', () => {
  const table: readonly (readonly [title: string, shown: Shown, decision: string])[] = [
    ['a token that was not used', unused, 'rotate'],
    ['one that was not used where the grace is 0', { ...unused, graceSeconds: 0 }, 'rotate'],
    ['a used one in the last moment of the grace', used, 'repeat'],
    [
      'a used one, seen by a clock that is behind',
      { ...used, usedAt: now + 500, repeatableUntil: now + 10_500 },
      'repeat',
    ],
    ['a used one after the grace', { ...used, repeatableUntil: now - 1 }, 'late-retry'],
    ['one within the grace whose successor was used', { ...used, successorIsUsed: true }, 'reuse'],
    [
      'one after the grace whose successor was used',
      { ...used, repeatableUntil: now - 1, successorIsUsed: true },
      'reuse',
    ],
    ['one within the grace where it is 0 by now', { ...used, graceSeconds: 0 }, 'reuse'],
    [
      'one after the grace where it is 0',
      { ...used, repeatableUntil: now - 1, graceSeconds: 0 },
      'reuse',
    ],
    [
      'a second late one within 24 hours',
      { ...used, repeatableUntil: now - 1, lateRetryAt: now - day + 1 },
      'reuse',
    ],
    [
      'a late one 24 hours after another',
      { ...used, repeatableUntil: now - 1, lateRetryAt: now - day },
      'late-retry',
    ],
    ['one within a grace that a late one opened', { ...used, lateRetryAt: now - 1 }, 'repeat'],
  ]
  for (const [title, shown, decision] of table) {
    it(`has ${decision} for ${title}`, () => assert.equal(decideRefresh(shown), decision))
  }
})
