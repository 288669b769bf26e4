// Why a token is refused: a code for the caller, with its HTTP status, and a finer reason for logs.

/** The HTTP status of each code. A code without a comment is one of RFC 6750 §3.1. */
export const tokenStatus = {
  /**
   * The request has no credential. In this case, the `WWW-Authenticate` header of the answer has no
   * `error` (RFC 6750 §3.1).
   */
  not_authenticated: 401,
  invalid_request: 400,
  invalid_token: 401,
  insufficient_scope: 403,
  /** The user's e-mail address is not verified. No RFC defines this code; Keystile does. */
  email_not_verified: 403,
  /** The user's last login was too long ago or too weak (RFC 9470 §3). */
  insufficient_user_authentication: 401,
  /** The token could not be checked. A 401 would be wrong: clients would delete valid sessions. */
  temporarily_unavailable: 503,
} as const

export type TokenErrorCode = keyof typeof tokenStatus

/** Which check refused a token, roughly in the order of the checks. For logs and metrics. */
export type TokenReason =
  /**
   * The request has no credential, or has a credential of a scheme that the guard does not know.
   */
  | 'no_credential'
  /** The `Authorization` header is not `Bearer` followed by one token. */
  | 'malformed_credential'
  | 'verifier_closed'
  /** The token has more than 16,384 characters. */
  | 'token_too_long'
  /** The token is not a compact JWS, or `parseJsonObject` refuses its header or payload. */
  | 'malformed_token'
  /** The `crit` of the header demands an extension. The library supports no extension. */
  | 'unknown_extension'
  | 'unknown_algorithm'
  | 'forbidden_algorithm'
  | 'keys_unavailable'
  /** The issuer has no key with the `kid` and `alg` of the token, or has withdrawn the key. */
  | 'unknown_key'
  | 'wrong_signature'
  /** The token is not an access token: its `typ` or a claim shows another type. */
  | 'wrong_type'
  /** A claim that the library reads does not have the type that its standard requires. */
  | 'malformed_claim'
  | 'wrong_issuer'
  | 'wrong_audience'
  | 'wrong_subject'
  /** The client of the token is not one of the `clients` of the verifier. */
  | 'wrong_client'
  | 'missing_claim'
  | 'not_yet_valid'
  | 'expired'
  | 'revocations_unavailable'
  /** The session, the subject, the client or the signing key of the token was revoked. */
  | 'revoked'
  /** The user logged in longer ago than `maxAgeSeconds` allows. */
  | 'login_too_old'
  /** The `acr` of the token is not one that the guard accepts. */
  | 'login_too_weak'
  | 'missing_scope'
  /** The function `user` of the guard found no user for the token, or refused the user. */
  | 'unknown_user'
  | 'email_not_verified'
  /** The app threw its own `TokenError` without a reason. */
  | 'refused_by_app'
  | 'service_unavailable'

interface Refused {
  readonly code: TokenErrorCode
  /** The sentence for the caller. It says no more than RFC 6750 allows. */
  readonly message: string
}

const invalidToken: Refused = { code: 'invalid_token', message: 'Invalid token' }

export const tokenReasons: Readonly<Record<TokenReason, Refused>> = {
  no_credential: { code: 'not_authenticated', message: 'Not authenticated' },
  malformed_credential: {
    code: 'invalid_request',
    message: 'The Authorization header must be Bearer and one token',
  },
  verifier_closed: {
    code: 'temporarily_unavailable',
    message: 'Tokens cannot be checked any more',
  },
  token_too_long: invalidToken,
  malformed_token: invalidToken,
  unknown_extension: invalidToken,
  unknown_algorithm: invalidToken,
  forbidden_algorithm: invalidToken,
  keys_unavailable: {
    code: 'temporarily_unavailable',
    message: 'Tokens cannot be checked at the moment',
  },
  unknown_key: invalidToken,
  wrong_signature: invalidToken,
  wrong_type: invalidToken,
  malformed_claim: invalidToken,
  wrong_issuer: invalidToken,
  wrong_audience: invalidToken,
  wrong_subject: invalidToken,
  wrong_client: invalidToken,
  missing_claim: invalidToken,
  not_yet_valid: invalidToken,
  expired: { code: 'invalid_token', message: 'Token has expired' },
  revocations_unavailable: {
    code: 'temporarily_unavailable',
    message: 'Revocations cannot be checked at the moment',
  },
  revoked: { code: 'invalid_token', message: 'Token has been revoked' },
  login_too_old: {
    code: 'insufficient_user_authentication',
    message: 'A more recent login is needed',
  },
  login_too_weak: {
    code: 'insufficient_user_authentication',
    message: 'A stronger login is needed',
  },
  missing_scope: {
    code: 'insufficient_scope',
    message: 'The token lacks a required scope',
  },
  unknown_user: invalidToken,
  email_not_verified: {
    code: 'email_not_verified',
    message: 'A verified e-mail address is needed',
  },
  refused_by_app: invalidToken,
  service_unavailable: {
    code: 'temporarily_unavailable',
    message: 'The service is not available at the moment',
  },
}

const defaultReasons: Readonly<Record<TokenErrorCode, TokenReason>> = {
  not_authenticated: 'no_credential',
  invalid_request: 'malformed_credential',
  invalid_token: 'refused_by_app',
  insufficient_scope: 'missing_scope',
  email_not_verified: 'email_not_verified',
  insufficient_user_authentication: 'login_too_old',
  temporarily_unavailable: 'service_unavailable',
}

/**
 * Returns the reason if it belongs to this code, otherwise the default reason of the code. An app
 * without type checks can pass any text, so the text is checked here.
 */
export function reasonOfCode(code: TokenErrorCode, reason: TokenReason | undefined): TokenReason {
  return reason && tokenReasons[reason]?.code === code ? reason : defaultReasons[code]
}
