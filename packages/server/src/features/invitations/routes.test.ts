import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { JsonObject } from 'keystile/internal'
import * as z from 'zod'
import type { ProfileSchema } from '../accounts/profile.ts'
import { createPasswordPolicy } from '../password-policy/policy.ts'
import { invitationRoute } from './routes.ts'

/** Returns the documented body of `POST /invitations/accept`. */
function bodyOf(profile: ProfileSchema | undefined): JsonObject {
  const { doc } = invitationRoute({
    issuer: 'https://auth.example',
    invitations: { accept: () => assert.fail('a description calls no service') },
    passwordPolicy: createPasswordPolicy({ minLength: 15, issuer: 'https://auth.example' }),
    profile,
  })
  assert.equal(doc.body?.type, 'json')
  return doc.body?.schema ?? {}
}

describe('invitationRoute', () => {
  it('POST /invitations/accept documents its own fields and those of the profile', () => {
    const own = ['token', 'request_id', 'code', 'username', 'password']
    const plain = bodyOf(undefined)
    assert.equal(plain['type'], 'object')
    assert.deepEqual(plain['required'], ['username', 'password'])
    assert.deepEqual(Object.keys(plain['properties'] ?? {}), own)

    const profile = z.object({
      age: z.int(),
      city: z.string().optional(),
    })
    const full = bodyOf(profile)
    assert.equal(full['type'], 'object')
    assert.deepEqual(full['required'], ['age', 'username', 'password'])
    assert.deepEqual(Object.keys(full['properties'] ?? {}), ['age', 'city', ...own])
    const open = bodyOf(z.object({ city: z.string().optional() }))
    assert.deepEqual(open['required'], ['username', 'password'])
  })
})
