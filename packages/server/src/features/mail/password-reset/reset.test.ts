import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ProblemError } from 'keystile/internal'
import { createPasswordPolicy } from '../../credentials/password-policy/policy.ts'
import { noLimits } from '../../operations/limits/limits.ts'
import { passwordResetFlow, type PasswordResetParts } from './reset.ts'

const passwordPolicy = createPasswordPolicy({ minLength: 15, issuer: 'https://auth.example' })

describe('the flow for a new password', () => {
  it('a request for a password reset stores at most 320 characters of the login name', async () => {
    const requested: unknown[] = []
    const parts = {
      passwordStore: {},
      passwordPolicy,
      limits: noLimits,
      devices: { open: () => undefined },
      proofs: {
        async request(_kind: unknown, values: unknown) {
          requested.push(values)
          return 'request-1'
        },
      },
    } as unknown as PasswordResetParts<unknown>
    const { request } = passwordResetFlow(parts)
    const nothing = { language: '', deviceSecret: '' }
    assert.equal(await request({ login: 'x'.repeat(321), ...nothing }, undefined), 'request-1')
    assert.deepEqual(requested, [{ login: 'x'.repeat(320), language: '', deviceSecret: '' }])
  })

  it('if a full hash queue refuses a password reset, the reset uses up no rate limit', async () => {
    const parts = {
      passwordStore: {},
      passwordPolicy,
      passwords: {
        requireRoom() {
          throw new ProblemError('temporarily_unavailable', 'x')
        },
      },
      limits: { ...noLimits, count: () => assert.fail('a limit was counted') },
    } as unknown as PasswordResetParts<unknown>
    const by = { actor: 'nobody', address: '192.0.2.1' } as const
    await assert.rejects(passwordResetFlow(parts).confirm({ token: 'x' }, 'password', by), {
      code: 'temporarily_unavailable',
    })
  })
})

it('the OpenAPI answer of a reset is a login whose device secret is optional', () => {
  const parts = { passwordStore: {}, passwordPolicy } as unknown as PasswordResetParts<unknown>
  const [route] = passwordResetFlow(parts).routes
  const { body } = route?.doc ?? {}
  assert.ok(body?.type === 'json')
  const { login } = body.schema['properties'] as Readonly<Record<string, object>>
  const description = 'A user name or an e-mail address'
  assert.deepEqual(login, { type: 'string', description, example: 'ada' })
  assert.deepEqual(body.schema['required'], ['login'])
})
