import type { Rights } from './scopes.ts'

/**
 * An account's rights as the database stores them: two JSON lists. To find a change, each list is
 * compared with the earlier list as a string.
 */
export interface StoredRights {
  readonly scopes: string
  readonly roles: string
}

/**
 * Returns scopes and roles as the JSON strings that the database stores, so that a query can
 * compare them with `=`.
 */
export function storedRights({ scopes, roles }: Rights): StoredRights {
  return { scopes: JSON.stringify(scopes), roles: JSON.stringify(roles) }
}

/** The reverse of `storedRights()`. */
export function readRights({ scopes, roles }: StoredRights): Rights {
  return { scopes: JSON.parse(scopes), roles: JSON.parse(roles) }
}
