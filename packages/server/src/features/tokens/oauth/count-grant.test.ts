import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OAuthError, ProblemError } from 'keystile/internal'
import { noMeter, type Meter } from '../../../feature/metric.ts'
import { DatabaseUnavailableError } from '../../../storage/database.ts'
import { countGrant } from './count-grant.ts'

async function outcomeOf(
  work: Promise<unknown>,
  kind: 'login' | 'refresh' = 'login',
): Promise<string> {
  const told: string[] = []
  const add: Meter['add'] = ({ name }, { outcome }) => void told.push(`${name} ${outcome}`)
  await countGrant({ ...noMeter, add }, kind, work).catch(() => {})
  return told.join()
}

describe('countGrant', () => {
  it('countGrant returns the result of the grant or throws its error', async () => {
    assert.equal(await countGrant(noMeter, 'login', Promise.resolve(1)), 1)
    const error = new Error('x')
    await assert.rejects(countGrant(noMeter, 'login', Promise.reject(error)), error)
  })

  it('countGrant counts refusals, next steps, bad forms, 429s, outages and bugs', async () => {
    assert.equal(await outcomeOf(Promise.resolve()), 'keystile_logins_total granted')
    const refreshed = await outcomeOf(Promise.resolve(), 'refresh')
    assert.equal(refreshed, 'keystile_refreshes_total granted')
    for (const [error, outcome] of [
      [new OAuthError('invalid_grant', 'x'), 'refused'],
      [new OAuthError('insufficient_authorization', 'x'), 'factor_required'],
      [new OAuthError('invalid_scope', 'x'), 'invalid'],
      [new ProblemError('unprocessable_content', 'x'), 'invalid'],
      [Object.assign(new Error('x'), { status: 429 }), 'limited'],
      [new ProblemError('temporarily_unavailable', 'x'), 'unavailable'],
      [new DatabaseUnavailableError('x'), 'unavailable'],
      [new Error('x'), 'failed'],
      [new ProblemError('internal_server_error', 'x'), 'failed'],
    ] as const)
      assert.equal(await outcomeOf(Promise.reject(error)), `keystile_logins_total ${outcome}`)
  })
})
