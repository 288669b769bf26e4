import {
  continues,
  idOf,
  knownSession,
  parseSession,
  stringifySession,
  type StoredSession,
} from './stored-session.ts'
import type { TokenStorage } from './token-storage.ts'

export interface SessionStoreOptions {
  readonly storage: TokenStorage
  /** The key under which the storage keeps the session. It is also the name of the lock. */
  readonly key: string
  /**
   * Called once when the session ends, by a logout in any tab or because the issuer refuses to
   * refresh the session. Also called once when a login in another tab or client replaces the
   * session.
   */
  readonly onSignOut: () => void
}

/**
 * Reads and writes the session. Each call reads the storage, because other tabs may write to it.
 */
export interface SessionStore {
  read(): Promise<StoredSession | undefined>
  write(session: StoredSession | undefined): Promise<void>
  /**
   * Writes the session of a login in this client. Does not call `onSignOut`, even if the session
   * replaces another session.
   */
  writeLogin(session: StoredSession): Promise<void>
  /** Runs `action` while no other client with this storage runs an action. */
  exclusive<T>(action: () => Promise<T>): Promise<T>
  /**
   * Returns the device secret, which identifies the device at a login. A logout does not remove it.
   */
  readDeviceSecret(): Promise<string | undefined>
  writeDeviceSecret(secret: string): Promise<void>
  close(): void
}

/** Opens the store, and listens for writes of other tabs. */
export function openSessionStore({ storage, key, onSignOut }: SessionStoreOptions): SessionStore {
  /** The id of the last session that was read; `undefined` if no user was signed in. */
  let lastId: string | undefined
  /** The id of the session that the last login in this client has started. */
  let ownId: string | undefined
  const deviceKey = `${key}:device`

  async function read(): Promise<StoredSession | undefined> {
    const session = parseSession(await storage.read(key))
    const [before, now] = [lastId, idOf(session)]
    lastId = now

    // Neither the first session nor one of a login in this client is a sign-out.
    const isOwnLogin = now !== undefined && now === ownId
    if (before === undefined || isOwnLogin) return session

    const known = knownSession(session)
    if (!known || !continues(known, { id: before })) onSignOut()
    return session
  }

  async function write(session: StoredSession | undefined): Promise<void> {
    await storage.write(key, session && stringifySession(session))
    await read()
  }

  const stop = storage.listen?.(key, () => void read().catch(() => {}))
  // The first read stores the id of the session in `lastId`. Without this id, the first sign-out
  // would not be noticed. An error of the storage is ignored here, because all later calls that
  // need the storage report the error.
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
