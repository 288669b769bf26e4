/**
 * Stores strings under keys. A client has two for each issuer: the tokens of its session, and the
 * device secret of the last login, which stays after a logout. An app can implement this interface
 * with a file, a keychain or its own store. Each method may return a value or a promise.
 */
export interface TokenStorage {
  read(key: string): string | undefined | Promise<string | undefined>
  /** @param text the string to store; `undefined` removes the stored string */
  write(key: string, text: string | undefined): void | Promise<void>
  /**
   * Runs `action` while no other client runs an action with the same name, and returns the result
   * of `action`. A storage that several programs or tabs share needs this method, so that only one
   * of them refreshes at a time. Within `action`, `read` must return everything that earlier
   * actions have written. A crashed program must not block the other programs for ever. Without
   * this method, only one client may use the storage.
   */
  exclusive?<T>(name: string, action: () => Promise<T>): Promise<T>
  /**
   * Calls `onChange` when another client has written under the key, and returns a function that
   * removes the listener. With this method, the client notices a logout of another client
   * immediately. Without this method, the client notices the logout at the next call.
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
