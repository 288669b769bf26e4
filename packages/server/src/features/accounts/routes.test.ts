import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readWebRequest } from 'keystile/internal'
import type { GuardedRoute } from '../../http/route.ts'
import { noLimits } from '../limits/limits.ts'
import { createPasswordPolicy, type PasswordPolicy } from '../password-policy/policy.ts'
import { parseUsername } from '../directory/names.ts'
import type { AccountCaller } from './route-parts.ts'
import { registerRoute } from './registration.ts'
import { accountRoutes } from './routes.ts'

interface Documented {
  readonly properties: Readonly<
    Record<string, { readonly minLength?: number; readonly maxLength?: number }>
  >
}

const policyOf = (minLength: number): PasswordPolicy =>
  createPasswordPolicy({ minLength, issuer: 'http://localhost' })

/**
 * Returns the documented body fields of a route. No handler runs, so the route needs no services.
 */
function bodyOf(method: string, path: string, minLength = 15): Documented['properties'] {
  const nothing = {} as unknown as Parameters<typeof accountRoutes>[0] &
    Parameters<typeof registerRoute>[0]
  const parts = { ...nothing, passwordPolicy: policyOf(minLength), profile: undefined }
  const register = registerRoute({
    ...parts,
    issuer: 'http://localhost',
    registration: 'open',
    verification: undefined,
  })
  const route = [register, ...accountRoutes(parts)].find(
    (candidate) => candidate.method === method && candidate.path === path,
  )
  return (route!.doc.body!.schema as unknown as Documented).properties
}

describe('accountRoutes', () => {
  it('accountRoutes documents the configured minimum and maximum length of passwords', () => {
    for (const configured of [8, 15, 64]) {
      for (const { minLength, maxLength } of [
        bodyOf('POST', '/users', configured)['password']!,
        bodyOf('POST', '/users/me/password', configured)['new_password']!,
      ]) {
        const text = Array.from({ length: 300 }, (_, i) => `word ${i} `).join('')
        const isTaken = [minLength! - 1, minLength!, maxLength!, maxLength! + 1].map(
          (length) => policyOf(configured).findFault(text.slice(0, length), {}) === undefined,
        )
        assert.deepEqual(isTaken, [false, true, true, false])
      }
    }
  })

  it('accountRoutes documents the minimum and maximum length of user names', () => {
    const { minLength, maxLength } = bodyOf('POST', '/users')['username']!
    const isTaken = [minLength! - 1, minLength!, maxLength!, maxLength! + 1].map(
      (length) => parseUsername('x'.repeat(length)) !== undefined,
    )
    assert.deepEqual(isTaken, [false, true, true, false])
  })

  it('PATCH /users/me returns 409 if the user is deleted at the same time', async () => {
    const gone = {
      replaceProfile: async () => 'changed',
      readBySubject: async () => undefined,
    } as unknown as Parameters<typeof accountRoutes>[0]['users']
    const nothing = {} as unknown as Parameters<typeof accountRoutes>[0]
    const options = {
      ...nothing,
      issuer: 'http://localhost',
      passwordPolicy: policyOf(15),
      registration: 'open',
      profile: undefined,
      users: gone,
      limits: noLimits,
    } as const
    const route = accountRoutes(options).find(
      (candidate): candidate is GuardedRoute<AccountCaller> =>
        candidate.guard !== undefined && candidate.method === 'PATCH',
    )
    const headers = { 'content-type': 'application/json' }
    const request = new Request('http://localhost/users/me', {
      method: 'PATCH',
      body: '{}',
      headers,
    })
    const caller = {
      identity: { sessionId: 's' },
      user: { publicUser: { id: 'x' } },
    } as unknown as AccountCaller
    await assert.rejects(
      async () => route!.handle({ ...readWebRequest(request), params: {} }, caller),
      {
        code: 'conflict',
      },
    )
  })
})
