import { browser } from './browser.ts'
import { createTabLock } from './tab-lock.ts'
import type { TokenStorage } from './token-storage.ts'

/**
 * Keeps the tokens in localStorage: a session outlives the page, and all tabs of this origin share
 * it. One of them refreshes for all.
 *
 * **Any script on any page of this origin can read and steal the refresh token**: one injected
 * script or one malicious package is enough. Prefer `storage: 'cookie'`.
 *
 * @throws {TypeError} if there is no localStorage, or the page may not use it
 */
export function browserStorage(): TokenStorage {
  const local = findLocalStorage()
  const lock = createTabLock()
  return {
    read: (key) => local.getItem(key) ?? undefined,
    write(key, text) {
      if (text === undefined) local.removeItem(key)
      else local.setItem(key, text)
      lock.wrote()
    },
    exclusive: lock.exclusive,
    listen(key, onChange) {
      const { addEventListener, removeEventListener } = browser()
      const listener = (event: { readonly key: string | null }): void => {
        if (event.key === key || event.key === null) onChange()
      }
      addEventListener?.('storage', listener)
      return () => removeEventListener?.('storage', listener)
    },
  }
}

function findLocalStorage(): NonNullable<ReturnType<typeof browser>['localStorage']> {
  try {
    const { localStorage } = browser()
    if (localStorage) return localStorage
  } catch {
    // A browser that blocks localStorage throws.
  }
  throw new TypeError(
    'there is no localStorage here: use memoryStorage(), or a storage of your own',
  )
}
