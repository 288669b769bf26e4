import { subjectOf, withProof } from '../attempt.ts'
import type { Method } from './method.ts'

/**
 * A recovery code, for a person who has lost the phone. It has 80 random bits, so it cannot be
 * guessed, and tries are counted for the attempt only: a stranger cannot use up the owner's tries.
 */
export const recoveryCodeMethod: Method<'recovery_code'> = {
  name: 'recovery_code',
  amr: ['otp'],
  provesApp: true,
  isRecovery: true,
  parameters: {
    recovery_code: { type: 'string', description: 'One of the recovery codes. It works once' },
  },
  secondStep: {
    isDemanded: false,
    isSetUp: async (subject, { secondFactors }) =>
      (await secondFactors.countRecoveryCodes(subject)) > 0,
  },

  async prove({ recovery_code: code }, attempt, { directory, secondFactors, clock }) {
    const subject = subjectOf(attempt)
    const id = await secondFactors.findRecoveryCode(subject, code)
    if (id === undefined) return { outcome: 'refused', reason: 'wrong_recovery_code', subject }

    const user = await directory.findActive(subject)
    if (user === undefined) return { outcome: 'refused', reason: 'inactive', subject }
    const proof = { method: 'recovery_code', at: clock.now(), mark: id }
    return { outcome: 'proved', attempt: withProof(attempt, subject, proof), user }
  },
}
