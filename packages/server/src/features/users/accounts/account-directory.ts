import type { AccountDirectory } from '../directory/directory.ts'
import { heldScopes, type ScopeRules } from '../scopes/scopes.ts'
import { storedRights } from '../scopes/stored-rights.ts'
import type { User } from './user.ts'
import type { Users } from './users.ts'

/**
 * Returns a directory of Keystile's own accounts. Guards, logins and refreshes use it.
 *
 * @param factorRoles the roles whose users must have a second factor
 */
export function accountDirectory(
  users: Users,
  rules: ScopeRules,
  factorRoles: readonly string[] = [],
): AccountDirectory<User> {
  return {
    findByLogin: users.findByLogin,
    // Reads the database, not the cache: a new token is valid for minutes, so it must not get old
    // rights.
    findBySubject: users.readBySubject,
    subject: (user) => user.publicUser.id,
    active: (user) => user.active,
    scopes: (user) => heldScopes(user, rules),
    passwordHash: (user) => user.passwordHash,
    username: (user) => user.publicUser.username,
    email: (user) => user.publicUser.email,
    emailVerified: (user) => user.publicUser.emailVerified,
    needsFactor: ({ roles }) => roles.some((role) => factorRoles.includes(role)),
    passwordSession: (user) => user.passwordSession,
    rights: storedRights,
    savePasswordHash: (user, hash) => users.replacePasswordHash(user, hash),
  }
}
