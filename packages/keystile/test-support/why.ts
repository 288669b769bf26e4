// Asserts why a token was refused.
import assert from 'node:assert/strict'
import type { TokenError, TokenReason } from 'keystile'

/** The expected refusal of a token: the exact reason, or a pattern that matches the detail. */
export type Why = TokenReason | RegExp

export function assertWhy({ reason, detail }: TokenError, why: Why): void {
  if (typeof why === 'string') assert.equal(reason, why)
  else assert.match(detail ?? '', why, `the reason is ${reason}`)
}
