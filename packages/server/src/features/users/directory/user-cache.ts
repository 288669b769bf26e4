// The users that guards keep in memory (decisions/0029-users-in-memory.md). Only `updateUser` of
// features/users/accounts changes rows of users, and it inserts an event of the kind `user`. After
// this event, which is kept for an hour, the user is read again. server/wire/people.ts decides
// whose users are kept: Keystile's accounts, and the app's if `users.cached` is set.
import { deepFreeze } from 'keystile/internal'
import type { CallerIdentity } from '../../operations/audit/by.ts'
import type { EventFeed } from '../../tokens/events/events.ts'
import { staleAfterMilliseconds } from '../../tokens/events/follower.ts'
import { createKeptUsers, type Entry, type KeptUser } from './kept-users.ts'

export interface UserLookup<U> {
  /**
   * Returns the user of an identity if the user is in memory, without waiting. Undefined also if
   * `hasUser()` is false. Never throws.
   */
  recall(identity: CallerIdentity): KeptUser<U> | undefined
  /**
   * Returns the user from memory or the database; undefined if the user is missing or not active.
   */
  find(subject: string): Promise<U | undefined>
}

export interface UserCacheParts<U> {
  readonly feed: Pick<EventFeed, 'ageSeconds' | 'onUserChanged' | 'onGap'>
  /** Reads an active user from the database. */
  read(subject: string): Promise<U | undefined>
  /** Returns the object that the app gets for a user. */
  show(user: U): object
  /**
   * Whether a cached user is still active. If not, the cache reads the user again from the
   * database. Must not throw. Default: true.
   */
  isActive?(user: U): boolean
  /**
   * Returns the size of a user in characters. Default: 0, so that only the number of users is
   * limited.
   */
  sizeOf?(user: U): number
  /** How long a user is kept at most. Default: until the user changes. */
  readonly maxAgeMilliseconds?: number
}

/**
 * Creates a cache of users. A user stays in it until an event says that the user has changed. If
 * this process changes the user, the user is removed before the promise of the write resolves. If
 * another process changes the user, the user is removed within a second. The cache removes all
 * users if the feed may have missed an event. While the feed has had no answer for 4 s, the cache
 * reads every user from the database.
 *
 * All requests share the users, so they are frozen. Missing users are not kept.
 */
export function createUserCache<U extends object>(parts: UserCacheParts<U>): UserLookup<U> {
  const { feed, read, show, isActive, sizeOf = () => 0, maxAgeMilliseconds } = parts
  const kept = createKeptUsers<U>()
  // For each user, the first load that is in progress. The loaded user is kept only if no event
  // about the user has arrived since the load began.
  const loads = new Map<string, object>()

  feed.onUserChanged((subject) => {
    kept.forget(subject)
    loads.delete(subject)
  })
  feed.onGap(() => {
    kept.clear()
    loads.clear()
  })

  // Not `feed.revocations.state`: it is also stale after the wall clock was set back, although the
  // users in memory are still correct. It would also read a second clock for each request.
  const isCurrent = (): boolean => feed.ageSeconds * 1000 < staleAfterMilliseconds

  const isTooOld = ({ loadedAt }: Entry<U>): boolean =>
    maxAgeMilliseconds !== undefined && performance.now() - loadedAt >= maxAgeMilliseconds

  /** Returns the entry unless it is too old or its user is no longer active. */
  function ifUsable(entry: Entry<U> | undefined): Entry<U> | undefined {
    if (!entry || isTooOld(entry)) return undefined
    return isActive?.(entry.user) === false ? undefined : entry
  }

  async function load(subject: string): Promise<U | undefined> {
    const mark = {}
    const loadedAt = performance.now()
    if (!loads.has(subject)) loads.set(subject, mark)
    try {
      const user = await read(subject)
      if (user && loads.get(subject) === mark)
        kept.keep(subject, {
          user: deepFreeze(user),
          shown: show(user),
          size: sizeOf(user),
          loadedAt,
          isKept: true,
        })
      return user
    } finally {
      if (loads.get(subject) === mark) loads.delete(subject)
    }
  }

  return {
    recall: (identity) => (isCurrent() ? ifUsable(kept.findOf(identity)) : undefined),
    async find(subject) {
      const entry = isCurrent() ? ifUsable(kept.find(subject)) : undefined
      return entry ? entry.user : load(subject)
    },
  }
}
