import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ProblemError } from 'keystile/internal'
import { appWording } from '../../../feature/wording.ts'
import { noLimits, type Limits } from '../../operations/limits/limits.ts'
import type { User } from '../../users/accounts/user.ts'
import type { FoundRegistration } from '../pending-registration/registration.ts'
import { feature } from './feature.ts'
import type { Confirmation } from './verification-types.ts'
import { verificationFlow, type VerificationParts } from './verification.ts'

describe('the flow of a verification', () => {
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
    await assert.rejects(verificationFlow(parts).confirm(confirmation, by), {
      code: 'temporarily_unavailable',
    })
  })

  it('POST /email-verifications says whether an address is missing or is verified', async () => {
    const parts = {
      limits: { ...noLimits, count: () => assert.fail('a limit was counted') },
    } as unknown as VerificationParts
    for (const [email, emailVerified, message] of [
      [null, false, 'There is no email to verify'],
      ['ada@example.com', true, 'The email is already verified'],
    ] as const) {
      const user = { publicUser: { id: 'ada', email, emailVerified } } as unknown as User
      await assert.rejects(verificationFlow(parts).request(user, ''), {
        code: 'conflict',
        message,
      })
    }
  })

  it('a registration can be finished without a password by a code, but not by a link', async () => {
    const { confirm, finished } = createWithRegistration(user)
    const username = { shown: 'eve', key: 'eve' }
    for (const confirmation of [
      { presented: { token: 'x' } },
      { presented: { registrationId: 'x', code: 'x' }, username },
    ])
      await assert.rejects(confirm(confirmation), { code: 'forbidden' })
    assert.deepEqual(finished, [])
    assert.equal(await confirm({ presented: { registrationId: 'x', code: 'x' } }), user)
    assert.deepEqual(finished, [undefined])
  })

  it('a taken name counts towards the limit of a confirmation, a wrong code does not', async () => {
    for (const [outcome, code, uses] of [
      ['username', 'conflict', ['verification-password']],
      ['refused', 'forbidden', []],
    ] as const) {
      const { confirm, counted } = createWithRegistration(outcome)
      await assert.rejects(confirm({ presented: { registrationId: 'x', code: 'x' } }), { code })
      assert.deepEqual(counted, uses)
    }
  })
})

it('emailVerification is off, optional or required; not for an app’s own users', () => {
  const [setting] = feature.settings ?? []
  const { error } = setting?.schema.safeParse('on') ?? {}
  assert.equal(error?.issues[0]?.message, 'must be one of off, optional, required')
  assert.deepEqual(setting?.environment, ['KEYSTILE_EMAIL_VERIFICATION'])
  assert.equal(setting.excludedBy, 'users')
})

it('emailVerification must be off if neither mail nor mailUrl is given', () => {
  const [setting] = feature.settings ?? []
  const faultsOf = (choice: string, values: object, unread: readonly string[] = []) =>
    setting?.findFaults?.(choice, { values: { ...values }, unread: new Set(unread) }, appWording)
  const fault = 'needs mail, because required sends mails to new users: pass it as mailUrl'
  assert.deepEqual(faultsOf('required', { issuer: 'x' }, ['key']), [fault])
  assert.deepEqual(faultsOf('off', {}), [])
  for (const name of ['mail', 'mailUrl']) {
    assert.deepEqual(faultsOf('optional', { [name]: 'x' }), [])
    assert.deepEqual(faultsOf('optional', {}, [name]), [])
  }
})

const user = { publicUser: { id: 'ada' } } as unknown as User

/** Creates verifications that find one registration, which is finished with this outcome. */
function createWithRegistration(outcome: Awaited<ReturnType<FoundRegistration['finish']>>): {
  confirm(confirmation: Confirmation): Promise<User | undefined>
  /** The changed names of the finished registrations. */
  readonly finished: readonly unknown[]
  /** The names of the limits that were counted. */
  readonly counted: readonly string[]
} {
  const [finished, counted]: [unknown[], string[]] = [[], []]
  const registration: FoundRegistration = {
    subject: 'ada',
    passwordHash: 'hash',
    async finish(changed) {
      finished.push(changed)
      return outcome
    },
  }
  const count: Limits['count'] = async (uses) => {
    counted.push(...uses.map(({ rate }) => rate.name))
    return noLimits.count(uses)
  }
  const { confirm } = verificationFlow({
    passwords: { requireRoom() {} },
    limits: { ...noLimits, count },
    proofs: { find: async () => undefined },
    registrations: { find: async () => registration },
  } as unknown as VerificationParts)
  return {
    finished,
    counted,
    confirm: (confirmation) => confirm(confirmation, { actor: 'nobody' }),
  }
}
