import { createTabLock } from './tab-lock.ts'
import type { TokenStorage } from './token-storage.ts'

/**
 * Keeps one text in this page's memory and sends it to the other tabs of this origin: for access
 * tokens whose refresh token is in a cookie. A page begins with `initial`, and learns the text of
 * another page when that page writes.
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
      // In Node, the channel would keep the process alive.
      if ('unref' in opened) opened.unref()
      return () => {
        opened.close()
        channel = undefined
      }
    },
  }
}
