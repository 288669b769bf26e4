/**
 * Where a client keeps the tokens of its session: a text under a key. Implement it for a file, a
 * keychain or an app's own store. Each method may return a promise or not.
 */
export interface TokenStorage {
  read(key: string): string | undefined | Promise<string | undefined>
  /** @param text `undefined` removes the text */
  write(key: string, text: string | undefined): void | Promise<void>
  /**
   * Runs `action` while no other client runs one under this name, and returns its result. For a
   * storage that programs or tabs share, so that only one of them refreshes. From then on, `read`
   * must return what was written under the name before. A program that crashes must not block the
   * others. Without this method, the storage belongs to one client.
   */
  exclusive?<T>(name: string, action: () => Promise<T>): Promise<T>
  /**
   * Calls `onChange` when another client has written under the key, so that a logout elsewhere is
   * known at once. Without this method, it is known at the next call. Returns a function that ends
   * it.
   */
  listen?(key: string, onChange: () => void): () => void
}

/** Keeps the tokens in this object only: they are gone with the page or the process. */
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
