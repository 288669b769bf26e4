import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decideRefresh, type PresentedToken } from './refresh-rule.ts'

const day = 24 * 60 * 60 * 1000
const now = 40 * day
const unused: PresentedToken = {
  now,
  graceSeconds: 10,
  usedAt: null,
  repeatableUntil: null,
  successorIsUsed: false,
  lateRetryAt: null,
}
const used: PresentedToken = { ...unused, usedAt: now - 10_000, repeatableUntil: now }

describe('decideRefresh', () => {
  const table: readonly (readonly [title: string, shown: PresentedToken, decision: string])[] = [
    ['an unused token', unused, 'rotate'],
    ['an unused token without a grace period', { ...unused, graceSeconds: 0 }, 'rotate'],
    ['a used token in the last moment of its grace period', used, 'repeat'],
    [
      'a token whose stored time of use is later than the clock',
      { ...used, usedAt: now + 500, repeatableUntil: now + 10_500 },
      'repeat',
    ],
    ['a used token after its grace period', { ...used, repeatableUntil: now - 1 }, 'late-retry'],
    [
      'a used token without a stored grace period',
      { ...used, repeatableUntil: null },
      'late-retry',
    ],
    [
      'a token whose successor was used within the grace period',
      { ...used, successorIsUsed: true },
      'reuse',
    ],
    [
      'a token whose successor was used after the grace period',
      { ...used, repeatableUntil: now - 1, successorIsUsed: true },
      'reuse',
    ],
    [
      'a token within its grace period, after graceSeconds was set to 0',
      { ...used, graceSeconds: 0 },
      'reuse',
    ],
    [
      'a used token without a grace period',
      { ...used, repeatableUntil: now - 1, graceSeconds: 0 },
      'reuse',
    ],
    [
      'a second late retry within 24 hours',
      { ...used, repeatableUntil: now - 1, lateRetryAt: now - day + 1 },
      'reuse',
    ],
    [
      'a late retry 24 hours after the previous late retry',
      { ...used, repeatableUntil: now - 1, lateRetryAt: now - day },
      'late-retry',
    ],
    [
      'a token within the grace period that a late retry opened',
      { ...used, lateRetryAt: now - 1 },
      'repeat',
    ],
  ]
  for (const [title, shown, decision] of table) {
    it(`decideRefresh returns "${decision}" for ${title}`, () =>
      assert.equal(decideRefresh(shown), decision))
  }
})
