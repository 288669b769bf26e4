// The endpoints by which users read, change and delete their own account.
import { ProblemError, type HttpAnswer } from 'keystile/internal'
import { emptyAnswer, jsonAnswer } from '../../../http/answers.ts'
import { describeFields, strictFields } from '../../../http/fields.ts'
import { checkFields, getFields, readJsonObject, refuseFaults } from '../../../http/json-body.ts'
import type { GuardedRoute } from '../../../http/route.ts'
import { byCaller } from '../../operations/audit/by.ts'
import { useOf } from '../../operations/limits/uses.ts'
import { currentPasswordField, findPasswordErrors, newPasswordField } from './account-fields.ts'
import {
  deletionDemands,
  ownAccount,
  tooManyTries,
  type AccountCaller,
  type AccountParts,
} from './account-route.ts'
import { describeProfileInput } from './described-profile.ts'
import { accountRates } from './feature.ts'
import { recentLoginSeconds } from './login-age.ts'
import { checkProfileChange } from './profile.ts'
import { provePassword } from './prove-password.ts'
import { outdated, refuseConflict } from './refusals.ts'
import type { User } from './user.ts'
import { describeOwnUser, wireOwnUser } from './wire-user.ts'

type OwnRoute = GuardedRoute<AccountCaller>

export function accountRoutes(parts: AccountParts): readonly OwnRoute[] {
  return [
    readAccountRoute(parts),
    changeProfileRoute(parts),
    changePasswordRoute(parts),
    deleteAccountRoute(parts),
  ]
}

/** `GET /users/me`: returns the user of the token. */
export function readAccountRoute({ scopes, profile }: AccountParts): OwnRoute {
  // Requests share a user who is in memory, so they share the answer too.
  const answers = new WeakMap<User, HttpAnswer>()
  return {
    ...ownAccount('GET', '/users/me', {
      summary: 'Read the user to whom the token belongs',
      success: { status: 200, description: 'The user', schema: describeOwnUser(profile) },
    }),
    isFirstPartyOnly: undefined,
    handle(_request, { user }) {
      const known = answers.get(user)
      if (known) return known

      const answer = jsonAnswer(200, wireOwnUser(user, scopes))
      answers.set(user, answer)
      return answer
    },
  }
}

/** `PATCH /users/me`: changes profile fields. */
export function changeProfileRoute({ users, limits, scopes, profile }: AccountParts): OwnRoute {
  return {
    ...ownAccount('PATCH', '/users/me', {
      summary: 'Change profile fields',
      description: 'Fields that are left out stay as they are.',
      body: { type: 'json', schema: { ...describeProfileInput(profile, []), required: [] } },
      success: { status: 200, description: 'The changed user', schema: describeOwnUser(profile) },
      refuses: { 409: 'The user was changed at the same time', 429: 'Too many changes' },
    }),
    async handle(request, { identity, user }) {
      const change = await readJsonObject(request)
      const checked = await checkProfileChange(user.profile, change, profile)
      refuseFaults(checked.errors)

      await limits.count([useOf(accountRates.profile, user.publicUser.id)])
      const by = byCaller(request, identity)
      refuseConflict(await users.replaceProfile(user, checked.profile, by))

      const changed = await users.readBySubject(user.publicUser.id)
      if (!changed) throw outdated()
      return jsonAnswer(200, wireOwnUser(changed, scopes))
    },
  }
}

/**
 * `POST /users/me/password`: changes the password and ends all other sessions. It requires the
 * current password, so an attacker with only a stolen token cannot take over the account.
 */
export function changePasswordRoute(parts: AccountParts): OwnRoute {
  const { users, passwords, passwordPolicy } = parts
  const passwordChange = strictFields({
    current_password: currentPasswordField,
    new_password: newPasswordField(passwordPolicy),
  })

  return {
    ...ownAccount('POST', '/users/me/password', {
      summary: 'Change the password',
      description: 'Ends every other session of the user.',
      body: { type: 'json', schema: describeFields(passwordChange) },
      success: { status: 204, description: 'Changed' },
      refuses: {
        403: 'The current password is wrong, or the token was issued to another client',
        409: 'The password was changed at the same time',
        429: tooManyTries,
      },
    }),
    needsFactor: true,
    async handle(request, { identity, user }) {
      const body = await readJsonObject(request)
      const { new_password } = body
      const owner = user.publicUser
      const faults = findPasswordErrors('new_password', new_password, owner, passwordPolicy)
      const fields = getFields(checkFields(passwordChange, body), faults)

      const by = byCaller(request, identity)
      const { authenticatedAt: loggedInAt } = identity
      await provePassword(fields.current_password, { user, by, loggedInAt }, parts)

      const hash = await passwords.hash(fields.new_password, by.address)
      refuseConflict(await users.changePassword(user, hash, by))
      return emptyAnswer
    },
  }
}

/** `DELETE /users/me`: deletes the account. Requires a recent login. */
function deleteAccountRoute({ users }: AccountParts): OwnRoute {
  return {
    ...ownAccount('DELETE', '/users/me', {
      summary: 'Delete the account',
      description: `Requires a login within the last ${recentLoginSeconds} seconds (RFC 9470).`,
      success: { status: 204, description: 'Deleted' },
      refuses: {
        409: 'The last administrator cannot be deleted; or: the account was changed at once',
      },
    }),
    ...deletionDemands,
    async handle(request, { identity, user }) {
      const outcome = await users.delete(user, byCaller(request, identity))
      if (outcome === 'last-administrator')
        throw new ProblemError('conflict', 'The last administrator cannot be deleted')
      refuseConflict(outcome)
      return emptyAnswer
    },
  }
}
