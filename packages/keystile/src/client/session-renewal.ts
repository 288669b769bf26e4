import { isInvalidGrant } from './client-error.ts'
import type { Endpoints, IssuedTokens } from './endpoints.ts'
import type { SessionStore } from './session-store.ts'
import { knownSession, sessionOf, type KnownSession, type StoredSession } from './stored-session.ts'
import type { ClientClock, TokenAge } from './token-age.ts'

interface RenewalOptions {
  readonly store: SessionStore
  readonly endpoints: Endpoints
  readonly clock: ClientClock
  readonly tokenAge: TokenAge
}

/**
 * Refreshes a session whose access token is old or was refused, unless a different client has just
 * refreshed the session. Returns the session that is stored afterwards. The returned session may
 * belong to a different login, so the caller must compare the ids.
 *
 * @throws {ClientError} if the issuer does not answer
 */
export type Renew = (stale: StoredSession) => Promise<KnownSession | undefined>

/**
 * Creates `renew()`. In one client, calls at the same time share one refresh. The lock makes
 * several clients refresh one after the other, because each refresh replaces the refresh token.
 */
export function createRenewal({ store, endpoints, clock, tokenAge }: RenewalOptions): Renew {
  let running: Promise<KnownSession | undefined> | undefined

  async function renewAlone(stale: StoredSession): Promise<KnownSession | undefined> {
    const session = await store.read()
    if (!session) return undefined

    const known = knownSession(session)
    const isOther = known?.accessToken !== knownSession(stale)?.accessToken
    // Another client has refreshed the session, or there was a login.
    if (known && isOther && tokenAge.isFresh(known)) return known

    const askedAt = clock.now()
    const tokens = await refresh(endpoints, known?.refreshToken)

    // Does not overwrite a session that has changed meanwhile. A login or a logout may have changed
    // it, or another client if this client has lost the lock.
    const now = await store.read()
    if (!isSame(now, session)) return knownSession(now)

    // The tokens may belong to another login, if a page with another storage has changed the
    // cookie.
    const renewed = tokens && sessionOf(tokens, askedAt, known)
    await store.write(renewed)
    return renewed
  }

  return (stale) => {
    running ??= store
      .exclusive(() => renewAlone(stale))
      .finally(() => {
        running = undefined
      })
    return running
  }
}

/**
 * Returns new tokens; `undefined` if the issuer says that the session has ended.
 *
 * @throws {ClientError} for any other failure, because the user must stay signed in
 */
async function refresh(
  endpoints: Endpoints,
  refreshToken: string | undefined,
): Promise<IssuedTokens | undefined> {
  try {
    return await endpoints.refresh(refreshToken)
  } catch (error) {
    if (isInvalidGrant(error)) return undefined
    throw error
  }
}

/** Whether the storage still contains the same session with the same access token. */
function isSame(now: StoredSession | undefined, before: StoredSession): boolean {
  if (now === undefined) return false
  return knownSession(now)?.accessToken === knownSession(before)?.accessToken
}
