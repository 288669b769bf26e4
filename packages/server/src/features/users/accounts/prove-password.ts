// Verifies passwords that people type besides their login. Wrong ones count against a rate limit.
import type { By } from '../../operations/audit/entry.ts'
import { useOf, type Use } from '../../operations/limits/uses.ts'
import type { AccountParts } from './account-route.ts'
import { accountRates } from './feature.ts'
import { aboutMember } from './refusals.ts'
import type { User } from './user.ts'

/**
 * Verifies the current password. Each login has its own rate limit, so if an attacker exhausts that
 * of one session, the owner can still change the password in a different session. A step-up without
 * the password does not renew the limit, because the new session keeps the time of the login.
 *
 * @param wanted.loggedInAt when the person logged in; undefined for a request without a session
 * @throws {ProblemError} `forbidden` for a wrong password, `too_many_requests` beyond the rate
 *   limit
 */
export async function provePassword(
  password: string,
  wanted: { readonly user: User; readonly by: By; readonly loggedInAt?: Date | undefined },
  parts: Pick<AccountParts, 'passwords' | 'audit' | 'limits'>,
): Promise<void> {
  const { user, by, loggedInAt } = wanted
  const { passwordHash: hash, publicUser } = user
  const login = [publicUser.id, loggedInAt?.getTime() ?? ''].join('\n')
  const use = useOf(accountRates.proof, login)
  if (await verifyCounted(password, { hash, use, address: by.address }, parts)) return

  await parts.audit.record({ event: 'password_refused', by, subject: publicUser.id })
  throw aboutMember('forbidden', 'current_password', 'The current password is wrong')
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
  { passwords, limits }: Pick<AccountParts, 'passwords' | 'limits'>,
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
