// The settings that declare scopes and roles.
import { isScopeName } from 'keystile/internal'
import * as z from 'zod'
import type { Feature } from '../../../feature/feature.ts'
import { listSettings, type DefaultedSetting, type Others } from '../../../feature/setting.ts'
import { show } from '../../../feature/shown-value.ts'
import { adminRole, builtInScopes, type BuiltInScope } from './scopes.ts'

export interface ScopeOptions<S extends string> {
  /**
   * The scopes of the application, each with its description. `users:read` and `users:write` are
   * always declared.
   */
  readonly scopes?: Readonly<Record<S, string>>
  /** Scopes that every user holds. Default: none. */
  readonly defaultScopes?: readonly NoInfer<S | BuiltInScope>[]
}

export interface RoleOptions<S extends string> {
  /** Named lists of scopes. The role `admin` is built in and holds all scopes. */
  readonly roles?: Readonly<Record<string, readonly NoInfer<S | BuiltInScope>[]>>
}

const scopeNames = z.array(z.string({ error: 'must be the name of a scope' }), {
  error: 'must be a list of scopes',
})

const scopes: DefaultedSetting<'scopes', Readonly<Record<string, string>>> = {
  name: 'scopes',
  takenBy: 'both',
  schema: z.record(z.string(), z.string({ error: 'must be the description of a scope' }), {
    error: 'must be an object of scopes and their descriptions',
  }),
  default: {},
  defaultText: 'only users:read and users:write',
  help: 'the scopes of the application, each with its description',
  findFaults: (declared) =>
    Object.keys(declared)
      .filter((name) => !isScopeName(name))
      .map(
        (name) =>
          'must have names of visible ASCII characters without space, quote or backslash ' +
          `(RFC 6749 §3.3); it has ${show(name)}`,
      ),
}

const roles: DefaultedSetting<'roles', Readonly<Record<string, readonly string[]>>> = {
  name: 'roles',
  takenBy: 'both',
  schema: z.record(z.string(), scopeNames, {
    error: 'must be an object of roles and their scopes',
  }),
  default: {},
  defaultText: 'admin, which holds all scopes',
  help: 'named lists of scopes',
  excludedBy: 'users',
  findFaults: (named, others) => [
    ...Object.entries(named).flatMap(([role, names]) =>
      findUndeclared(names, others).map(
        (name) =>
          `must list declared scopes; ${show(role)} has ${show(name)}, ` +
          'which is not declared in scopes',
      ),
    ),
    ...(Object.hasOwn(named, adminRole)
      ? [`must not have ${adminRole}: that role is built in and holds all scopes; rename your role`]
      : []),
  ],
}

const defaultScopes: DefaultedSetting<'defaultScopes', readonly string[]> = {
  name: 'defaultScopes',
  takenBy: 'both',
  schema: scopeNames,
  default: [],
  help: 'the scopes that every user holds',
  findFaults: (names, others) =>
    findUndeclared(names, others).map(
      (name) => `must list declared scopes; it has ${show(name)}, which is not declared in scopes`,
    ),
}

type Options = ScopeOptions<string> & RoleOptions<string>

export const feature: Feature<Options> = {
  name: 'scopes',
  settings: listSettings<Options>({ scopes, roles, defaultScopes }),
}

/**
 * Returns the names that are not declared scopes. If the setting `scopes` could not be read,
 * returns no names.
 */
function findUndeclared(names: readonly string[], { values, unread }: Others): readonly string[] {
  if (unread.has('scopes')) return []
  const declared = { ...(values['scopes'] as object | undefined), ...builtInScopes }
  return names.filter((name) => !Object.hasOwn(declared, name))
}
