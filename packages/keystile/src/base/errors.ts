// The errors that become HTTP answers: of guards, of OAuth endpoints, and of all other endpoints.
// Any other error is a bug, which becomes a 500.
import {
  reasonOfCode,
  tokenReasons,
  tokenStatus,
  type TokenErrorCode,
  type TokenReason,
} from './token-reasons.ts'

/** The details of a refusal, for logs. The caller sees only `retryAfterSeconds`. */
export interface RefusalDetails<Reason extends string> {
  readonly reason?: Reason
  /**
   * An explanation for people who read the log. Code must not depend on this text. The text may say
   * which rule was broken, but it never contains a secret.
   */
  readonly detail?: string | undefined
  readonly cause?: unknown
  /**
   * How many whole seconds the caller should wait before a retry. The answer, a 503 or 429,
   * contains this number in its `Retry-After` header.
   */
  readonly retryAfterSeconds?: number
}

abstract class Refusal<Code extends string> extends Error {
  readonly code: Code
  readonly status: number
  readonly detail: string | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(code: Code, status: number, message: string, details: RefusalDetails<string>) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.status = status
    this.detail = details.detail
    this.retryAfterSeconds = details.retryAfterSeconds
  }
}

/**
 * What the route demands but the token does not have. The guard's answer says so in the
 * `WWW-Authenticate` header.
 */
export interface TokenShortfall {
  readonly scopes?: readonly string[]
  readonly maxAgeSeconds?: number | undefined
  readonly acrValues?: readonly string[] | undefined
}

/**
 * Thrown when a guard refuses a request or a token does not verify (RFC 6750 §3). A name after
 * `@throws {TokenError}` is its `code`, unless the text calls it a reason.
 */
export class TokenError extends Refusal<TokenErrorCode> {
  readonly reason: TokenReason
  readonly shortfall: TokenShortfall

  /**
   * @param details If `details.reason` belongs to a different code, the error gets the default
   *   reason of `code` instead
   */
  constructor(
    code: TokenErrorCode,
    message: string,
    details: RefusalDetails<TokenReason> & TokenShortfall = {},
  ) {
    super(code, tokenStatus[code], message, details)
    this.name = 'TokenError'
    this.reason = reasonOfCode(code, details.reason)

    const { scopes, maxAgeSeconds, acrValues } = details
    this.shortfall = {
      ...(scopes && { scopes }),
      ...(maxAgeSeconds !== undefined && { maxAgeSeconds }),
      ...(acrValues && { acrValues }),
    }
  }
}

/** Makes the error for a failed check. `reason` determines the error's code and message. */
export function tokenError(
  reason: TokenReason,
  details: Omit<RefusalDetails<TokenReason>, 'reason'> & TokenShortfall = {},
): TokenError {
  const { code, message } = tokenReasons[reason]
  return new TokenError(code, message, { ...details, reason })
}

const oauthStatus = {
  invalid_request: 400,
  invalid_client: 401,
  invalid_grant: 400,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  /** The server cannot revoke tokens of this type (RFC 7009 §2.2.1). */
  unsupported_token_type: 400,
  invalid_scope: 400,
  /** The login needs another step (OAuth for first-party applications, draft 04 §5.2.2.1). */
  insufficient_authorization: 403,
  /** The attempt that `auth_session` names is over (draft 04 §5.2.2.1). */
  invalid_session: 400,
  /** The account cannot meet what `acr_values` demands (RFC 9470 §5). */
  unmet_authentication_requirements: 400,
  temporarily_unavailable: 503,
} as const

export type OAuthErrorCode = keyof typeof oauthStatus

/**
 * Why an OAuth request was refused, for logs. Several reasons share one message, so the caller
 * cannot tell them apart.
 */
export type OAuthReason =
  | 'unknown_token'
  /** The authorization code does not exist, has expired or is void. */
  | 'unknown_code'
  /** The refresh token or the code was issued to a client other than the sender. */
  | 'wrong_client'
  /** The `code_verifier` does not belong to the code. */
  | 'wrong_verifier'
  /** The code was used before. */
  | 'used_code'
  /** The user of the refresh token or the code does not exist, is disabled, or has changed. */
  | 'unknown_user'
  /** The session ended before this request, or this request ended it. */
  | 'session_over'

/** Thrown when an OAuth endpoint refuses a request (RFC 6749 §5.2). */
export class OAuthError extends Refusal<OAuthErrorCode> {
  readonly reason: OAuthReason | undefined
  /** More members of the answer, such as `auth_session`. */
  readonly members: Readonly<Record<string, unknown>>

  constructor(
    code: OAuthErrorCode,
    message: string,
    details: RefusalDetails<OAuthReason> & {
      readonly members?: Readonly<Record<string, unknown>>
    } = {},
  ) {
    super(code, oauthStatus[code], message, details)
    this.name = 'OAuthError'
    this.reason = details.reason
    this.members = details.members ?? {}
  }
}

const problemStatus = {
  bad_request: 400,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  content_too_large: 413,
  unsupported_media_type: 415,
  unprocessable_content: 422,
  too_many_requests: 429,
  internal_server_error: 500,
  temporarily_unavailable: 503,
} as const

export type ProblemCode = keyof typeof problemStatus

/**
 * A wrong field of a request body: where it is and what it must be. It never contains the value
 * that was sent.
 */
export interface FieldError {
  readonly loc: readonly (string | number)[]
  readonly msg: string
  readonly type: string
}

/** Why an account or management request was refused. For logs; the caller does not see it. */
export type ProblemReason =
  | 'hash_queue_full'
  | 'audit_queue_full'
  | 'server_stopping'
  /** The caller has proved the password, and the account has a second factor. */
  | 'factor_missing'

/** Thrown when the account or management API refuses a request (RFC 9457). */
export class ProblemError extends Refusal<ProblemCode> {
  readonly reason: ProblemReason | undefined
  readonly errors: readonly FieldError[] | undefined

  constructor(
    code: ProblemCode,
    message: string,
    details: RefusalDetails<ProblemReason> & { readonly errors?: readonly FieldError[] } = {},
  ) {
    super(code, problemStatus[code], message, details)
    this.name = 'ProblemError'
    this.reason = details.reason
    this.errors = details.errors
  }
}

/** Returns the message of an error, or the text of any other thrown value. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
