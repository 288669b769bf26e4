// Some functions that load users also keep them in memory. A guard with such a function admits a
// request without waiting (decisions/0029-users-in-memory.md).
import type { Identity } from './identity.ts'

/** Returns a user that is in memory; `undefined` if the user must be loaded. Never throws. */
export type RecallUser<U> = (identity: Identity) => U | undefined

type LoadUser<U> = (identity: Identity) => Promise<U | undefined>

// Apps pass the function `user` to guards in objects of their own, so the two functions are
// connected here and not in an object.
const recalls = new WeakMap<object, RecallUser<unknown>>()

/**
 * Connects two functions: `load` loads users, and `recall` returns users from memory. Both must
 * return the same users.
 *
 * @returns `load`
 */
export function withRecall<U>(load: LoadUser<U>, recall: RecallUser<U>): LoadUser<U> {
  recalls.set(load, recall)
  return load
}

export function findRecall(load: object): RecallUser<unknown> | undefined {
  return recalls.get(load)
}
