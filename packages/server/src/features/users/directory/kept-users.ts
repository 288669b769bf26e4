// A bounded store of users in memory. It knows nothing of the database: `user-cache.ts` decides
// which users are kept, and until when.
import { areStorable } from '../../../storage/storable.ts'
import type { CallerIdentity } from '../../operations/audit/by.ts'

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

export interface Entry<U> extends KeptUser<U> {
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

export interface KeptUsers<U> {
  find(subject: string): Entry<U> | undefined
  /** Finds the user of an identity. Undefined also if the identity has none: see `hasUser()`. */
  findOf(identity: CallerIdentity): Entry<U> | undefined
  keep(subject: string, entry: Entry<U>): void
  forget(subject: string): void
  clear(): void
}

/**
 * Creates a bounded store of two generations, young and old. A user that is found moves to the
 * young generation. When the young generation is full, it becomes the old generation, and the store
 * drops the users of the previous old generation.
 */
export function createKeptUsers<U>(): KeptUsers<U> {
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
