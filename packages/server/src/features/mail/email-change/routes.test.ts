import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { noLimits, type Limits } from '../../operations/limits/limits.ts'
import type { AccountCaller, AccountParts } from '../../users/accounts/account-route.ts'
import { changeRoute } from './routes.ts'

describe('POST /users/me/email without mail', () => {
  it('a change of address gets 409 if it is taken or the user has just changed', async () => {
    const counted: string[] = []
    const count: Limits['count'] = async (uses) => {
      counted.push(...uses.map(({ rate }) => rate.name))
      return noLimits.count(uses)
    }
    const errors = [
      { loc: ['body', 'new_email'], msg: 'This email is already taken', type: 'value_error' },
    ]
    for (const [outcome, refused] of [
      ['changed', undefined],
      ['taken', { code: 'conflict', errors }],
      ['outdated', { code: 'conflict', errors: undefined }],
    ] as const) {
      counted.length = 0
      const { handle } = changeRoute({
        users: { changeEmail: async () => outcome },
        passwords: { verify: async () => true },
        limits: { ...noLimits, count },
      } as unknown as AccountParts)
      const body = { current_password: 'p', new_email: 'ada@example.com' }
      const request = {
        method: 'POST',
        url: '/users/me/email',
        headers: new Headers({ 'content-type': 'application/json' }),
        body: async () => Buffer.from(JSON.stringify(body)),
        params: {},
      }
      const identity = { subject: 'ada', clientId: 'first-party' }
      const user = { publicUser: { id: 'ada', email: null }, passwordHash: 'hash' }
      const answer = async (): Promise<number> =>
        (await handle(request, { identity, user } as unknown as AccountCaller)).status
      if (refused) await assert.rejects(answer, refused)
      else assert.equal(await answer(), 204)
      assert.deepEqual(counted, ['proof', 'email'])
    }
  })
})
