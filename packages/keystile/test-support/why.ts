import assert from 'node:assert/strict'
import type { TokenError, TokenReason } from 'keystile'

/** Why a token is refused: the reason exactly, or words of the detail. */
export type Why = TokenReason | RegExp

export function assertWhy({ reason, detail }: TokenError, why: Why): void {
  if (typeof why === 'string') assert.equal(reason, why)
  else assert.match(detail ?? '', why, `the reason is ${reason}`)
}
