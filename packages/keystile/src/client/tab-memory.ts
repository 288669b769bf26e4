import { createTabLock } from './tab-lock.ts'
import type { TokenStorage } from './token-storage.ts'

/**
 * Creates a storage that holds one string in the memory of this page, and sends each change to the
 * other tabs of this origin. A cookie client stores its access token here, so the token is never
 * written to the disk. A new page starts with `initial`. The new page gets the current string the
 * next time that another page writes.
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
