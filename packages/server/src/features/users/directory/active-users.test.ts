import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Identity } from 'keystile'
import { DatabaseUnavailableError } from '../../../storage/database.ts'
import { createActiveUsers, type ActiveUsers } from './active-users.ts'

const ada = { subject: 'ada', sessionId: 's', clientId: 'c' } as unknown as Identity

const clientOnly = { subject: 'ada', clientId: 'ada' } as unknown as Identity
const unstorable = { ...ada, clientId: '\0' } as unknown as Identity

/** Finds a user for each subject. */
const everyone = createActiveUsers({
  recall: ({ subject }) => ({ user: { subject }, shown: {} }),
  find: async (subject) => ({ subject }),
})
/** Finds no user. */
const nobody = createActiveUsers({ recall: () => undefined, find: async () => undefined })

function usersThatFail(error: Error): ActiveUsers<object> {
  return createActiveUsers({ recall: () => undefined, find: () => Promise.reject(error) })
}

describe('createActiveUsers', () => {
  it('createActiveUsers finds the user whose id is the subject of the token', async () => {
    assert.deepEqual(await everyone.find(ada), { subject: 'ada' })
    assert.deepEqual(everyone.recall(ada)?.user, { subject: 'ada' })
    assert.deepEqual([await everyone.isWelcome(ada), await nobody.isWelcome(ada)], [true, false])
  })

  it('a client’s token belongs to no user, even if a user has the client’s id', async () => {
    assert.equal(await everyone.find(clientOnly), undefined)
    assert.equal(await nobody.isWelcome(clientOnly), true)
  })

  it('if an id in a token contains NUL, createActiveUsers makes no query for a user', async () => {
    const users = usersThatFail(new Error('the database was asked'))
    assert.equal(await users.find(unstorable), undefined)
    assert.equal(await users.isWelcome(unstorable), false)
  })

  it('while the database does not answer, a guard answers 503 and not 401', async () => {
    const users = usersThatFail(new DatabaseUnavailableError('no connection'))
    for (const ask of [users.find, users.isWelcome])
      await assert.rejects(ask(ada), { reason: 'service_unavailable', retryAfterSeconds: 1 })
  })

  it('if a bug makes the lookup fail, createActiveUsers rejects with the same error', async () => {
    const bug = new Error('a bug')
    await assert.rejects(usersThatFail(bug).find(ada), (error) => error === bug)
  })
})
