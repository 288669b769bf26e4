import type { Endpoints } from './endpoints.ts'
import { createLogins, type Logins } from './logins.ts'
import { createRenewal, type Renew } from './session-renewal.ts'
import { openSessionStore, type SessionStoreOptions } from './session-store.ts'
import {
  continues,
  idOf,
  knownSession,
  type KnownSession,
  type StoredSession,
} from './stored-session.ts'
import { createTokenAge, type ClientClock } from './token-age.ts'

export interface SessionKeeperOptions extends SessionStoreOptions {
  readonly endpoints: Endpoints
  readonly clock: ClientClock
}

/** Starts, reads, refreshes and ends the session of one client. */
export interface SessionKeeper extends Logins {
  /** Returns the stored session, without refreshing it. */
  read(): Promise<StoredSession | undefined>
  /**
   * Returns the session with a valid access token, and refreshes the session if the token expires
   * soon. Returns `undefined` if the session has expired. Also returns `undefined` if another login
   * replaces the session during the refresh: a request of one user must not be sent in the name of
   * a different user.
   *
   * @throws {ClientError} if the issuer does not answer and the token has expired
   */
  current(): Promise<KnownSession | undefined>
  readonly renew: Renew
  logout(): Promise<void>
  /**
   * Returns the device secret of the last login here; `undefined` if there is no device secret, or
   * if a cookie contains it.
   */
  deviceSecret(): Promise<string | undefined>
  close(): void
}

/**
 * Opens the keeper. The storage has a lock, so all clients with the same storage log in, refresh
 * and log out one after the other. Even with the lock, a client reads the storage before it writes:
 * a client may lose the lock, and a logout removes the stored session before it waits for the lock.
 */
export function openSessionKeeper(options: SessionKeeperOptions): SessionKeeper {
  const { endpoints, clock } = options
  const store = openSessionStore(options)
  const tokenAge = createTokenAge(clock)
  const renew = createRenewal({ store, endpoints, clock, tokenAge })

  async function current(): Promise<KnownSession | undefined> {
    const session = await store.read()
    if (!session) return undefined

    const known = knownSession(session)
    if (known && tokenAge.isFresh(known)) return known

    try {
      const renewed = await renew(session)
      return !known || (renewed && continues(renewed, known)) ? renewed : undefined
    } catch (error) {
      // The issuer does not answer, but the token is still valid for a short time.
      if (known && tokenAge.isAlive(known)) return known
      throw error
    }
  }

  async function logout(): Promise<void> {
    const session = await store.read()
    // With cookies, there may be a cookie although no user is signed in: an earlier logout may not
    // have reached the issuer.
    if (!session && !endpoints.usesCookies) return

    await store.write(undefined)
    await store.exclusive(async () => {
      const now = await store.read()
      const known = knownSession(now)
      const before = knownSession(session)
      const isSame = known && before && continues(known, before)
      // No user was signed in when this logout began, but meanwhile another login has replaced the
      // cookie. The cookie of that login stays.
      if (now && idOf(session) === undefined) return
      // A refresh or a step-up may have written the session again at the same moment.
      if (isSame) await store.write(undefined)
      await endpoints.logout(isSame ? known : before)
    })
  }

  const deviceSecret = async (): Promise<string | undefined> =>
    endpoints.usesCookies ? undefined : store.readDeviceSecret()

  return {
    read: store.read,
    current,
    renew,
    ...createLogins({ store, endpoints, clock, current, renew, deviceSecret }),
    logout,
    deviceSecret,
    close: store.close,
  }
}
