import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Identity } from 'keystile'
import { DatabaseUnavailableError } from '../../storage/database.ts'
import { createActiveUsers, type ActiveUsers } from './active-users.ts'

const ada = { subject: 'ada', sessionId: 's', clientId: 'c' } as unknown as Identity

function usersThatFail(error: Error): ActiveUsers<object> {
  return createActiveUsers({ recall: () => undefined, find: () => Promise.reject(error) })
}

describe('createActiveUsers', () => {
  it('while the database does not answer, a guard answers 503 and not 401', async () => {
    const users = usersThatFail(new DatabaseUnavailableError('no connection'))
    for (const ask of [users.find, users.isWelcome])
      await assert.rejects(ask(ada), { reason: 'service_unavailable', retryAfterSeconds: 1 })
  })

  it('createActiveUsers does not change an error of the lookup that is no outage', async () => {
    const bug = new Error('a bug')
    await assert.rejects(usersThatFail(bug).find(ada), (error) => error === bug)
  })
})
