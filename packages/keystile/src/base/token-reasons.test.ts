import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TokenError } from './errors.ts'
import {
  tokenReasons,
  tokenStatus,
  type TokenErrorCode,
  type TokenReason,
} from './token-reasons.ts'

describe('tokenReasons', () => {
  it('the error code of a TokenReason is invalid_token, except for ten reasons', () => {
    const others: Partial<Record<TokenReason, TokenErrorCode>> = {
      no_credential: 'not_authenticated',
      malformed_credential: 'invalid_request',
      verifier_closed: 'temporarily_unavailable',
      keys_unavailable: 'temporarily_unavailable',
      revocations_unavailable: 'temporarily_unavailable',
      service_unavailable: 'temporarily_unavailable',
      login_too_old: 'insufficient_user_authentication',
      login_too_weak: 'insufficient_user_authentication',
      missing_scope: 'insufficient_scope',
      email_not_verified: 'email_not_verified',
    }
    for (const reason of Object.keys(tokenReasons) as TokenReason[]) {
      assert.equal(tokenReasons[reason].code, others[reason] ?? 'invalid_token', reason)
    }
  })

  it('the message of every TokenReason is one ASCII sentence without a full stop', () => {
    for (const [reason, { message }] of Object.entries(tokenReasons)) {
      assert.match(message, /^[A-Z][ -~]+[^.]$/, reason)
    }
  })
})

describe('the reason of a TokenError', () => {
  const reasonOf = (code: TokenErrorCode, reason?: unknown): TokenReason =>
    new TokenError(code, 'In words of the app', { reason: reason as TokenReason }).reason

  it('a TokenError without a reason has the default reason for its code', () => {
    const codes = Object.keys(tokenStatus) as TokenErrorCode[]
    assert.deepEqual(Object.fromEntries(codes.map((code) => [code, reasonOf(code)])), {
      not_authenticated: 'no_credential',
      invalid_request: 'malformed_credential',
      invalid_token: 'refused_by_app',
      insufficient_scope: 'missing_scope',
      email_not_verified: 'email_not_verified',
      insufficient_user_authentication: 'login_too_old',
      temporarily_unavailable: 'service_unavailable',
    })
  })

  it('a TokenError has the default reason for its code if the given reason does not fit', () => {
    assert.equal(reasonOf('invalid_token', 'unknown_user'), 'unknown_user')
    for (const other of ['missing_scope', 'blocked since May', 'toString', '__proto__', '', null]) {
      assert.equal(reasonOf('invalid_token', other), 'refused_by_app')
    }
  })
})
