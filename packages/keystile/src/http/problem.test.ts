import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OAuthError, ProblemError, TokenError, type ProblemCode } from '../base/errors.ts'
import type { TokenErrorCode } from '../base/token-reasons.ts'
import { problemAnswer, tokenRefusalAnswer } from './problem.ts'

describe('problemAnswer', () => {
  const statuses: Readonly<Record<ProblemCode, readonly [number, string]>> = {
    bad_request: [400, 'Bad Request'],
    forbidden: [403, 'Forbidden'],
    not_found: [404, 'Not Found'],
    method_not_allowed: [405, 'Method Not Allowed'],
    conflict: [409, 'Conflict'],
    content_too_large: [413, 'Content Too Large'],
    unsupported_media_type: [415, 'Unsupported Media Type'],
    unprocessable_content: [422, 'Unprocessable Content'],
    too_many_requests: [429, 'Too Many Requests'],
    internal_server_error: [500, 'Internal Server Error'],
    temporarily_unavailable: [503, 'Service Unavailable'],
  }
  for (const [code, [status, title]] of Object.entries(statuses) as [
    ProblemCode,
    readonly [number, string],
  ][]) {
    it(`problemAnswer has the status ${status} for the code ${code} (RFC 9457 §3)`, () => {
      const { headers, body, ...rest } = problemAnswer(new ProblemError(code, 'What happened'))
      assert.deepEqual(rest, { status })
      assert.deepEqual(headers, {
        'content-type': 'application/problem+json',
        'cache-control': 'no-store',
      })
      assert.deepEqual(JSON.parse(body ?? ''), {
        type: 'about:blank',
        title,
        status,
        detail: 'What happened',
      })
    })
  }

  it('problemAnswer lists the errors in a request body', () => {
    const errors = [{ loc: ['body', 'email'], msg: 'An e-mail address', type: 'value_error' }]
    const { body } = problemAnswer(
      new ProblemError('unprocessable_content', 'Not valid', { errors }),
    )
    assert.deepEqual(JSON.parse(body ?? '').errors, errors)
  })

  it('problemAnswer includes Retry-After and the headers that the caller passes', () => {
    const error = new ProblemError('temporarily_unavailable', 'Later', { retryAfterSeconds: 0 })
    assert.deepEqual(problemAnswer(error, { allow: 'GET' }).headers, {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'retry-after': '0',
      allow: 'GET',
    })
  })

  it('problemAnswer omits `detail`, `cause` and `stack`, which are for the log', () => {
    const details = { detail: 'hush', cause: new Error('hush') }
    const answers = [
      problemAnswer(new ProblemError('conflict', 'Taken', details)),
      tokenRefusalAnswer(new TokenError('invalid_token', 'Invalid token', details), 'r'),
    ]
    for (const answer of answers) assert.doesNotMatch(JSON.stringify(answer), /hush|\.ts|at /)
  })
})

describe('tokenRefusalAnswer', () => {
  const statuses: Readonly<Record<TokenErrorCode, number>> = {
    not_authenticated: 401,
    invalid_request: 400,
    invalid_token: 401,
    insufficient_user_authentication: 401,
    insufficient_scope: 403,
    email_not_verified: 403,
    temporarily_unavailable: 503,
  }
  for (const [code, status] of Object.entries(statuses) as [TokenErrorCode, number][]) {
    const hasOwnCode = code === 'email_not_verified'
    it(`tokenRefusalAnswer has the status ${status} for the code ${code} (RFC 6750 §3)`, () => {
      const answer = tokenRefusalAnswer(
        new TokenError(code, 'What happened', { retryAfterSeconds: 1 }),
        'realm',
        'https://api.example/.well-known/oauth-protected-resource',
      )
      assert.equal(answer.status, status)
      const challenge = answer.headers['www-authenticate']
      if (status === 503 || hasOwnCode) assert.equal(challenge, undefined)
      else assert.match(challenge ?? '', /^Bearer realm="realm".* resource_metadata="https:/)
      assert.equal(answer.headers['retry-after'], '1')
      assert.equal(answer.headers['content-type'], 'application/problem+json')
      const titles: Readonly<Record<number, string>> = {
        400: 'Bad Request',
        401: 'Unauthorized',
        403: 'Forbidden',
      }
      assert.deepEqual(JSON.parse(answer.body ?? ''), {
        type: 'about:blank',
        title: titles[status] ?? 'Service Unavailable',
        status,
        detail: 'What happened',
        ...(hasOwnCode && { code }),
      })
    })
  }
})

describe('OAuthError', () => {
  it('each code of OAuthError has the status that RFC 6749 §5.2 demands', () => {
    const codes = [
      'invalid_request',
      'invalid_client',
      'invalid_grant',
      'temporarily_unavailable',
    ] as const
    assert.deepEqual(
      codes.map((code) => new OAuthError(code, 'x').status),
      [400, 401, 400, 503],
    )
    for (const code of ['unsupported_grant_type', 'invalid_scope'] as const) {
      assert.equal(new OAuthError(code, 'x').status, 400)
    }
  })
})
