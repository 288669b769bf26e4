import type { Caller, UserObject } from 'keystile'
import type { Logger } from 'keystile/internal'
import { accountDirectory } from '../features/accounts/account-directory.ts'
import type { User, Users } from '../features/accounts/users.ts'
import {
  checkedDirectory,
  type Directory,
  type UserDirectory,
} from '../features/directory/directory.ts'
import type { ScopeRules } from '../features/scopes/scopes.ts'
import type { Route } from '../http/route.ts'

/** Who logs in, and what they find here beside tokens. */
export interface People<U> {
  readonly directory: Directory<U>
  /**
   * Whoever has this subject, if they may come in, on each guarded request; may be some seconds
   * old.
   */
  findActive(subject: string): Promise<U | undefined>
  readonly routes: readonly Route<Caller<string, U>>[]
  /** A user as the application sees them. */
  show(user: U): UserObject
}

interface Checks {
  readonly rules: ScopeRules
  readonly logger: Logger
}

/** The users of the application's own directory, which has the endpoints that they need. */
export function appPeople(users: UserDirectory<UserObject>, checks: Checks): People<UserObject> {
  const directory = checkedDirectory(users, checks)
  return { directory, findActive: directory.findActive, routes: [], show: (user) => user }
}

/** Keystile's own accounts, and the endpoints for them. */
export function accountPeople(
  users: Users,
  routes: People<User>['routes'],
  checks: Checks,
): People<User> {
  return {
    directory: checkedDirectory(accountDirectory(users, checks.rules), checks),
    async findActive(subject) {
      const user = await users.findBySubject(subject)
      return user?.active ? user : undefined
    },
    routes,
    show: ({ publicUser }) => publicUser,
  }
}
