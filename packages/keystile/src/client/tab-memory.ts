import { createTabLock } from './tab-lock.ts'
import type { TokenStorage } from './token-storage.ts'

/**
 * Creates a storage that keeps one text in the memory of this page and sends it to the other tabs
 * of this origin. It holds the access token when the refresh token is in a cookie, and never writes
 * it to the disk. A page starts with `initial`, and gets the text of another page when that page
 * writes.
 */
export function createTabMemory(initial: string): TokenStorage {
  const lock = createTabLock()
  let text: string | undefined = initial
  let channel: BroadcastChannel | undefined

  return {
    read: () => text,
    write(_key, changed) {
      text = changed
      channel?.postMessage(changed)
      lock.wrote()
    },
    exclusive: lock.exclusive,
    listen(key, onChange) {
      const opened = new BroadcastChannel(key)
      channel = opened
      opened.addEventListener('message', ({ data }: { readonly data?: unknown }) => {
        text = typeof data === 'string' ? data : undefined
        onChange()
      })
      // In Node, an open channel would keep the process running.
      if ('unref' in opened) opened.unref()

      return () => {
        opened.close()
        channel = undefined
      }
    },
  }
}
