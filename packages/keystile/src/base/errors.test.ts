import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OAuthError, ProblemError, TokenError, type OAuthErrorCode } from './errors.ts'

describe('OAuthError', () => {
  const statuses: Readonly<Record<OAuthErrorCode, number>> = {
    invalid_request: 400,
    invalid_client: 401,
    invalid_grant: 400,
    unauthorized_client: 400,
    unsupported_grant_type: 400,
    unsupported_token_type: 400,
    invalid_scope: 400,
    insufficient_authorization: 403,
    invalid_session: 400,
    unmet_authentication_requirements: 400,
    temporarily_unavailable: 503,
  }
  for (const [code, status] of Object.entries(statuses) as [OAuthErrorCode, number][]) {
    it(`OAuthError has status ${status} for ${code} (RFC 6749 §5.2)`, () => {
      assert.equal(new OAuthError(code, 'No').status, status)
    })
  }
})

describe('TokenError', () => {
  it('TokenError.shortfall has the scopes and the maximum age given to the constructor', () => {
    assert.deepEqual(new TokenError('invalid_token', 'No').shortfall, {})
    assert.deepEqual(new TokenError('insufficient_scope', 'No', { scopes: ['a'] }).shortfall, {
      scopes: ['a'],
    })
    assert.deepEqual(
      new TokenError('insufficient_user_authentication', 'No', { maxAgeSeconds: 0 }).shortfall,
      {
        maxAgeSeconds: 0,
      },
    )
  })
})

describe('ProblemError', () => {
  it('ProblemError has a property `cause` exactly when its options have one', () => {
    const cause = new Error('inside')
    assert.equal(new ProblemError('conflict', 'No', { cause }).cause, cause)
    assert.ok('cause' in new ProblemError('conflict', 'No', { cause: undefined }))
    assert.ok(!('cause' in new ProblemError('conflict', 'No')))
  })
})

it('the name of each error is the name of its class', () => {
  const errors = [
    new TokenError('invalid_token', 'No'),
    new OAuthError('invalid_grant', 'No'),
    new ProblemError('conflict', 'No'),
  ]
  assert.deepEqual(errors.map(String), ['TokenError: No', 'OAuthError: No', 'ProblemError: No'])
})
