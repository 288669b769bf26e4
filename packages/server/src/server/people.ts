import type { Caller, UserObject } from 'keystile'
import type { AppUsers } from '../features/accounts/app-users.ts'
import type { User, Users } from '../features/accounts/users.ts'
import type { Directory } from '../features/directory/directory.ts'
import type { ProofPurpose } from '../features/mail-proofs/purpose.ts'
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

/** What people do by a link or a code in a mail. */
export type MailFlows<U> = Pick<People<U>, 'routes' | 'mailPurposes'>

/**
 * Returns the users of the app's own directory. There are no endpoints for accounts, because the
 * app has its own, except for those that work by mail.
 */
export function appPeople(
  directory: Directory<UserObject>,
  flows: MailFlows<UserObject>,
): People<UserObject> {
  return {
    ...flows,
    directory,
    findActive: directory.findActive,
    users: undefined,
    show: (user) => user,
  }
}

/** Returns the users who have an account in Keystile, and the endpoints for these accounts. */
export function accountPeople(
  users: Users,
  {
    directory,
    routes,
    mailPurposes,
    appUsers,
  }: MailFlows<User> & {
    readonly directory: Directory<User>
    readonly appUsers: AppUsers<string, User['publicUser']>
  },
): People<User> {
  return {
    directory,
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
