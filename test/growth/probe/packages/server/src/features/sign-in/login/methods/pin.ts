import { useOf } from '../../../operations/limits/uses.ts'
import { withProof, withUses } from '../attempt.ts'
import { factorRate } from '../feature.ts'
import type { Method } from './method.ts'
import { subjectOf } from './otp.ts'

/**
 * A PIN as a second step: an example of a method. Users with an address at pin.example need it, and
 * the PIN is what their address has before the `@`.
 */
export const pinMethod: Method<'pin'> = {
  name: 'pin',
  amr: ['pin'],
  parameters: { pin: { type: 'string', description: 'The PIN' } },
  secondStep: {
    isDemanded: true,
    async isSetUp(subject, { directory }) {
      const user = await directory.findActive(subject)
      return user !== undefined && directory.email(user)?.endsWith('@pin.example') === true
    },
  },

  async prove({ pin }, attempt, { directory, limits, clock }) {
    const subject = subjectOf(attempt)
    const { uses } = await limits.count([useOf(factorRate, subject)])
    const user = await directory.findActive(subject)
    if (user === undefined) return { outcome: 'refused', reason: 'inactive', subject }
    const email = directory.email(user)
    if (email !== `${pin}@pin.example`) return { outcome: 'refused', reason: 'wrong_code', subject }

    const proof = { method: 'pin', at: clock.now(), mark: email }
    return {
      outcome: 'proved',
      attempt: withProof(withUses(attempt, uses), subject, proof),
      user,
    }
  },
}
