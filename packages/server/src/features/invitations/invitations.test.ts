import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ProblemError } from 'keystile/internal'
import { noLimits } from '../limits/limits.ts'
import { createPasswordPolicy } from '../password-policy/policy.ts'
import { createInvitations, type InvitationParts } from './invitations.ts'
import { invitationKind } from './inviting.ts'

describe('createInvitations', () => {
  it('the mail of an invitation has a link and a code for seven days', () => {
    assert.equal(invitationKind.lifetimeMilliseconds, 7 * 86_400_000)
    assert.equal(invitationKind.hasCode, true)
  })

  it('while too many passwords wait, an acceptance is refused and not counted', async () => {
    const parts = {
      passwordPolicy: createPasswordPolicy({ minLength: 15, issuer: 'https://auth.example' }),
      profile: undefined,
      passwords: {
        requireRoom() {
          throw new ProblemError('temporarily_unavailable', 'x')
        },
      },
      limits: { ...noLimits, count: () => assert.fail('a limit was counted') },
    } as unknown as InvitationParts
    const fields = { username: 'bob', password: 'an engine of her own' }
    const by = { actor: 'nobody', address: '192.0.2.1' } as const
    await assert.rejects(createInvitations(parts).accept({ token: 'x' }, fields, by), {
      code: 'temporarily_unavailable',
    })
  })
})
