import type { AccountDirectory } from '../directory/directory.ts'
import { heldScopes, type ScopeRules } from '../scopes/scopes.ts'
import type { User, Users } from './users.ts'

/** Our own accounts as a directory, for logins and refreshes. */
export function accountDirectory(users: Users, rules: ScopeRules): AccountDirectory<User> {
  return {
    findByLogin: users.findByLogin,
    // Not from the cache: what a login or a refresh grants holds for minutes.
    findBySubject: users.readBySubject,
    subject: (user) => user.publicUser.id,
    active: (user) => user.active,
    scopes: (user) => heldScopes(user, rules),
    passwordHash: (user) => user.passwordHash,
    passwordSession: (user) => user.passwordSession,
    rights: ({ scopes, roles }) => ({
      scopes: JSON.stringify(scopes),
      roles: JSON.stringify(roles),
    }),
    savePasswordHash: (user, hash) => users.replacePasswordHash(user, hash),
  }
}
