/**
 * Where a client keeps the tokens of its session: a text under a key. An app can implement it for a
 * file, a keychain or its own store. Each method may return a value or a promise.
 */
export interface TokenStorage {
  read(key: string): string | undefined | Promise<string | undefined>
  /** @param text `undefined` removes the text */
  write(key: string, text: string | undefined): void | Promise<void>
  /**
   * Runs `action` while no other client runs one with the same name, and returns its result. A
   * storage that several programs or tabs share needs it, so that only one of them refreshes.
   * Within `action`, `read` must return everything that earlier actions have written. A crashed
   * program must not block the others for ever. Without this method, only one client may use the
   * storage.
   */
  exclusive?<T>(name: string, action: () => Promise<T>): Promise<T>
  /**
   * Calls `onChange` when another client has written under the key, and returns a function that
   * stops this. With this method, the client notices a logout elsewhere at once; without it, at the
   * next call.
   */
  listen?(key: string, onChange: () => void): () => void
}

/** Creates a storage in memory. The tokens are lost when the page or the process ends. */
export function memoryStorage(): TokenStorage {
  const texts = new Map<string, string | undefined>()
  return {
    read: (key) => texts.get(key),
    write: (key, text) => void texts.set(key, text),
  }
}
