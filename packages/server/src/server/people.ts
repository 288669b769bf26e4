import type { Caller, UserObject } from 'keystile'
import type { Logger } from 'keystile/internal'
import { accountDirectory } from '../features/accounts/account-directory.ts'
import type { AppUsers } from '../features/accounts/app-users.ts'
import type { User, Users } from '../features/accounts/users.ts'
import {
  checkedDirectory,
  type Directory,
  type UserDirectory,
} from '../features/directory/directory.ts'
import type { ProofPurpose } from '../features/mail-proofs/purpose.ts'
import type { ScopeRules } from '../features/scopes/scopes.ts'
import type { Route } from '../http/route.ts'

/** The users who can log in, and the endpoints for their accounts. */
export interface People<U> {
  readonly directory: Directory<U>
  /**
   * Returns the active user with this subject. The result may come from a cache and be a few
   * seconds old, because each guarded request calls this function.
   */
  findActive(subject: string): Promise<U | undefined>
  readonly routes: readonly Route<Caller<string, U>>[]
  /** What links and codes in mails may allow. */
  readonly mailPurposes: readonly ProofPurpose[]
  /** The value of `keystile.users`. Undefined if the app stores the users. */
  readonly users: AppUsers<string, User['publicUser']> | undefined
  /** Returns the user object that the app gets. */
  show(user: U): UserObject
}

interface Checks {
  readonly rules: ScopeRules
  readonly logger: Logger
}

/**
 * Returns the users of the app's own directory. There are no endpoints for accounts, because the
 * app has its own.
 */
export function appPeople(users: UserDirectory<UserObject>, checks: Checks): People<UserObject> {
  const directory = checkedDirectory(users, checks)
  return {
    directory,
    findActive: directory.findActive,
    routes: [],
    mailPurposes: [],
    users: undefined,
    show: (user) => user,
  }
}

/** Returns the users who have an account in Keystile, and the endpoints for these accounts. */
export function accountPeople(
  users: Users,
  {
    routes,
    mailPurposes,
    appUsers,
  }: {
    readonly routes: People<User>['routes']
    readonly mailPurposes: People<User>['mailPurposes']
    readonly appUsers: AppUsers<string, User['publicUser']>
  },
  checks: Checks,
): People<User> {
  return {
    directory: checkedDirectory(accountDirectory(users, checks.rules), checks),
    async findActive(subject) {
      const user = await users.findBySubject(subject)
      return user?.active ? user : undefined
    },
    routes,
    mailPurposes,
    users: appUsers,
    show: ({ publicUser }) => publicUser,
  }
}
