import { systemClock } from '../base/clock.ts'
import { randomId } from '../base/random.ts'
import { createRevocationList } from '../guard/revocations.ts'
import { createVerifier, type Verifier } from '../guard/verifier.ts'
import { generateKey } from '../keys/generate-key.ts'
import { keySetOf } from '../keys/jwk-set.ts'
import { issueAccessToken } from '../token/access-token.ts'

export interface TestLogin {
  /** Default: `test-user`. */
  readonly subject?: string
  /** Default: none. */
  readonly scopes?: readonly string[]
  /** Default: `first-party`. */
  readonly clientId?: string
  /** Default: a new session for each token. */
  readonly sessionId?: string
  /** When the person logged in. Default: now. */
  readonly authenticatedAt?: Date
  /** How strong the login was: `mfa` or `pwd`. Default: none, which counts as `pwd`. */
  readonly acr?: string
  /** The methods of the login, such as `['pwd', 'otp', 'mfa']`. Default: none. */
  readonly amr?: readonly string[]
  /** Seconds until the token expires. Default: 600. */
  readonly expiresInSeconds?: number
}

/** An issuer for tests, with real tokens and a real verifier. It sends nothing over the network. */
export interface TestIssuer {
  readonly issuer: string
  readonly audience: string
  /** Verifies the tokens of this issuer. Pass it to `createGuard` of any framework. */
  readonly verifier: Verifier
  /** Returns an access token like those of a Keystile server. */
  token(login?: TestLogin): string
  headers(login?: TestLogin): { readonly authorization: string }
  revoke(sessionId: string): void
  /** Advances the clock of the issuer and the verifier. The clock keeps running. */
  advance(seconds: number): void
}

/** Makes an issuer with a new key. Its verifier refuses the tokens of all other issuers. */
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
    acr,
    amr,
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
        ...(acr !== undefined && { acr }),
        ...(amr && { amr }),
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
      if (!Number.isFinite(seconds))
        throw new TypeError('the argument of advance() must be a number of seconds')
      offset += seconds * 1000
    },
  }
}
