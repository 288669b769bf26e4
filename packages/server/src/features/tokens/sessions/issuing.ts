import { issueAccessToken, type Clock } from 'keystile/internal'
import type { SigningKey } from 'keystile/jwt'
import { acrOf } from './amr.ts'
import type { Lifetimes } from './lifetimes.ts'

/** What all tokens of a server have in common: issuer, audience, lifetimes and the signing key. */
export interface Issuing extends Lifetimes {
  readonly issuer: string
  readonly audience: string
  /**
   * Whether subjects are Keystile accounts; false if the app stores the users. A Keystile account
   * may be disabled or deleted while its session starts. So the transaction that starts the session
   * checks the account once more.
   */
  readonly hasAccounts: boolean
  /** Returns the key that signs now. @throws {DatabaseUnavailableError} if the key is not known */
  signingKey(): Promise<SigningKey>
}

export interface IssuedTokens {
  readonly accessToken: string
  readonly expiresInSeconds: number
  /** Undefined if the client is not allowed to refresh. */
  readonly refreshToken?: string | undefined
  readonly scopes: readonly string[]
}

/** The claims of an access token that differ from token to token. */
export interface IssuedFor {
  readonly subject: string
  readonly clientId: string
  /**
   * Undefined in a token for a client that acts for itself, because such a token has no session.
   */
  readonly sessionId?: string
  /** The time of the login, for the claim `auth_time`. A refresh does not change it. */
  readonly authenticatedAt?: number
  /** How the person authenticated, for the claims `amr` and `acr`; undefined if unknown. */
  readonly amr?: readonly string[] | undefined
  readonly scopes: readonly string[]
}

/**
 * Signs an access token with `now` as its issue time. The database stores the expiry of the token,
 * and the caller must compute it from the same `now`. If the token were issued later, it would
 * outlive its stored expiry, and the event that revokes it might be deleted too early.
 */
export async function signAccessToken(
  content: IssuedFor,
  expiresInSeconds: number,
  { issuing, now }: { readonly issuing: Issuing; readonly now: number },
): Promise<string> {
  const { issuer, audience } = issuing
  return issueAccessToken(
    { ...content, acr: content.amr && acrOf(content.amr), issuer, audience },
    await issuing.signingKey(),
    expiresInSeconds,
    { now: () => now },
  )
}

/**
 * Issues an access token to a client that acts for itself. There is no session, and nothing is
 * stored, so a single token cannot be revoked. Does NOT check which scopes the client may have.
 */
export type ClientTokenIssuer = (
  clientId: string,
  scopes: readonly string[],
) => Promise<IssuedTokens>

export function createClientTokenIssuer(issuing: Issuing, clock: Clock): ClientTokenIssuer {
  const expiresInSeconds = issuing.accessTokenSeconds
  return async (clientId, scopes) => {
    const content = { subject: clientId, clientId, scopes }
    const signed = { issuing, now: clock.now() }
    const accessToken = await signAccessToken(content, expiresInSeconds, signed)
    return { accessToken, expiresInSeconds, scopes }
  }
}
