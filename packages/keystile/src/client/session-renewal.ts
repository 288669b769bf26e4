import { ClientError } from './client-error.ts'
import type { Endpoints, IssuedTokens } from './endpoints.ts'
import type { SessionStore } from './session-store.ts'
import { idOf, knownSession, type KnownSession, type StoredSession } from './stored-session.ts'
import type { ClientClock, TokenAge } from './token-age.ts'
import { sidOf } from './token-sid.ts'

interface RenewalOptions {
  readonly store: SessionStore
  readonly endpoints: Endpoints
  readonly clock: ClientClock
  readonly tokenAge: TokenAge
}

/**
 * Refreshes a session whose access token is old or refused, unless another client just did. Returns
 * the session that is stored afterwards, which may be that of another login.
 *
 * @throws {ClientError} while the issuer gives no answer
 */
export type Renew = (stale: StoredSession) => Promise<KnownSession | undefined>

/** Makes `renew`: one refresh at a time in this client, and one client at a time in the lock. */
export function createRenewal({ store, endpoints, clock, tokenAge }: RenewalOptions): Renew {
  /** The refresh that runs now. All calls wait for the same one. */
  let running: Promise<KnownSession | undefined> | undefined

  async function renewAlone(stale: StoredSession): Promise<KnownSession | undefined> {
    const session = await store.read()
    if (!session) return undefined

    const known = knownSession(session)
    const isOther = known?.accessToken !== knownSession(stale)?.accessToken
    if (known && isOther && tokenAge.isFresh(known)) return known // refreshed by another, or a login

    const askedAt = clock.now()
    const tokens = await refresh(endpoints, known?.refreshToken)

    // Meanwhile a login or a logout may have come, or a lost lock let another client refresh.
    const now = await store.read()
    if (!isSame(now, session)) return knownSession(now)

    // The cookie may belong to another login, made by a page that shares no storage with this one.
    const renewed = tokens && sessionOf(tokens, askedAt, idOf(session))
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

/** Returns new tokens, or `undefined` if the issuer says that the session is over. */
async function refresh(
  endpoints: Endpoints,
  refreshToken: string | undefined,
): Promise<IssuedTokens | undefined> {
  try {
    return await endpoints.refresh(refreshToken)
  } catch (error) {
    if (error instanceof ClientError && error.code === 'invalid_grant') return undefined
    throw error
  }
}

/** Whether the storage still holds what it held: the same session with the same access token. */
function isSame(now: StoredSession | undefined, before: StoredSession): boolean {
  if (now === undefined) return false
  const [one, other] = [knownSession(now), knownSession(before)]
  return one?.id === other?.id && one?.accessToken === other?.accessToken
}

/** @param id the id that the session had so far, for an access token without a `sid` */
export function sessionOf(
  { accessToken, refreshToken, lifetime }: IssuedTokens,
  askedAt: number,
  id?: string,
): KnownSession {
  return {
    id: sidOf(accessToken) ?? id ?? randomId(),
    accessToken,
    refreshToken,
    lifetime,
    askedAt,
  }
}

function randomId(): string {
  const words = crypto.getRandomValues(new Uint32Array(4))
  return Array.from(words, (word) => word.toString(36)).join('-')
}
