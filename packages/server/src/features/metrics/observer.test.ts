import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OAuthError, ProblemError, TokenError } from 'keystile/internal'
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
    for (const [code, message, reason] of [
      ['not_authenticated', 'Not authenticated', 'not_authenticated'],
      ['invalid_token', 'Token has expired', 'expired'],
      ['invalid_token', 'Token has been revoked', 'revoked'],
      ['invalid_token', 'Invalid token', 'invalid_token'],
      ['insufficient_scope', 'The token lacks a scope that this needs', 'insufficient_scope'],
      ['temporarily_unavailable', 'Token has expired', 'temporarily_unavailable'],
    ] as const)
      assert.equal(guardReasonOf(new TokenError(code, message)), reason)
  })
})
