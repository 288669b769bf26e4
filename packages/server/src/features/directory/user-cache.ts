// The users that guards keep in memory (decisions/0029-users-in-memory.md).
import { deepFreeze } from 'keystile/internal'
import type { EventFeed } from '../events/events.ts'

/**
 * The maximum number of users in one generation. The cache has two generations, and so holds at
 * most twice this number of users.
 */
const maxUsers = 5_000
/**
 * The largest total size of the users in one generation, in characters as `sizeOf()` counts them.
 * Without this limit, users with large profiles could fill the memory: a user in memory may be
 * twenty times as large as its `sizeOf()`.
 */
const maxCharacters = 2_097_152

/** Finds the active users of subjects. */
export interface UserLookup<U> {
  /** Returns the user if the user is in memory, without waiting. Never throws. */
  recall(subject: string): U | undefined
  /**
   * Returns the user from memory or the database; undefined if the user is missing or not active.
   */
  find(subject: string): Promise<U | undefined>
}

/** How a cache gets its users. */
export interface UserCacheParts<U> {
  /** Reports changed users. */
  readonly feed: Pick<EventFeed, 'revocations' | 'onUserChanged' | 'onGap'>
  /** Reads an active user from the database. */
  read(subject: string): Promise<U | undefined>
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

interface Entry<U> {
  readonly user: U
  readonly size: number
  /** When the user was loaded, as a time of `performance.now()`. */
  readonly loadedAt: number
}

/**
 * Creates a cache of users. A user stays in it until an event says that the user has changed. If
 * this process changes the user, the user is removed before the promise of the write resolves. If
 * another process changes the user, the user is removed within a second. The cache removes all
 * users if the feed may have missed an event. While the feed is `stale`, every user is read from
 * the database.
 *
 * All requests share the users, so they are frozen. Missing users are not kept.
 */
export function createUserCache<U extends object>(parts: UserCacheParts<U>): UserLookup<U> {
  const { feed, read, isActive, sizeOf = () => 0, maxAgeMilliseconds } = parts
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

  function recall(subject: string): U | undefined {
    if (feed.revocations.state !== 'current') return undefined
    const entry = kept.find(subject)
    if (!entry) return undefined
    if (
      maxAgeMilliseconds !== undefined &&
      performance.now() - entry.loadedAt >= maxAgeMilliseconds
    )
      return undefined
    return isActive?.(entry.user) === false ? undefined : entry.user
  }

  async function load(subject: string): Promise<U | undefined> {
    const mark = {}
    const loadedAt = performance.now()
    if (!loads.has(subject)) loads.set(subject, mark)
    try {
      const user = await read(subject)
      if (user && loads.get(subject) === mark)
        kept.keep(subject, { user: deepFreeze(user), size: sizeOf(user), loadedAt })
      return user
    } finally {
      if (loads.get(subject) === mark) loads.delete(subject)
    }
  }

  return {
    recall,
    find: async (subject) => recall(subject) ?? load(subject),
  }
}

interface Generations<U> {
  find(subject: string): Entry<U> | undefined
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

  const keep = (subject: string, entry: Entry<U>): void => {
    if (young.size >= maxUsers || characters + entry.size > maxCharacters) {
      old = young
      young = new Map()
      characters = 0
    }
    young.set(subject, entry)
    characters += entry.size
  }

  return {
    keep,
    find(subject) {
      const found = young.get(subject)
      if (found) return found

      const older = old.get(subject)
      if (older) keep(subject, older)
      return older
    },
    forget(subject) {
      young.delete(subject)
      old.delete(subject)
    },
    clear() {
      young.clear()
      old.clear()
      characters = 0
    },
  }
}
