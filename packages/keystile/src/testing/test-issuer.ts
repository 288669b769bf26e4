import { systemClock } from '../base/clock.ts'
import { randomId } from '../base/random.ts'
import { createRevocationList } from '../guard/revocations.ts'
import { createVerifier, type Verifier } from '../guard/verifier.ts'
import { generateKey } from '../keys/jwk.ts'
import { keySetOf } from '../keys/jwk-set.ts'
import { issueAccessToken } from '../token/access-token.ts'

/** Who a test calls as. */
export interface TestLogin {
  /** Default: `test-user`. */
  readonly subject?: string
  /** Default: none. */
  readonly scopes?: readonly string[]
  /** Default: `first-party`. */
  readonly clientId?: string
  /** Default: a new one for each token. */
  readonly sessionId?: string
  /** When the person proved who they are. Default: now. */
  readonly authenticatedAt?: Date
  /** Seconds. Default: 600. */
  readonly expiresInSeconds?: number
}

/**
 * An issuer for tests: its tokens are real ones, and so is the verifier that checks them. Nothing
 * is sent anywhere.
 */
export interface TestIssuer {
  readonly issuer: string
  readonly audience: string
  /** For `createGuard` of any framework. */
  readonly verifier: Verifier
  /** An access token, as a Keystile server issues it. */
  token(login?: TestLogin): string
  /** The header that presents such a token. */
  headers(login?: TestLogin): { readonly authorization: string }
  /** Ends a session: its tokens are refused from now on. */
  revoke(sessionId: string): void
  /** Moves the clock of issuer and verifier on; it goes on running from there. */
  advance(seconds: number): void
}

/** Makes an issuer with a key of its own: no other issuer's tokens pass its verifier. */
export function createTestIssuer(
  options: { readonly issuer?: string; readonly audience?: string } = {},
): TestIssuer {
  const { issuer = 'https://test-issuer.example', audience = issuer } = options
  const key = generateKey('ES256')
  const ended = createRevocationList()
  let offset = 0
  const clock = { now: () => systemClock.now() + offset }
  const verifier = createVerifier({
    issuer,
    audience,
    keys: keySetOf([key]),
    revocations: { state: 'current', isRevoked: ended.isRevoked, refresh: async () => {} },
    clock,
  })
  const token = ({
    subject = 'test-user',
    scopes = [],
    clientId = 'first-party',
    sessionId = randomId(),
    authenticatedAt = new Date(clock.now()),
    expiresInSeconds = 600,
  }: TestLogin = {}): string =>
    issueAccessToken(
      {
        issuer,
        audience,
        subject,
        clientId,
        sessionId,
        scopes,
        authenticatedAt: authenticatedAt.getTime(),
      },
      key,
      expiresInSeconds,
      clock,
    )
  return {
    issuer,
    audience,
    verifier,
    token,
    headers: (login) => ({ authorization: `Bearer ${token(login)}` }),
    revoke: (value) => ended.add({ kind: 'session', value, expiresAt: Number.POSITIVE_INFINITY }),
    advance(seconds) {
      if (!Number.isFinite(seconds)) throw new TypeError('advance takes seconds')
      offset += seconds * 1000
    },
  }
}
