import { browser, type Browser } from './browser.ts'
import { createTabLock } from './tab-lock.ts'
import type { TokenStorage } from './token-storage.ts'

/**
 * Creates a storage in localStorage. The session survives a reload. All tabs of this origin share
 * the session, and one tab refreshes it for all tabs.
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

/**
 * Returns the localStorage of the page.
 *
 * @throws {TypeError} if there is no localStorage, or the page may not use it
 */
function findLocalStorage(): NonNullable<Browser['localStorage']> {
  try {
    const { localStorage } = browser()
    if (localStorage) return localStorage
  } catch {
    // Reading the property throws if the browser blocks localStorage.
  }
  throw new TypeError(
    'localStorage is missing or blocked here. Fix: use memoryStorage() or your own storage',
  )
}
