import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TokenError, tokenError } from 'keystile/internal'
import { guardReasonOf } from './metrics.ts'

describe('guardReasonOf', () => {
  it('guardReasonOf returns "expired", "revoked" or the error code of the refusal', () => {
    for (const [reason, label] of [
      ['no_credential', 'not_authenticated'],
      ['malformed_credential', 'invalid_request'],
      ['expired', 'expired'],
      ['revoked', 'revoked'],
      ['wrong_signature', 'invalid_token'],
      ['unknown_user', 'invalid_token'],
      ['missing_scope', 'insufficient_scope'],
      ['email_not_verified', 'email_not_verified'],
      ['login_too_old', 'insufficient_user_authentication'],
      ['revocations_unavailable', 'temporarily_unavailable'],
    ] as const)
      assert.equal(guardReasonOf(tokenError(reason)), label)
  })

  it('guardReasonOf does not look at the message, because an app can change it', () => {
    assert.equal(
      guardReasonOf(new TokenError('invalid_token', 'Token has expired')),
      'invalid_token',
    )
  })
})
