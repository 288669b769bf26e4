import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OAuthError, ProblemError, TokenError, tokenError } from 'keystile/internal'
import { DatabaseUnavailableError } from '../../storage/database.ts'
import { guardReasonOf, nobody, observeGrant } from './observer.ts'

async function outcomeOf(work: Promise<unknown>): Promise<string> {
  const told: string[] = []
  const observer = { ...nobody, onGrant: (grant: string, outcome: string) => void told.push(`${grant} ${outcome}`) }
  await observeGrant(observer, 'login', work).catch(() => {})
  return told.join()
}

describe('observeGrant', () => {
  it('passes on what was granted, or thrown', async () => {
    assert.equal(await observeGrant(nobody, 'login', Promise.resolve(1)), 1)
    const error = new Error('x')
    await assert.rejects(observeGrant(nobody, 'login', Promise.reject(error)), error)
  })

  it('tells a wrong password from a wrong form, an outage and a bug', async () => {
    assert.equal(await outcomeOf(Promise.resolve()), 'login granted')
    for (const [error, outcome] of [
      [new OAuthError('invalid_grant', 'x'), 'refused'],
      [new OAuthError('invalid_scope', 'x'), 'invalid'],
      [new ProblemError('unprocessable_content', 'x'), 'invalid'],
      [Object.assign(new Error('x'), { status: 429 }), 'limited'],
      [new ProblemError('temporarily_unavailable', 'x'), 'unavailable'],
      [new DatabaseUnavailableError('x'), 'unavailable'],
      [new Error('x'), 'failed'],
      [new ProblemError('internal_server_error', 'x'), 'failed'],
    ] as const)
      assert.equal(await outcomeOf(Promise.reject(error)), `login ${outcome}`)
  })
})

describe('guardReasonOf', () => {
  it('is the code of the refusal, with expired and revoked tokens apart', () => {
    for (const [reason, label] of [
      ['no_credential', 'not_authenticated'],
      ['malformed_credential', 'invalid_request'],
      ['expired', 'expired'],
      ['revoked', 'revoked'],
      ['wrong_signature', 'invalid_token'],
      ['unknown_user', 'invalid_token'],
      ['missing_scope', 'insufficient_scope'],
      ['login_too_old', 'insufficient_user_authentication'],
      ['revocations_unavailable', 'temporarily_unavailable'],
    ] as const)
      assert.equal(guardReasonOf(tokenError(reason)), label)
  })

  it('reads no message: an app may word its own refusal as it likes', () => {
    assert.equal(guardReasonOf(new TokenError('invalid_token', 'Token has expired')), 'invalid_token')
  })
})
