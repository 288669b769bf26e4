// The users that guards keep in memory (decisions/0029-users-in-memory.md). Only `updateUser` of
// features/users/accounts changes rows of users, and it inserts an event of the kind `user`. After
// this event, which is kept for an hour, the user is read again. server/wire/people.ts decides
// whose users are kept: Keystile's accounts, and the app's if `users.cached` is set.
import { deepFreeze } from 'keystile/internal'
import { areStorable } from '../../../storage/storable.ts'
import type { CallerIdentity } from '../../operations/audit/by.ts'
import type { EventFeed } from '../../tokens/events/events.ts'
import { staleAfterMilliseconds } from '../../tokens/events/follower.ts'

/**
 * The maximum number of users in one generation. The cache has two generations, and so holds at
 * most twice this number of users.
 */
const maxUsers = 5_000
const maxIdentities = 2 * maxUsers
/**
 * The largest total size of the users in one generation, in characters as `sizeOf()` counts them.
 * Without this limit, users with large profiles could fill the memory: a user in memory may be
 * twenty times as large as its `sizeOf()`.
 */
const maxCharacters = 2_097_152

export interface KeptUser<U> {
  readonly user: U
  /** The object that the app gets for this user. */
  readonly shown: object
}

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

interface Entry<U> extends KeptUser<U> {
  readonly size: number
  /** When the user was loaded, as a time of `performance.now()`. */
  readonly loadedAt: number
  /** False after an event removed this entry, or a newer entry replaced it. */
  isKept: boolean
}

/**
 * Whether an identity can have a user. A token without a session belongs to a client that acts for
 * itself. Such a token has no user, even if the id of the client equals the subject of a user.
 */
export function hasUser({ subject, clientId, sessionId }: CallerIdentity): boolean {
  return sessionId !== undefined && areStorable(subject, clientId, sessionId)
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
  const kept = createGenerations<U>()
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
  /** Returns the entry unless it is too old or its user is no longer active. */
  function ifUsable(entry: Entry<U> | undefined): Entry<U> | undefined {
    if (!entry) return undefined
    if (
      maxAgeMilliseconds !== undefined &&
      performance.now() - entry.loadedAt >= maxAgeMilliseconds
    )
      return undefined
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

interface Generations<U> {
  find(subject: string): Entry<U> | undefined
  /** Finds the user of an identity. Undefined also if the identity has none: see `hasUser()`. */
  findOf(identity: CallerIdentity): Entry<U> | undefined
  keep(subject: string, entry: Entry<U>): void
  forget(subject: string): void
  clear(): void
}

/**
 * Creates a bounded store of two generations, young and old. A user that is found moves to the
 * young generation. When the young generation is full, it becomes the old generation, and the cache
 * drops the users of the previous old generation.
 */
function createGenerations<U>(): Generations<U> {
  let young = new Map<string, Entry<U>>()
  let old = new Map<string, Entry<U>>()
  let characters = 0
  // Users of the young generation, by the identities that were asked for. A verifier returns the
  // same object for the same token. A look-up by the object takes less time than by the subject,
  // because the processor reads no strings from the memory.
  const byIdentity = new Map<CallerIdentity, Entry<U>>()

  const forgetIn = (generation: Map<string, Entry<U>>, subject: string): void => {
    const entry = generation.get(subject)
    if (!entry) return
    entry.isKept = false
    generation.delete(subject)
  }

  const keep = (subject: string, entry: Entry<U>): void => {
    if (young.size >= maxUsers || characters + entry.size > maxCharacters) {
      old = young
      young = new Map()
      byIdentity.clear()
      characters = 0
    }
    forgetIn(young, subject)
    young.set(subject, entry)
    characters += entry.size
  }

  const find = (subject: string): Entry<U> | undefined => {
    const found = young.get(subject)
    if (found) return found

    const older = old.get(subject)
    if (older) keep(subject, older)
    return older
  }

  return {
    find,
    findOf(identity) {
      const known = byIdentity.get(identity)
      if (known?.isKept) return known

      const found = hasUser(identity) ? find(identity.subject) : undefined
      if (!found) return undefined
      if (byIdentity.size >= maxIdentities) byIdentity.clear()
      byIdentity.set(identity, found)
      return found
    },
    keep,
    forget(subject) {
      forgetIn(young, subject)
      forgetIn(old, subject)
    },
    clear() {
      byIdentity.clear()
      young.clear()
      old.clear()
      characters = 0
    },
  }
}
