// Which scopes a user holds, which of them a token gets, and who may give scopes to others.
// `stored-rights.ts` is the form in which the database has the rights of an account.
import { OAuthError, parseScope } from 'keystile/internal'

export interface ScopeRules {
  /** Each declared scope with its description. */
  readonly declared: Readonly<Record<string, string>>
  /** The scopes that every user holds. */
  readonly defaults: readonly string[]
  /**
   * Maps each role to its scopes. Tokens and guards have only scopes: `heldScopes()` replaces the
   * roles of a user by their scopes.
   */
  readonly roles: Readonly<Record<string, readonly string[]>>
}

/** What was given to a user, beside the default scopes. */
export interface Rights {
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
}

export interface ScopeSettings {
  readonly scopes: ScopeRules['declared']
  readonly roles: ScopeRules['roles']
  readonly defaultScopes: readonly string[]
}

/** Adds the built-in scopes and the role `admin` to the scopes and roles of an app. */
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
 * Parses the `scope` parameter of a request. Returns undefined if the request names no scope; the
 * token then gets every scope that it may have. Does NOT check whether the user holds the scopes.
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
      'The scope must be a list of scope names, separated by spaces',
    )
  if (!requested.every((name) => Object.hasOwn(rules.declared, name))) {
    throw new OAuthError(
      'invalid_scope',
      `Unknown scope; the declared scopes are: ${Object.keys(rules.declared).join(' ')}`,
    )
  }

  return requested.length > 0 ? requested : undefined
}

/**
 * Returns the scopes that a user holds: the default scopes, the user's own scopes, and the scopes
 * of the user's roles. Leaves out scopes that are not declared. The scopes are in the order of
 * their declaration.
 */
export function heldScopes(user: Rights, rules: ScopeRules): readonly string[] {
  const ofRoles = Object.entries(rules.roles)
    .filter(([role]) => user.roles.includes(role))
    .flatMap(([, scopes]) => scopes)
  const held = new Set([...rules.defaults, ...user.scopes, ...ofRoles])
  return Object.keys(rules.declared).filter((scope) => held.has(scope))
}

/**
 * Returns the scopes of a token: the requested scopes that the user holds and the client may have.
 * If `requested` is undefined, all scopes count as requested.
 */
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

/** Returns the names of roles and scopes in one list, such as `role:reader` and `items:read`. */
export function namesOfRights({ roles, scopes }: Rights): readonly string[] {
  return [...roles.map((role) => `role:${role}`), ...scopes]
}

/** Names to add and to remove. */
export interface RightsChange {
  readonly scopes?: readonly string[] | undefined
  readonly roles?: readonly string[] | undefined
  readonly removeScopes?: readonly string[] | undefined
  readonly removeRoles?: readonly string[] | undefined
}

/** Returns the rights after a change. A name that is both added and removed is removed. */
export function changeRights(
  user: Rights,
  { scopes = [], roles = [], removeScopes = [], removeRoles = [] }: RightsChange,
): Rights {
  return {
    scopes: without(removeScopes, [...user.scopes, ...scopes]),
    roles: without(removeRoles, [...user.roles, ...roles]),
  }
}

/** Returns each name once, except the removed ones. */
function without(removed: readonly string[], names: readonly string[]): readonly string[] {
  return [...new Set(names)].filter((name) => !removed.includes(name))
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
 * Whether a caller may give a user the rights `after`. The caller's stored rights and the caller's
 * token must both include every scope that the user would get. The token alone is not enough,
 * because it may be older than the stored rights. The stored rights alone are not enough, because
 * the token may have fewer scopes. Unless the caller is an administrator, the caller must also have
 * each role that the user would have: an app can use a role for more than its scopes.
 *
 * @param caller the caller's rights as stored now, and the scopes of the caller's token
 */
export function mayGive(
  after: Rights,
  caller: Rights & { readonly tokenScopes: readonly string[] },
  rules: ScopeRules,
): boolean {
  const isAdministrator = caller.roles.includes(adminRole)
  if (!isAdministrator && !after.roles.every((role) => caller.roles.includes(role))) return false

  const own = heldScopes(caller, rules).filter((scope) => caller.tokenScopes.includes(scope))
  return heldScopes(after, rules).every((scope) => own.includes(scope))
}
