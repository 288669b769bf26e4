import { OAuthError, parseScope } from 'keystile/internal'

/** The scopes of an application: what there is, and who gets what. */
export interface ScopeRules {
  /** Each declared scope with its description. */
  readonly declared: Readonly<Record<string, string>>
  /** What every user holds. */
  readonly defaults: readonly string[]
  /** Named lists of scopes. Guards never see roles: they are expanded here. */
  readonly roles: Readonly<Record<string, readonly string[]>>
}

/** The scopes and roles of an application's options, with those that are built in. */
export function scopeRulesOf(options: {
  readonly scopes: ScopeRules['declared']
  readonly roles: ScopeRules['roles']
  readonly defaultScopes: readonly string[]
}): ScopeRules {
  const declared = { ...options.scopes, ...builtInScopes }
  return {
    declared,
    defaults: options.defaultScopes,
    roles: { ...options.roles, [adminRole]: Object.keys(declared) },
  }
}

/** Scopes that are always declared: they guard Keystile's own endpoints. */
export const builtInScopes = { 'users:read': 'Read all users', 'users:write': 'Change all users' } as const
export type BuiltInScope = keyof typeof builtInScopes

/** The role that holds every declared scope. */
export const adminRole = 'admin'

/**
 * The scopes that a request asks for; without any, all that may be had.
 *
 * @throws {OAuthError} `invalid_scope` when it is no scope value or one is not declared
 * @see RFC 6749 §3.3
 */
export function readRequestedScopes(scope: string | undefined, rules: ScopeRules): readonly string[] | undefined {
  const requested = scope === undefined ? [] : parseScope(scope)
  if (!requested) throw new OAuthError('invalid_scope', 'The scope must be names of scopes with a space between them')
  if (!requested.every((name) => Object.hasOwn(rules.declared, name))) {
    throw new OAuthError('invalid_scope', `Unknown scope; declared are: ${Object.keys(rules.declared).join(' ')}`)
  }
  return requested.length > 0 ? requested : undefined
}

/** What a user holds: the defaults, their own scopes, those of their roles; in the order of declaration, and nothing undeclared. */
export function heldScopes(user: Rights, rules: ScopeRules): readonly string[] {
  const held = new Set([
    ...rules.defaults,
    ...user.scopes,
    ...user.roles.flatMap((role) => (Object.hasOwn(rules.roles, role) ? rules.roles[role]! : [])),
  ])
  return Object.keys(rules.declared).filter((scope) => held.has(scope))
}

/** Requested, held by the user, and within what the client may have: never more than any of them. */
export function grantScopes(
  requested: readonly string[] | undefined,
  held: readonly string[],
  allowed: readonly string[] | 'all',
): readonly string[] {
  return held.filter((scope) => (requested?.includes(scope) ?? true) && (allowed === 'all' || allowed.includes(scope)))
}

/** What a user was given. */
export interface Rights {
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
}

/** Whether a change gives a user a scope, a role, or access to the account. Taking away gives nothing. */
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
 * Whether a caller may give a user these rights: the caller must hold every scope that the user then holds, stored and
 * in the token. Only an administrator gives the role `admin`, whatever scopes it holds today.
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

/** What an account holds, as it is stored. */
export interface StoredRights {
  readonly scopes: string
  readonly roles: string
}
