import type { Clock } from 'keystile/internal'
import type { UserRow } from './tables.ts'

/**
 * How long a row stays in the cache. For this time after a change, another process may still use
 * the old e-mail address or profile.
 */
const cacheMilliseconds = 5_000
/**
 * The largest number of rows in the cache. A row has a few hundred bytes, or 64 KiB with the
 * largest profile.
 */
const cacheSize = 10_000

/** A cache of user rows. Its key is the subject of the user. */
export interface UserCache {
  find(subject: string): UserRow | undefined
  remember(row: UserRow): void
  forget(subject: string): void
}

/**
 * Creates a cache that keeps the rows of active users for 5 s. The cache does not delay the end of
 * access: a user who is disabled or deleted loses all sessions, and guards check sessions without
 * this cache. It keeps rows instead of user objects, because a handler may change the object that
 * it gets.
 */
export function createUserCache(clock: Clock): UserCache {
  const rows = new Map<string, { readonly row: UserRow; readonly until: number }>()

  return {
    find(subject) {
      const cached = rows.get(subject)
      if (cached && cached.until > clock.now()) return cached.row

      rows.delete(subject)
      return undefined
    },
    remember(row) {
      if (rows.has(row.id)) return

      const [oldest] = rows.keys()
      if (rows.size >= cacheSize && oldest !== undefined) rows.delete(oldest)
      rows.set(row.id, { row, until: clock.now() + cacheMilliseconds })
    },
    forget: (subject) => void rows.delete(subject),
  }
}
