// The endpoint where a person without an account creates one.
import * as z from 'zod'
import { ProblemError, type JsonObject } from 'keystile/internal'
import { describeFields, readJsonObject, refuseFaults } from '../../http/json-body.ts'
import { jsonAnswer, type OpenRoute } from '../../http/route.ts'
import { addressOf, byStranger } from '../audit/audit.ts'
import type { Limits } from '../limits/limits.ts'
import type { Passwords } from '../password/password.ts'
import type { PasswordPolicy } from '../password-policy/policy.ts'
import {
  emailField,
  findPasswordErrors,
  getAccountFields,
  newPasswordField,
  usernameField,
} from './account-fields.ts'
import { describeProfileInput, type ProfileSchema } from './profile.ts'
import { registrationRate } from './feature.ts'
import { accountRoute, taken, tooManyTries } from './route-parts.ts'
import type { Users } from './users.ts'
import { describeUser, wireUser } from './wire-user.ts'

/** The services and settings that registration uses. */
export interface RegistrationParts {
  readonly issuer: string
  readonly users: Pick<Users, 'create'>
  readonly passwords: Pick<Passwords, 'hash'>
  readonly passwordPolicy: PasswordPolicy
  readonly limits: Limits
  readonly registration: 'open' | 'closed'
  readonly profile: ProfileSchema | undefined
}

/** `POST /users`: creates an account for a caller without a token, if registration is open. */
export function registerRoute(parts: RegistrationParts): OpenRoute {
  const { issuer, users, passwords, passwordPolicy, limits, registration, profile } = parts
  const schema = z.object({
    username: usernameField,
    email: emailField,
    password: newPasswordField(passwordPolicy),
  })
  const ownFields = Object.keys(schema.shape)

  return {
    ...accountRoute,
    method: 'POST',
    path: '/users',
    doc: {
      tag: 'Own account',
      summary: 'Register',
      body: {
        type: 'json',
        schema: merge(describeFields(schema), describeProfileInput(profile, ownFields)),
      },
      success: {
        status: 201,
        description: 'The new user',
        schema: describeUser(profile),
        headers: { Location: 'The URL of the user' },
      },
      refuses: {
        403: 'Registration is closed',
        409: 'The username or the email is taken',
        429: tooManyTries,
      },
    },
    async handle(request) {
      if (registration === 'closed') throw new ProblemError('forbidden', 'Registration is closed')

      const body = await readJsonObject(request)
      const checked = await getAccountFields(schema, body, profile)
      const { username, email, password } = checked.fields

      // Counts the request after the quick checks, so that a typing error does not use up the
      // limit. Counts it before the check of the password policy: that check takes up to a
      // millisecond, so attackers must not run it without a limit.
      await limits.count(limits.usesAt(registrationRate, addressOf(request)))
      const owner = { username: username.shown, email: email.shown }
      refuseFaults(findPasswordErrors('password', password, owner, passwordPolicy))

      const passwordHash = await passwords.hash(password, addressOf(request))
      const created = await users.create(
        { username, email, passwordHash, scopes: [], roles: [], profile: checked.profile },
        byStranger(request),
      )
      if ('taken' in created) throw taken(created.taken)

      const { publicUser } = created.user
      return jsonAnswer(201, wireUser(publicUser), { location: `${issuer}/users/${publicUser.id}` })
    },
  }
}

/**
 * Merges two object schemas. If both have a property of the same name, uses the property of `one`.
 */
function merge(one: JsonObject, other: JsonObject): JsonObject {
  type ObjectSchema = { readonly properties?: object; readonly required?: readonly string[] }
  const [a, b]: readonly ObjectSchema[] = [one, other]
  return {
    ...other,
    type: 'object',
    properties: { ...b?.properties, ...a?.properties },
    required: [...(b?.required ?? []), ...(a?.required ?? [])],
  }
}
