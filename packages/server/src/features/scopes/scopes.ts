import { OAuthError, parseScope } from 'keystile/internal'

/** The scopes and roles that an application declares. */
export interface ScopeRules {
  /** Each declared scope with its description. */
  readonly declared: Readonly<Record<string, string>>
  /** The scopes that every user holds. */
  readonly defaults: readonly string[]
  /** Named lists of scopes. Guards never see roles: they are expanded here. */
  readonly roles: Readonly<Record<string, readonly string[]>>
}

/** The options that declare scopes and roles. */
export interface ScopeSettings {
  readonly scopes: ScopeRules['declared']
  readonly roles: ScopeRules['roles']
  readonly defaultScopes: readonly string[]
}

/** Returns the scopes and roles of an app's options, and the built-in ones. */
export function scopeRulesOf(options: ScopeSettings): ScopeRules {
  const declared = { ...options.scopes, ...builtInScopes }
  return {
    declared,
    defaults: options.defaultScopes,
    roles: { ...options.roles, [adminRole]: Object.keys(declared) },
  }
}

/** Scopes that are always declared: they guard Keystile's own endpoints. */
export const builtInScopes = {
  'users:read': 'Read all users',
  'users:write': 'Change all users',
} as const
export type BuiltInScope = keyof typeof builtInScopes

/** The role that holds every declared scope. */
export const adminRole = 'admin'

/**
 * Reads the scopes that a request asks for. Undefined where it names none: then it gets all that it
 * may have.
 *
 * @throws {OAuthError} `invalid_scope` for a malformed value, or a scope that is not declared
 * @see RFC 6749 §3.3
 */
export function readRequestedScopes(
  scope: string | undefined,
  rules: ScopeRules,
): readonly string[] | undefined {
  const requested = scope === undefined ? [] : parseScope(scope)
  if (!requested)
    throw new OAuthError(
      'invalid_scope',
      'The scope must be names of scopes with a space between them',
    )
  if (!requested.every((name) => Object.hasOwn(rules.declared, name))) {
    throw new OAuthError(
      'invalid_scope',
      `Unknown scope; declared are: ${Object.keys(rules.declared).join(' ')}`,
    )
  }
  return requested.length > 0 ? requested : undefined
}

/**
 * The scopes that a user holds: the defaults, the user's own and those of the user's roles. In the
 * order of their declaration, without scopes that are not declared.
 */
export function heldScopes(user: Rights, rules: ScopeRules): readonly string[] {
  const scopesOf = (role: string): readonly string[] | undefined =>
    Object.hasOwn(rules.roles, role) ? rules.roles[role] : undefined
  const held = new Set([
    ...rules.defaults,
    ...user.scopes,
    ...user.roles.flatMap((role) => scopesOf(role) ?? []),
  ])
  return Object.keys(rules.declared).filter((scope) => held.has(scope))
}

/** The scopes that are requested, held by the user, and allowed for the client. */
export function grantScopes(
  requested: readonly string[] | undefined,
  held: readonly string[],
  allowed: readonly string[] | 'all',
): readonly string[] {
  return held.filter(
    (scope) =>
      (requested?.includes(scope) ?? true) && (allowed === 'all' || allowed.includes(scope)),
  )
}

/** The scopes and roles that a user was given. */
export interface Rights {
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
}

/** Whether a change gives a user a scope, a role, or access to the account. */
export function givesRights(
  before: Rights & { readonly active: boolean },
  after: Rights & { readonly active: boolean },
): boolean {
  return (
    after.scopes.some((scope) => !before.scopes.includes(scope)) ||
    after.roles.some((role) => !before.roles.includes(role)) ||
    (after.active && !before.active)
  )
}

/**
 * Whether a caller may give a user these rights. The caller must hold every scope that the user
 * then holds, both stored and in the token, which may be older than the stored rights. Only an
 * administrator may give the role `admin`, because a manager may hold every scope of that role.
 *
 * @param caller the stored rights of the caller, read anew
 */
export function mayGive(
  after: Rights,
  caller: Rights & { readonly tokenScopes: readonly string[] },
  rules: ScopeRules,
): boolean {
  if (after.roles.includes(adminRole) && !caller.roles.includes(adminRole)) return false
  const own = heldScopes(caller, rules).filter((scope) => caller.tokenScopes.includes(scope))
  return heldScopes(after, rules).every((scope) => own.includes(scope))
}

/** The rights of an account, as they are stored. */
export interface StoredRights {
  readonly scopes: string
  readonly roles: string
}
