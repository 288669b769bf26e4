// Users as JSON, and the JSON Schema of this JSON for the OpenAPI document.
import type { HttpAnswer, JsonObject } from 'keystile/internal'
import { jsonAnswer, type SuccessDoc } from '../../../http/route.ts'
import { heldScopes, type ScopeRules } from '../scopes/scopes.ts'
import { describeProfile, type ProfileSchema } from './profile.ts'
import type { User } from './users.ts'

/**
 * Returns a public user as JSON. The profile fields come first, so that they cannot replace
 * Keystile's own fields.
 */
function wireUser({
  id,
  username,
  email,
  emailVerified,
  createdAt,
  ...profile
}: User['publicUser']): object {
  return {
    ...profile,
    id,
    username,
    email,
    email_verified: emailVerified,
    created_at: createdAt.toISOString(),
  }
}

/**
 * Returns a user as JSON for the user. `scopes` has all scopes that the user may get: the default
 * scopes, the user's own, and those of the roles. A token may have fewer.
 */
export function wireOwnUser(user: User, rules: ScopeRules): object {
  return { ...wireUser(user.publicUser), scopes: heldScopes(user, rules), roles: user.roles }
}

/** Returns a user as JSON for administrators, with the members `scopes`, `roles` and `disabled`. */
export function wireManagedUser(user: User): object {
  return { ...wireUser(user.publicUser), ...wireRights(user) }
}

/** Returns the rights of a user as JSON, for callers who may change users but not read them. */
export function wireRights({ publicUser: { id }, scopes, roles, active }: User): object {
  return { id, scopes, roles, disabled: !active }
}

/** Returns the answer with a new user. `others` are more members of the body. */
export function createdAnswer(
  { publicUser }: Pick<User, 'publicUser'>,
  issuer: string,
  others: object = {},
): HttpAnswer {
  const location = `${issuer}/users/${publicUser.id}`
  return jsonAnswer(201, { ...wireUser(publicUser), ...others }, { location })
}

/** Describes the result of `createdAnswer()` for the OpenAPI document. */
export function describeCreated(
  profile: ProfileSchema | undefined,
  description = 'The new user',
): SuccessDoc & { readonly schema: UserSchema } {
  const headers = { Location: 'The URL of the user' }
  return { status: 201, description, schema: describeUser(profile), headers }
}

/** Returns the JSON Schema of the result of `wireUser()`. */
export function describeUser(profile: ProfileSchema | undefined): UserSchema {
  const { properties = {}, required = [] } = describeProfile(profile, 'output') as {
    properties?: object
    required?: readonly string[]
  }
  return {
    type: 'object',
    properties: {
      ...properties,
      id: { type: 'string', description: "The subject of the user's tokens" },
      username: { type: 'string' },
      email: { type: ['string', 'null'], format: 'email' },
      email_verified: { type: 'boolean' },
      created_at: { type: 'string', format: 'date-time' },
    },
    required: [...required, 'id', 'username', 'email', 'email_verified', 'created_at'],
  }
}

interface UserSchema extends JsonObject {
  readonly properties: object
  readonly required: readonly string[]
}

/** Returns the JSON Schema of the result of `wireOwnUser()`. */
export function describeOwnUser(profile: ProfileSchema | undefined): JsonObject {
  return withRights(profile, 'All scopes that the user may get, also those of roles and by default')
}

/** Returns the JSON Schema of the result of `wireManagedUser()`. */
export function describeManagedUser(profile: ProfileSchema | undefined): JsonObject {
  const user = withRights(
    profile,
    "Scopes that the user holds besides the scopes of the user's roles",
  )
  return {
    ...user,
    properties: { ...user.properties, disabled: { type: 'boolean' } },
    required: [...user.required, 'disabled'],
  }
}

function withRights(profile: ProfileSchema | undefined, scopes: string): UserSchema {
  const user = describeUser(profile)
  return {
    ...user,
    properties: {
      ...user.properties,
      scopes: { type: 'array', items: { type: 'string' }, description: scopes },
      roles: { type: 'array', items: { type: 'string' } },
    },
    required: [...user.required, 'scopes', 'roles'],
  }
}
