import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { noLimits, type Limits } from '../limits/limits.ts'
import { createPasswordPolicy } from '../password-policy/policy.ts'
import { pendingRegistrationRoute } from './routes.ts'

describe('pendingRegistrationRoute', () => {
  it('POST /users stores the language of the browser and counts the mail', async () => {
    const [registered, counted]: [unknown[], unknown[]] = [[], []]
    const count: Limits['count'] = async (uses) => {
      counted.push(...uses.map(({ rate }) => rate.name))
      return noLimits.count(uses)
    }
    const route = pendingRegistrationRoute({
      registrations: {
        async register({ username, passwordHash }, language) {
          registered.push([username.shown, passwordHash, language])
          return 'registration-1'
        },
      },
      passwords: { hash: async () => 'hash' },
      passwordPolicy: createPasswordPolicy({ minLength: 15, issuer: 'https://auth.example' }),
      limits: { ...noLimits, count },
      registration: 'open',
      profile: undefined,
    })
    const person = { username: 'Ada', email: 'a@example.com', password: 'an engine of her own' }
    for (const language of ['de', 'nl']) {
      const { status, body } = await route.handle({
        method: 'POST',
        url: '/users',
        headers: new Headers({ 'content-type': 'application/json', 'accept-language': language }),
        body: async () => Buffer.from(JSON.stringify(person)),
        params: {},
      })
      assert.deepEqual([status, body], [202, '{"registration_id":"registration-1"}'])
    }
    assert.deepEqual(registered, [
      ['Ada', 'hash', 'de'],
      ['Ada', 'hash', ''],
    ])
    assert.deepEqual(counted, ['registration-mail', 'registration-mail'])
    const { schema } = route.doc.success
    assert.deepEqual(schema, {
      type: 'object',
      properties: { registration_id: { type: 'string' } },
      required: ['registration_id'],
    })
  })
})
