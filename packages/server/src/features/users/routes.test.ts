import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readWebRequest } from 'keystile/internal'
import type { GuardedRoute } from '../../http/route.ts'
import { findPasswordFault } from '../password/password.ts'
import { parseUsername } from './names.ts'
import { accountRoutes, type AccountCaller } from './routes.ts'

interface Documented {
  readonly properties: Readonly<Record<string, { readonly minLength?: number; readonly maxLength?: number }>>
}

/** What the documentation says of the body of a route; no handler runs, so nothing is needed behind it. */
function bodyOf(method: string, path: string): Documented['properties'] {
  const nothing = {} as unknown as Parameters<typeof accountRoutes>[0]
  const route = accountRoutes({
    ...nothing,
    issuer: 'http://localhost',
    registration: 'open',
    profile: undefined,
  }).find((candidate) => candidate.method === method && candidate.path === path)
  return (route!.doc.body!.schema as unknown as Documented).properties
}

describe('accountRoutes', () => {
  it('documents the lengths of passwords that are taken', () => {
    for (const { minLength, maxLength } of [
      bodyOf('POST', '/users')['password']!,
      bodyOf('POST', '/users/me/password')['new_password']!,
    ]) {
      const isTaken = [minLength! - 1, minLength!, maxLength!, maxLength! + 1].map(
        (length) => findPasswordFault('x'.repeat(length)) === undefined,
      )
      assert.deepEqual(isTaken, [false, true, true, false])
    }
  })

  it('documents the lengths of user names that are taken', () => {
    const { minLength, maxLength } = bodyOf('POST', '/users')['username']!
    const isTaken = [minLength! - 1, minLength!, maxLength!, maxLength! + 1].map(
      (length) => parseUsername('x'.repeat(length)) !== undefined,
    )
    assert.deepEqual(isTaken, [false, true, true, false])
  })

  it('answers 409 to a change of a profile whose user is deleted at the same time', async () => {
    const gone = {
      replaceProfile: async () => 'changed',
      findBySubject: async () => undefined,
    } as unknown as Parameters<typeof accountRoutes>[0]['users']
    const nothing = {} as unknown as Parameters<typeof accountRoutes>[0]
    const options = {
      ...nothing,
      issuer: 'http://localhost',
      registration: 'open',
      profile: undefined,
      users: gone,
    } as const
    const route = accountRoutes(options).find(
      (candidate): candidate is GuardedRoute<AccountCaller> =>
        candidate.guard !== undefined && candidate.method === 'PATCH',
    )
    const headers = { 'content-type': 'application/json' }
    const request = new Request('http://localhost/users/me', { method: 'PATCH', body: '{}', headers })
    const caller = { identity: { sessionId: 's' }, user: { publicUser: { id: 'x' } } } as unknown as AccountCaller
    await assert.rejects(async () => route!.handle({ ...readWebRequest(request), params: {} }, caller), {
      code: 'conflict',
    })
  })
})
