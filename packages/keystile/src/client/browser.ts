/**
 * The parts of a browser that Node does not have. Each part may be missing, because the client runs
 * in Node or because the page is without TLS.
 */
export interface Browser {
  readonly navigator?: { readonly locks?: Locks }
  readonly localStorage?: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>
  readonly addEventListener?: (type: 'storage', listener: (event: StorageChange) => void) => void
  readonly removeEventListener?: (type: 'storage', listener: (event: StorageChange) => void) => void
  readonly indexedDB?: { open(name: string): DatabaseRequest<Database> }
}

/** @see Web Locks API §3 */
interface Locks {
  request(name: string, action: () => Promise<void>): Promise<void>
}

interface StorageChange {
  /** The changed key; `null` if all keys were removed. */
  readonly key: string | null
}

interface DatabaseRequest<T> {
  readonly result: T
  readonly error: unknown
  addEventListener(type: 'success' | 'error' | 'upgradeneeded', listener: () => void): void
}

export interface Database {
  createObjectStore(name: string): unknown
  transaction(name: string, mode: 'readwrite'): Transaction
  close(): void
}

interface Transaction {
  objectStore(name: string): {
    get(key: string): DatabaseRequest<unknown>
    put(value: unknown, key: string): unknown
  }
  readonly error: unknown
  addEventListener(type: 'complete' | 'abort', listener: () => void): void
}

/**
 * Returns `globalThis`, with the type of a browser. Call `browser()` at each use, because a page
 * may load a polyfill later.
 */
export function browser(): Browser {
  return globalThis
}
