/**
 * Where a client keeps the tokens of its session: a text under a key. Implement it for a file, a keychain or an app's
 * own store; each method may return a promise or not.
 */
export interface TokenStorage {
  read(key: string): string | undefined | Promise<string | undefined>
  /** @param text `undefined`: remove it */
  write(key: string, text: string | undefined): void | Promise<void>
  /**
   * Runs `action` while nobody else runs theirs under this name, and returns what it does: for a storage that several
   * programs or tabs share, so that one of them refreshes and not all. What was written under the name before must be seen
   * by `read` from then on. Whoever dies must not keep the others out. Missing: one client alone has this storage.
   */
  exclusive?<T>(name: string, action: () => Promise<T>): Promise<T>
  /**
   * Calls `onChange` when somebody else has written under the key, so that a logout elsewhere is known at once. Missing:
   * it is known at the next call. @returns what ends it
   */
  listen?(key: string, onChange: () => void): () => void
}

/** Keeps the tokens in this object, and nowhere else: they are gone with the page or the process. */
export function memoryStorage(): TokenStorage {
  const texts = new Map<string, string>()
  return {
    read: (key) => texts.get(key),
    write(key, text) {
      if (text === undefined) texts.delete(key)
      else texts.set(key, text)
    },
  }
}
