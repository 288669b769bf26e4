import type { Credentials, Endpoints } from './endpoints.ts'
import { createRenewal, sessionOf, type Renew } from './session-renewal.ts'
import { openSessionStore, type SessionStoreOptions } from './session-store.ts'
import { idOf, knownSession, type KnownSession, type StoredSession } from './stored-session.ts'
import { createTokenAge, type ClientClock } from './token-age.ts'

export interface SessionKeeperOptions extends SessionStoreOptions {
  readonly endpoints: Endpoints
  readonly clock: ClientClock
}

/** Keeps the one session of a client: begins it, refreshes it, and ends it. */
export interface SessionKeeper {
  /** Returns the stored session as it is. */
  read(): Promise<StoredSession | undefined>
  /**
   * Returns the session with a valid access token, and refreshes it shortly before the token
   * expires. Returns `undefined` if the session is over, even if another login has begun by then:
   * a request in one person's name must not go out in another's.
   *
   * @throws {ClientError}
   */
  current(): Promise<KnownSession | undefined>
  readonly renew: Renew
  login(credentials: Credentials): Promise<void>
  logout(): Promise<void>
  close(): void
}

/**
 * Opens the keeper. All clients of one storage log in, refresh and log out one after the other, by
 * its lock. None of them overwrites what another has written meanwhile: a lock may be lost, and a
 * logout does not wait for it.
 */
export function openSessionKeeper(options: SessionKeeperOptions): SessionKeeper {
  const { endpoints, clock } = options
  const store = openSessionStore(options)
  const tokenAge = createTokenAge(clock)
  const renew = createRenewal({ store, endpoints, clock, tokenAge })
  const hasCookie = endpoints.refreshTokenIn === 'cookie'

  async function current(): Promise<KnownSession | undefined> {
    const session = await store.read()
    if (!session) return undefined

    const known = knownSession(session)
    if (known && tokenAge.isFresh(known)) return known
    try {
      const renewed = await renew(session)
      return known === undefined || known.id === renewed?.id ? renewed : undefined
    } catch (error) {
      if (known && tokenAge.isAlive(known)) return known
      throw error
    }
  }

  async function login(credentials: Credentials): Promise<void> {
    const askedAt = clock.now()
    // With a cookie, the issuer keeps the device secret in a cookie as well.
    const deviceSecret = hasCookie ? undefined : await store.readDeviceSecret()
    const tokens = await endpoints.login(credentials, deviceSecret)
    await store.writeLogin(sessionOf(tokens, askedAt))

    // It outlives a logout, so that the next login from here comes from a known device.
    if (tokens.deviceSecret !== undefined) await store.writeDeviceSecret(tokens.deviceSecret)
  }

  async function logout(): Promise<void> {
    const session = await store.read()
    // There may be a cookie although nobody is signed in: the issuer may have missed a logout.
    if (!session && !hasCookie) return

    await store.write(undefined)
    await store.exclusive(async () => {
      const now = await store.read()
      // Nobody was known to be signed in here, and by now the cookie belongs to another login.
      if (now && idOf(session) === undefined) return
      // A refresh may have written in the same moment.
      if (now && idOf(now) === idOf(session)) await store.write(undefined)
      await endpoints.logout(knownSession(session))
    })
  }

  return {
    read: store.read,
    current,
    renew,
    login: (credentials) => store.exclusive(() => login(credentials)),
    logout,
    close: store.close,
  }
}
