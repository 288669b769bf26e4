/** The codes of a `TokenError`, each with its status. */
export const tokenStatus = {
  /** No credential was presented: the challenge then carries no `error` (RFC 6750 §3.1). */
  not_authenticated: 401,
  invalid_request: 400,
  invalid_token: 401,
  insufficient_scope: 403,
  /** The person proved who they are too long ago (RFC 9470 §3). */
  insufficient_user_authentication: 401,
  /** The verifier cannot know: 401 would make clients throw good sessions away. */
  temporarily_unavailable: 503,
} as const

export type TokenErrorCode = keyof typeof tokenStatus

/** Which check refused a token, in about the order of the checks. For logs and metrics. */
export type TokenReason =
  /** The request has no credential of a scheme that the guard knows. */
  | 'no_credential'
  /** The `Authorization` field is not `Bearer` and one token. */
  | 'malformed_credential'
  /** The verifier was closed. */
  | 'verifier_closed'
  /** The token has more than 16,384 characters. */
  | 'token_too_long'
  /**
   * The token is no compact JWS, or its header or payload is no JSON object that reads in one way.
   */
  | 'malformed_token'
  /** The header has `crit`, and the library understands no extension. */
  | 'unknown_extension'
  /** The library has no algorithm of the name in `alg`. */
  | 'unknown_algorithm'
  /** The verifier was made for other algorithms than that in `alg`. */
  | 'forbidden_algorithm'
  /** No keys of the issuer were ever loaded. */
  | 'keys_unavailable'
  /** No key of the issuer has this `kid` and `alg`, or a withdrawn key signed the token. */
  | 'unknown_key'
  /** The signature was not made with the key that the header names. */
  | 'wrong_signature'
  /** `typ` is not the expected type of token. */
  | 'wrong_type'
  /** A claim that the library reads has another type than its standard says. */
  | 'malformed_claim'
  /** `iss` is not an expected issuer. */
  | 'wrong_issuer'
  /** `aud` names no expected audience. */
  | 'wrong_audience'
  /** `sub` is not the expected subject. */
  | 'wrong_subject'
  /** A required claim is missing. */
  | 'missing_claim'
  /** `nbf` is in the future. */
  | 'not_yet_valid'
  /** `exp` is past. */
  | 'expired'
  /** News of revocations are missing. */
  | 'revocations_unavailable'
  /** The session, the subject or the client of the token was revoked. */
  | 'revoked'
  /** The person logged in longer ago than `maxAgeSeconds` allows. */
  | 'login_too_old'
  /** The token lacks a scope that the route demands. */
  | 'missing_scope'
  /** The guard's `user` found no user for the token, or one who may not come in. */
  | 'unknown_user'
  /** The app threw a `TokenError` of its own and named no reason. */
  | 'refused_by_app'
  /** Something that the check needs is away, such as the database. */
  | 'service_unavailable'

interface Refused {
  readonly code: TokenErrorCode
  /** The sentence for the caller, who learns no more than RFC 6750 allows. */
  readonly message: string
}

const invalidToken: Refused = { code: 'invalid_token', message: 'Invalid token' }

/** What the caller is told for each reason. */
export const tokenReasons: Readonly<Record<TokenReason, Refused>> = {
  no_credential: { code: 'not_authenticated', message: 'Not authenticated' },
  malformed_credential: {
    code: 'invalid_request',
    message: 'The Authorization header must be "Bearer" and one token',
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
  missing_scope: {
    code: 'insufficient_scope',
    message: 'The token lacks a scope that this needs',
  },
  unknown_user: invalidToken,
  refused_by_app: invalidToken,
  service_unavailable: {
    code: 'temporarily_unavailable',
    message: 'The service is not available at the moment',
  },
}

/** The reason of an error that was made from its code alone. */
const defaultReasons: Readonly<Record<TokenErrorCode, TokenReason>> = {
  not_authenticated: 'no_credential',
  invalid_request: 'malformed_credential',
  invalid_token: 'refused_by_app',
  insufficient_scope: 'missing_scope',
  insufficient_user_authentication: 'login_too_old',
  temporarily_unavailable: 'service_unavailable',
}

/**
 * Returns the reason if it is one of this code, else the code's default. An app without types may
 * pass any text.
 */
export function reasonOfCode(code: TokenErrorCode, reason: TokenReason | undefined): TokenReason {
  if (reason === undefined || !Object.hasOwn(tokenReasons, reason)) return defaultReasons[code]
  return tokenReasons[reason].code === code ? reason : defaultReasons[code]
}
