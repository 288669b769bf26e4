// The endpoint by which users change their own password. It requires the current password, so an
// attacker with only a stolen token cannot take over the account.
import {
  checkFields,
  describeFields,
  getFields,
  readJsonObject,
  strictFields,
} from '../../../http/json-body.ts'
import { emptyAnswer, type GuardedRoute } from '../../../http/route.ts'
import { byCaller, type Audit } from '../../operations/audit/audit.ts'
import type { By } from '../../operations/audit/entry.ts'
import type { Limits } from '../../operations/limits/limits.ts'
import { useOf } from '../../operations/limits/uses.ts'
import type { Passwords } from '../../credentials/password/password.ts'
import type { PasswordPolicy } from '../../credentials/password-policy/policy.ts'
import type { AccountEvent } from './audit-events.ts'
import { currentPasswordField, findPasswordErrors, newPasswordField } from './account-fields.ts'
import { proofRate } from './feature.ts'
import {
  aboutMember,
  outdated,
  ownAccount,
  tooManyTries,
  type AccountCaller,
} from './route-parts.ts'
import type { User, Users } from './users.ts'
import { verifyCounted } from './verify-counted.ts'

export interface ProofParts {
  readonly passwords: Passwords
  readonly audit: Audit<AccountEvent>
  readonly limits: Limits
}

export interface PasswordChangeParts extends ProofParts {
  readonly users: Pick<Users, 'changePassword'>
  readonly passwordPolicy: PasswordPolicy
}

/** `POST /users/me/password`: changes the password and ends all other sessions. */
export function changePasswordRoute(parts: PasswordChangeParts): GuardedRoute<AccountCaller> {
  const { users, passwords, passwordPolicy } = parts
  const passwordChange = strictFields({
    current_password: currentPasswordField,
    new_password: newPasswordField(passwordPolicy),
  })

  return {
    ...ownAccount,
    method: 'POST',
    path: '/users/me/password',
    isFirstPartyOnly: true,
    doc: {
      tag: 'Own account',
      summary: 'Change the password',
      description: 'Ends every other session of the user.',
      body: { type: 'json', schema: describeFields(passwordChange) },
      success: { status: 204, description: 'Changed' },
      refuses: {
        403: 'The current password is wrong, or the token was issued to another client',
        409: 'The password was changed at the same time',
        429: tooManyTries,
      },
    },
    async handle(request, { identity, user }) {
      const body = await readJsonObject(request)
      const faults = findPasswordErrors(
        'new_password',
        body['new_password'],
        user.publicUser,
        passwordPolicy,
      )
      const fields = getFields(checkFields(passwordChange, body), faults)

      const by = byCaller(request, identity)
      await provePassword(fields.current_password, { user, by }, parts)

      const hash = await passwords.hash(fields.new_password, by.address)
      if ((await users.changePassword(user, hash, by)) === 'outdated') throw outdated()
      return emptyAnswer
    },
  }
}

/**
 * Verifies the current password. Each session has its own rate limit. If an attacker exhausts the
 * limit of one session, the owner can still change the password in a different session.
 *
 * @throws {ProblemError} `forbidden` for a wrong password, `too_many_requests` beyond the rate
 *   limit
 */
export async function provePassword(
  password: string,
  { user, by }: { readonly user: User; readonly by: By },
  parts: ProofParts,
): Promise<void> {
  const { passwordHash: hash, publicUser } = user
  const use = useOf(proofRate, by.sessionId ?? publicUser.id)
  if (await verifyCounted(password, { hash, use, address: by.address }, parts)) return

  await parts.audit.record({ event: 'password_refused', by, subject: publicUser.id })
  throw aboutMember('forbidden', 'current_password', 'The current password is wrong')
}
