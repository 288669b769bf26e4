import { idOf, parseSession, stringifySession, type StoredSession } from './stored-session.ts'
import type { TokenStorage } from './token-storage.ts'

export interface SessionStoreOptions {
  readonly storage: TokenStorage
  /** The key in the storage, and the name of its lock. */
  readonly key: string
  /**
   * Called once when a person who was signed in no longer is: after a logout here or in another
   * tab, when the issuer ends the session, and when a login elsewhere replaces it.
   */
  readonly onSignOut: () => void
}

/** The session in the storage. Each call asks the storage, because other tabs may write to it. */
export interface SessionStore {
  read(): Promise<StoredSession | undefined>
  write(session: StoredSession | undefined): Promise<void>
  /** Writes the session of a login that was made here, so that replacing another is no sign-out. */
  writeLogin(session: StoredSession): Promise<void>
  /** Runs `action` while no other client of this storage runs one. */
  exclusive<T>(action: () => Promise<T>): Promise<T>
  readDeviceSecret(): Promise<string | undefined>
  writeDeviceSecret(secret: string): Promise<void>
  /** Stops listening to other tabs. */
  close(): void
}

/** Opens the store, and listens to what other tabs write. */
export function openSessionStore({ storage, key, onSignOut }: SessionStoreOptions): SessionStore {
  /** The session that was seen last; `undefined` while nobody was known to be signed in. */
  let lastId: string | undefined
  /** The session of the last login that was made here. */
  let ownId: string | undefined
  const deviceKey = `${key}:device`

  async function read(): Promise<StoredSession | undefined> {
    const session = parseSession(await storage.read(key))
    const [before, now] = [lastId, idOf(session)]
    lastId = now
    const isOwnLogin = now !== undefined && now === ownId
    if (before !== undefined && before !== now && !isOwnLogin) onSignOut()
    return session
  }

  async function write(session: StoredSession | undefined): Promise<void> {
    await storage.write(key, session && stringifySession(session))
    await read()
  }

  const stop = storage.listen?.(key, () => void read().catch(() => {}))
  // The first read finds out who is signed in now, so that their sign-out is noticed. If the
  // storage fails, the calls that need it fail too.
  read().catch(() => {})

  return {
    read,
    write,
    async writeLogin(session) {
      ownId = idOf(session)
      await write(session)
    },
    exclusive: (action) => (storage.exclusive ? storage.exclusive(key, action) : action()),
    readDeviceSecret: async () => storage.read(deviceKey),
    writeDeviceSecret: async (secret) => storage.write(deviceKey, secret),
    close: () => stop?.(),
  }
}
