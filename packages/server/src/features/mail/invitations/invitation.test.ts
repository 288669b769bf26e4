import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ProblemError, type JsonObject } from 'keystile/internal'
import * as z from 'zod'
import { createPasswordPolicy } from '../../credentials/password-policy/policy.ts'
import { noLimits } from '../../operations/limits/limits.ts'
import type { ProfileSchema } from '../../users/accounts/profile.ts'
import type { FlowParts } from '../flows/flow.ts'
import { invitationFlow } from './invitation.ts'
import { acceptRoute } from './routes.ts'

describe('the flow of an invitation', () => {
  it('if the hash queue is full, accepting an invitation fails but uses up no limit', async () => {
    const parts = {
      passwordPolicy: createPasswordPolicy({ minLength: 15, issuer: 'https://auth.example' }),
      profile: undefined,
      passwords: {
        requireRoom() {
          throw new ProblemError('temporarily_unavailable', 'x')
        },
      },
      limits: { ...noLimits, count: () => assert.fail('a limit was counted') },
    } as unknown as FlowParts
    const fields = { username: 'bob', password: 'an engine of her own' }
    const by = { actor: 'nobody', address: '192.0.2.1' } as const
    await assert.rejects(invitationFlow(parts).accept({ token: 'x' }, fields, by), {
      code: 'temporarily_unavailable',
    })
  })
})

/** Returns the documented body of `POST /invitations/accept`. */
function bodyOf(profile: ProfileSchema | undefined): JsonObject {
  const { doc } = acceptRoute(
    { accept: () => assert.fail('a description calls no service') },
    {
      issuer: 'https://auth.example',
      passwordPolicy: createPasswordPolicy({ minLength: 15, issuer: 'https://auth.example' }),
      profile,
    },
  )
  assert.equal(doc.body?.type, 'json')
  return doc.body?.schema ?? {}
}

describe('POST /invitations/accept', () => {
  it('POST /invitations/accept documents its own fields and the profile fields', () => {
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
