import type { JsonObject } from 'keystile/internal'
import { describeProfile, type ProfileSchema } from './profile.ts'
import type { User } from './users.ts'

/**
 * The public user as JSON. Profile fields come first, so that they cannot replace Keystile's own.
 */
export function wireUser({
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

/** The user as administrators see them: with scopes and roles, and whether they are disabled. */
export function wireManagedUser({ publicUser: shown, scopes, roles, active }: User): object {
  return { ...wireUser(shown), scopes, roles, disabled: !active }
}

/** `wireUser` as JSON Schema. */
export function describeUser(profile: ProfileSchema | undefined): JsonObject {
  const { properties = {}, required = [] } = describeProfile(profile, 'output') as {
    properties?: object
    required?: readonly string[]
  }
  return {
    type: 'object',
    properties: {
      ...properties,
      id: { type: 'string', description: 'The subject of their tokens' },
      username: { type: 'string' },
      email: { type: ['string', 'null'], format: 'email' },
      email_verified: { type: 'boolean' },
      created_at: { type: 'string', format: 'date-time' },
    },
    required: [...required, 'id', 'username', 'email', 'email_verified', 'created_at'],
  }
}

/** `wireManagedUser` as JSON Schema. */
export function describeManagedUser(profile: ProfileSchema | undefined): JsonObject {
  const user = describeUser(profile) as { properties: object; required: readonly string[] }
  return {
    ...user,
    properties: {
      ...user.properties,
      scopes: {
        type: 'array',
        items: { type: 'string' },
        description: 'Their own, beside those of their roles',
      },
      roles: { type: 'array', items: { type: 'string' } },
      disabled: { type: 'boolean' },
    },
    required: [...user.required, 'scopes', 'roles', 'disabled'],
  }
}
