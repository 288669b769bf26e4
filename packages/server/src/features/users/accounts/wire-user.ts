// Users as JSON, and the JSON Schema of this JSON for the OpenAPI document.
import type { HttpAnswer, JsonObject } from 'keystile/internal'
import { jsonAnswer } from '../../../http/answers.ts'
import type { SuccessDoc } from '../../../http/route.ts'
import { heldScopes, type ScopeRules } from '../scopes/scopes.ts'
import { describeProfile } from './described-profile.ts'
import type { ProfileSchema } from './profile.ts'
import type { User } from './user.ts'

/** Returns a public user as JSON. */
function wireUser({ emailVerified, createdAt, ...others }: User['publicUser']): object {
  return { ...others, email_verified: emailVerified, created_at: createdAt.toISOString() }
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

/**
 * Describes the result of `createdAnswer()` for the OpenAPI document.
 *
 * @param others the JSON Schemas of the other members of the body
 */
export function describeCreated(
  profile: ProfileSchema | undefined,
  description = 'The new user',
  others: JsonObject = {},
): SuccessDoc {
  const headers = { Location: 'The URL of the user' }
  return { status: 201, description, schema: describeUser(profile, others), headers }
}

/** Returns the JSON Schema of the result of `wireUser()`, with other members. All are required. */
export function describeUser(
  profile: ProfileSchema | undefined,
  others: JsonObject = {},
): JsonObject {
  const { properties = {}, required = [] } = describeProfile(profile, 'output') as {
    properties?: object
    required?: readonly string[]
  }
  const own = {
    id: { type: 'string', description: "The subject of the user's tokens" },
    username: { type: 'string' },
    email: { type: ['string', 'null'], format: 'email' },
    email_verified: { type: 'boolean' },
    created_at: { type: 'string', format: 'date-time' },
    ...others,
  }
  return {
    type: 'object',
    properties: { ...properties, ...own },
    required: [...required, ...Object.keys(own)],
  }
}

/** Returns the JSON Schema of the result of `wireOwnUser()`. */
export function describeOwnUser(profile: ProfileSchema | undefined): JsonObject {
  const scopes = 'All scopes that the user may get, also those of roles and by default'
  return describeUser(profile, describeRights(scopes))
}

/** Returns the JSON Schema of the result of `wireManagedUser()`. */
export function describeManagedUser(profile: ProfileSchema | undefined): JsonObject {
  const scopes = "Scopes that the user holds besides the scopes of the user's roles"
  return describeUser(profile, { ...describeRights(scopes), disabled: { type: 'boolean' } })
}

function describeRights(scopes: string): JsonObject {
  const names = { type: 'array', items: { type: 'string' } }
  return { scopes: { ...names, description: scopes }, roles: names }
}
