import type { Clock } from 'keystile/internal'
import type { UserRow } from './tables.ts'

const cacheMilliseconds = 5_000
const cacheSize = 10_000

/** Rows of users, by subject. */
export interface UserCache {
  find(subject: string): UserRow | undefined
  remember(row: UserRow): void
  forget(subject: string): void
}

/**
 * Keeps the rows of active users for 5 s. A user who loses access also loses all sessions, and no
 * cache delays that. The cache has rows and no users: an app may change the user object that its
 * handler gets, so each request gets its own.
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
