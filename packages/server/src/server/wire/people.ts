import type { Caller, UserObject } from 'keystile'
import type { EmailChanges } from '../../features/mail/email-change/change-types.ts'
import type { FactorUndo } from '../../features/mail/factor-undo/undo.ts'
import type { ProofPurpose } from '../../features/mail/proofs/purpose.ts'
import type { RegistrationParts } from '../../features/pages/login-pages/registration-parts.ts'
import type { EventFeed } from '../../features/tokens/events/events.ts'
import type { AppUsers } from '../../features/users/accounts/app-users.ts'
import type { User } from '../../features/users/accounts/user.ts'
import type { Users } from '../../features/users/accounts/users.ts'
import type { Directory } from '../../features/users/directory/directory.ts'
import { createUserCache, type UserLookup } from '../../features/users/directory/user-cache.ts'
import type { Route } from '../../http/route.ts'

/** What differs between Keystile's own accounts and an app's users. */
export interface People<U> {
  readonly directory: Directory<U>
  /** Finds the users of guarded requests. May return users from memory. */
  readonly active: UserLookup<U>
  readonly routes: readonly Route<Caller<string, U>>[]
  readonly mailPurposes: readonly ProofPurpose[]
  /** Undefined if Keystile sends no mails, and for an app's own users. */
  readonly factorUndo: FactorUndo | undefined
  /** Finds the new address of a link. Undefined in the same cases. */
  readonly newAddressOf?: EmailChanges['addressOf']
  /** What registers people, if the settings allow it. Undefined if the app stores the users. */
  readonly registration: Pick<RegistrationParts, 'register' | 'confirm'> | undefined
  /** The value of `keystile.users`. Undefined if the app stores the users. */
  readonly users: AppUsers<string, User['publicUser']> | undefined
  /** Returns what the app sees of a user. */
  show(user: U): UserObject
}

/** The routes that send and accept links and codes in mails, and the purposes of these links. */
export type MailFlows<U> = Pick<
  People<U>,
  'routes' | 'mailPurposes' | 'factorUndo' | 'newAddressOf'
>

/**
 * Returns the users of the app's own directory. The only endpoints for accounts are those that work
 * by mail, because the app has its own endpoints for everything else.
 */
export function appPeople(
  directory: Directory<UserObject>,
  { flows, feed }: { readonly flows: MailFlows<UserObject>; readonly feed: EventFeed },
): People<UserObject> {
  return {
    ...flows,
    directory,
    active: directory.isCached
      ? cachedPeople(directory, feed)
      : { recall: () => undefined, find: directory.findActive },
    registration: undefined,
    users: undefined,
    show: (user) => user,
  }
}

/**
 * How long a guard may use an app's user from memory. This limit matters if the app crashes after a
 * change, before it calls `userChanged()`.
 */
const maxAgeMilliseconds = 60_000

/** Keeps an app's users in memory, but calls `directory.active()` for each request. */
function cachedPeople(directory: Directory<UserObject>, feed: EventFeed): UserLookup<UserObject> {
  return createUserCache({
    feed,
    read: directory.findActive,
    show: (user) => user,
    isActive(user) {
      try {
        return directory.active(user)
      } catch {
        return false // `read` calls it again and reports the error.
      }
    },
    maxAgeMilliseconds,
  })
}

/** The assumed size of a user without the profile, in characters. */
const userCharacters = 200

/** Returns Keystile's own accounts as the users. */
export function accountPeople(
  users: Users,
  {
    appUsers,
    feed,
    ...parts
  }: MailFlows<User> &
    Pick<People<User>, 'directory' | 'registration'> & {
      readonly appUsers: AppUsers<string, User['publicUser']>
      readonly feed: EventFeed
    },
): People<User> {
  return {
    ...parts,
    active: createUserCache({
      feed,
      read: (subject) => readActive(users, subject),
      show: ({ publicUser }) => publicUser,
      sizeOf: ({ profile }) => userCharacters + JSON.stringify(profile).length,
    }),
    users: appUsers,
    show: ({ publicUser }) => publicUser,
  }
}

async function readActive(
  users: Pick<Users, 'readBySubject'>,
  subject: string,
): Promise<User | undefined> {
  const user = await users.readBySubject(subject)
  return user?.active ? user : undefined
}
