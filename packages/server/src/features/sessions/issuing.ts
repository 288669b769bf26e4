import { issueAccessToken, type Clock } from 'keystile/internal'
import type { SigningKey } from 'keystile/jwt'
import type { Lifetimes } from './lifetimes.ts'

/**
 * What a session's tokens say about where they come from, how they are signed, and how long they
 * live.
 */
export interface Issuing extends Lifetimes {
  readonly issuer: string
  readonly audience: string
  /**
   * Whether its subjects are our own accounts, each of which may be disabled or deleted as a
   * session starts.
   */
  readonly hasAccounts: boolean
  signingKey(): SigningKey
}

/** What a grant gives. */
export interface IssuedTokens {
  readonly accessToken: string
  /** Life of the access token. */
  readonly expiresInSeconds: number
  /** None for a client that may not refresh. */
  readonly refreshToken?: string | undefined
  readonly scopes: readonly string[]
}

export interface IssuedFor {
  readonly subject: string
  readonly clientId: string
  readonly sessionId?: string
  /** When the person proved who they are: the login, whatever was refreshed since. */
  readonly authenticatedAt?: number
  readonly scopes: readonly string[]
}

/** Signs at the time that was written down, however long the commit took. */
export function signAccessToken(
  content: IssuedFor,
  expiresInSeconds: number,
  { issuing, now }: { readonly issuing: Issuing; readonly now: number },
): string {
  const { issuer, audience } = issuing
  return issueAccessToken(
    { ...content, issuer, audience },
    issuing.signingKey(),
    expiresInSeconds,
    { now: () => now },
  )
}

/**
 * Issues tokens to clients that act for themselves: nobody logged in, so there is no session, and
 * nothing is written.
 */
export type ClientTokenIssuer = (clientId: string, scopes: readonly string[]) => IssuedTokens

export function createClientTokenIssuer(issuing: Issuing, clock: Clock): ClientTokenIssuer {
  const expiresInSeconds = issuing.accessTokenSeconds
  return (clientId, scopes) => {
    const content = { subject: clientId, clientId, scopes }
    const accessToken = signAccessToken(content, expiresInSeconds, { issuing, now: clock.now() })
    return { accessToken, expiresInSeconds, scopes }
  }
}
