// Asserts why a token was refused.
import assert from 'node:assert/strict'
import type { TokenError, TokenReason } from 'keystile'

/** Why a token must be refused: the exact reason, or a pattern for the detail. */
export type Why = TokenReason | RegExp

export function assertWhy({ reason, detail }: TokenError, why: Why): void {
  if (typeof why === 'string') assert.equal(reason, why)
  else assert.match(detail ?? '', why, `the reason is ${reason}`)
}
