import type { Limits } from '../../operations/limits/limits.ts'
import type { Use } from '../../operations/limits/uses.ts'
import type { Passwords } from '../../credentials/password/password.ts'

export interface VerifyCountedParts {
  readonly passwords: Pick<Passwords, 'verify'>
  readonly limits: Limits
}

/**
 * Verifies a password that a person typed. A wrong password counts against a rate limit.
 *
 * @param wanted.use the rate limit that a wrong password counts against, and the key of the count
 * @throws {ProblemError} `too_many_requests` beyond the limit; `temporarily_unavailable` if the
 *   verification could not begin within 2 s
 */
export async function verifyCounted(
  password: string,
  wanted: { readonly hash: string; readonly use: Use; readonly address: string | undefined },
  { passwords, limits }: VerifyCountedParts,
): Promise<boolean> {
  const spent = await limits.count([wanted.use])
  const isRight = await passwords
    .verify(password, wanted.hash, wanted.address)
    .catch(async (error: unknown) => {
      // The password was not verified, so this request does not count as a guess.
      await limits.refund(spent)
      throw error
    })
  if (isRight) await limits.refund(spent)
  return isRight
}
