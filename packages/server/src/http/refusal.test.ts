import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OAuthError, ProblemError, TokenError } from 'keystile/internal'
import { DatabaseUnavailableError } from '../storage/database.ts'
import { findRefusal, refusalAnswer } from './refusal.ts'

const realm = 'https://auth.example'
const bodyOf = (
  answer: { readonly body?: string | undefined } | undefined,
): Record<string, unknown> => JSON.parse(answer?.body ?? 'null')

describe('findRefusal and refusalAnswer', () => {
  it('findRefusal returns undefined for a bug', () => {
    for (const bug of [new Error('x'), new TypeError('x'), 'x', undefined, null]) {
      assert.equal(findRefusal(bug), undefined)
    }
  })

  it('refusalAnswer turns a token error into a Bearer challenge at every endpoint', () => {
    for (const refusals of ['oauth', 'problem'] as const) {
      const answer = refusalAnswer(
        new TokenError('invalid_token', 'Invalid token'),
        refusals,
        realm,
      )
      assert.equal(answer.status, 401)
      assert.match(answer.headers['www-authenticate']!, /^Bearer realm="https:\/\/auth\.example"/)
    }
  })

  it('refusalAnswer writes OAuth errors as RFC 6749 §5.2; invalid_client has a challenge', () => {
    const answer = refusalAnswer(new OAuthError('invalid_grant', 'No'), 'problem', realm)
    assert.deepEqual(bodyOf(answer), {
      error: 'invalid_grant',
      error_description: 'No',
      detail: 'No',
    })
    assert.deepEqual(answer.headers, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
    })
    const failed = refusalAnswer(new OAuthError('invalid_client', 'No'), 'oauth', realm)
    assert.deepEqual(
      [failed.status, failed.headers['www-authenticate']],
      [401, 'Basic realm="https://auth.example"'],
    )
  })

  it('refusalAnswer adds Retry-After if the error has retryAfterSeconds, even 0', () => {
    const error = new OAuthError('temporarily_unavailable', 'Later', { retryAfterSeconds: 0 })
    assert.equal(refusalAnswer(error, 'oauth', realm).headers['retry-after'], '0')
  })

  it('refusalAnswer writes a ProblemError as RFC 9457, or as RFC 6749 at OAuth endpoints', () => {
    const error = new ProblemError('content_too_large', 'Too much')
    const problem = refusalAnswer(error, 'problem', realm)
    assert.deepEqual(
      [problem.status, problem.headers['content-type']],
      [413, 'application/problem+json'],
    )
    const oauth = refusalAnswer(error, 'oauth', realm)
    assert.equal(oauth.status, 413)
    assert.deepEqual(bodyOf(oauth), {
      error: 'invalid_request',
      error_description: 'Too much',
      detail: 'Too much',
    })
    const bug = refusalAnswer(new ProblemError('internal_server_error', 'x'), 'oauth', realm)
    assert.deepEqual([bug.status, bodyOf(bug)['error']], [500, 'server_error'])
    const many = refusalAnswer(new ProblemError('too_many_requests', 'Wait'), 'oauth', realm)
    assert.deepEqual([many.status, bodyOf(many)['error']], [429, 'temporarily_unavailable'])
    const busy = refusalAnswer(new ProblemError('temporarily_unavailable', 'Busy'), 'oauth', realm)
    assert.equal(bodyOf(busy)['error'], 'temporarily_unavailable')
  })

  it('findRefusal returns a 503 without details if the database is down', () => {
    for (const refusals of ['oauth', 'problem'] as const) {
      const refusal = findRefusal(new DatabaseUnavailableError('10.0.0.1'))!
      const answer = refusalAnswer(refusal, refusals, realm)
      assert.deepEqual([answer.status, answer.headers['retry-after']], [503, '1'])
      assert.doesNotMatch(JSON.stringify(answer), /10\.0/)
    }
  })
})
