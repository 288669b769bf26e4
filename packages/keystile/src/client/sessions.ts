import { ClientError } from './client-error.ts'
import type { Credentials, Endpoints, Grant } from './endpoints.ts'
import { createAges, parseSession, unknownSession, type ClientClock, type Session } from './session.ts'
import { sidOf } from './token-sid.ts'
import type { TokenStorage } from './token-storage.ts'

export interface SessionsOptions {
  readonly storage: TokenStorage
  /** Of the storage, and the name of its lock. */
  readonly key: string
  readonly endpoints: Endpoints
  readonly clock: ClientClock
  /**
   * Somebody was signed in, and is no longer: here, in another tab, or by the issuer's word; also where another login than
   * one made here has taken their place.
   */
  readonly onSignOut: () => void
}

/** The session that the storage holds, if it holds one. The storage is asked each time, for others may write to it. */
export interface Sessions {
  read(): Promise<Session | undefined>
  /**
   * The session with an access token that lives, refreshed where it would soon not. `undefined` where it is over, though
   * another may have begun by then: what was asked for in one person's name is not done in another's.
   *
   * @throws {ClientError}
   */
  current(): Promise<Session | undefined>
  /** Refreshes, unless somebody else just did. @throws {ClientError} while the issuer gives no answer */
  renew(stale: Session): Promise<Session | undefined>
  login(credentials: Credentials): Promise<void>
  logout(): Promise<void>
  close(): void
}

/**
 * Logins, refreshes and logouts at the issuer go one after the other for all who share the storage. None of them writes
 * over what another has written meanwhile: a lock may be lost, and a logout does not wait for it.
 */
export function createSessions({ storage, key, endpoints, clock, onSignOut }: SessionsOptions): Sessions {
  const ages = createAges(clock)
  /** Of the session that was seen last; empty: nobody was signed in. */
  let lastId = ''
  /** Of the last login that was made here. Nobody need be told of that. */
  let ownId: string | undefined
  const deviceKey = `${key}:device`
  let renewal: Promise<Session | undefined> | undefined

  async function read(): Promise<Session | undefined> {
    const session = parseSession(await storage.read(key))
    const [before, now] = [lastId, session?.id ?? '']
    lastId = now
    if (before !== '' && before !== now && now !== ownId) onSignOut()
    return session
  }

  /** The cookie has its own; and a page's memory holds nothing but the session. */
  async function readDeviceSecret(): Promise<string | undefined> {
    return endpoints.refreshTokenIn === 'body' ? storage.read(deviceKey) : undefined
  }

  async function write(session: Session | undefined): Promise<void> {
    await storage.write(key, session && JSON.stringify(session))
    await read()
  }

  function exclusive<T>(action: () => Promise<T>): Promise<T> {
    return storage.exclusive ? storage.exclusive(key, action) : action()
  }

  async function current(): Promise<Session | undefined> {
    const session = await read()
    if (!session || ages.isFresh(session)) return session
    try {
      const renewed = await renew(session)
      return session.id === '' || session.id === renewed?.id ? renewed : undefined
    } catch (error) {
      if (ages.isAlive(session)) return session
      throw error
    }
  }

  function renew(stale: Session): Promise<Session | undefined> {
    renewal ??= exclusive(() => renewAlone(stale)).finally(() => {
      renewal = undefined
    })
    return renewal
  }

  async function renewAlone(stale: Session): Promise<Session | undefined> {
    const session = await read()
    if (!session) return session
    if (session.accessToken !== stale.accessToken && ages.isFresh(session)) return session // another was faster, or logged in
    const askedAt = clock.now()
    const grant = await endpoints.refresh(session.refreshToken).catch((error: unknown) => {
      if (error instanceof ClientError && error.code === 'invalid_grant') return undefined
      throw error
    })
    const now = await read()
    // Somebody has logged in or out, or a lock that was lost let another refresh.
    if (now?.id !== session.id || now.accessToken !== session.accessToken) return now
    // The cookie may be that of another login, made by a page that shares no storage with this one.
    const renewed = grant && sessionOf(grant, askedAt, session.id)
    await write(renewed)
    return renewed
  }

  const stop = storage.listen?.(key, () => void read().catch(() => {}))
  // Who is signed in now is told when they no longer are. A storage that fails, fails the calls.
  read().catch(() => {})

  return {
    read,
    current,
    renew,
    login: (credentials) =>
      exclusive(async () => {
        const askedAt = clock.now()
        const grant = await endpoints.login(credentials, await readDeviceSecret())
        const session = sessionOf(grant, askedAt)
        ownId = session.id
        await write(session)
        // It stays when they log out: with it, their next login is no stranger's.
        if (grant.deviceSecret !== undefined) await storage.write(deviceKey, grant.deviceSecret)
      }),
    async logout() {
      const session = await read()
      const hasCookie = endpoints.refreshTokenIn === 'cookie'
      // A cookie may be there though nobody is signed in: a logout that the issuer did not hear of leaves it.
      if (!session && !hasCookie) return
      await write(undefined)
      await exclusive(async () => {
        const now = await read()
        // A refresh may have written in the same moment.
        if (now?.id === session?.id) await write(undefined)
        // Nobody was known to be signed in here, and the cookie is by now that of another login.
        else if (now && (session?.id ?? '') === '') return
        await endpoints.logout(session ?? unknownSession)
      })
    },
    close: () => stop?.(),
  }
}

/** @param id what it was known by so far */
function sessionOf({ accessToken, refreshToken, lifetime }: Grant, askedAt: number, id = ''): Session {
  return { id: sidOf(accessToken) ?? (id || randomId()), accessToken, refreshToken, lifetime, askedAt }
}

function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(36)).join('-')
}
