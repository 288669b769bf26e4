import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ProblemError } from 'keystile/internal'
import { noLimits } from '../limits/limits.ts'
import { createVerifications, type VerificationParts } from './verifications.ts'

describe('createVerifications', () => {
  it('if the hash queue is full, an email verification is refused and not counted', async () => {
    const parts = {
      passwords: {
        requireRoom() {
          throw new ProblemError('temporarily_unavailable', 'x')
        },
      },
      limits: { ...noLimits, count: () => assert.fail('a limit was counted') },
    } as unknown as VerificationParts
    const by = { actor: 'nobody', address: '192.0.2.1' } as const
    const confirmation = { presented: { token: 'x' }, password: 'password' }
    await assert.rejects(createVerifications(parts).confirm(confirmation, by), {
      code: 'temporarily_unavailable',
    })
  })
})
