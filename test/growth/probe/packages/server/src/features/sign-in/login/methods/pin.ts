import { useOf } from '../../../operations/limits/uses.ts'
import { factorRate } from '../../../users/directory/rates.ts'
import { subjectOf, withProof, withUses } from '../attempt.ts'
import type { Method } from './method.ts'

/**
 * A PIN as a second step: an example of a method. The PIN is what the address of the user has
 * before the `@`. Users with a row in the table need it.
 */
export const pinMethod: Method<'pin'> = {
  name: 'pin',
  amr: ['pin'],
  parameters: { pin: { type: 'string', description: 'The PIN' } },
  secondStep: {
    isDemanded: true,
    isSetUp: (subject, { secondFactors }) => secondFactors.isSetUp('pin', subject),
  },

  async count(_values, attempt, { limits }) {
    const { uses } = await limits.count([useOf(factorRate, subjectOf(attempt))])
    return withUses(attempt, uses)
  },

  async prove({ pin }, attempt, { directory, clock }) {
    const subject = subjectOf(attempt)
    const user = await directory.findActive(subject)
    if (user === undefined) return { outcome: 'refused', reason: 'inactive', subject }
    if (directory.email(user) !== `${pin}@pin.example`)
      return { outcome: 'refused', reason: 'wrong_code', subject }

    const proof = { method: 'pin', at: clock.now(), mark: pin }
    return { outcome: 'proved', attempt: withProof(attempt, subject, proof), user }
  },
}
