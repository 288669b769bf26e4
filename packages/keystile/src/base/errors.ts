import {
  reasonOfCode,
  tokenReasons,
  tokenStatus,
  type TokenErrorCode,
  type TokenReason,
} from './token-reasons.ts'

/** The details of a refusal. Only `retryAfterSeconds` ever reaches the caller. */
export interface RefusalDetails<Reason extends string> {
  /** Which check refused. */
  readonly reason?: Reason
  /** More for the log: may name a rule, never a secret. No code compares it. */
  readonly detail?: string | undefined
  readonly cause?: unknown
  /** Whole seconds until a retry makes sense: the `Retry-After` of a 503 or 429. */
  readonly retryAfterSeconds?: number
}

/** Returns the message of something that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

abstract class Refusal<Code extends string> extends Error {
  readonly code: Code
  readonly status: number
  /** More about the reason, for the log. */
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

/** What the route demands and the token lacks, for the challenge. */
export interface TokenShortfall {
  readonly scopes?: readonly string[]
  readonly maxAgeSeconds?: number
}

/** A guard refuses, or a token does not verify. Answered as an RFC 6750 §3 challenge. */
export class TokenError extends Refusal<TokenErrorCode> {
  /** Which check refused, for logs and metrics. */
  readonly reason: TokenReason
  readonly shortfall: TokenShortfall

  /**
   * @param details `reason` must be one of this code; without it, the code has a reason of its own
   */
  constructor(
    code: TokenErrorCode,
    message: string,
    details: RefusalDetails<TokenReason> & TokenShortfall = {},
  ) {
    super(code, tokenStatus[code], message, details)
    this.name = 'TokenError'
    this.reason = reasonOfCode(code, details.reason)
    const { scopes, maxAgeSeconds } = details
    this.shortfall = {
      ...(scopes && { scopes }),
      ...(maxAgeSeconds !== undefined && { maxAgeSeconds }),
    }
  }
}

/** Makes the error of a failed check. Its code and its message are those of the reason. */
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
  /** Some tokens cannot be revoked (RFC 7009 §2.2.1). */
  unsupported_token_type: 400,
  invalid_scope: 400,
  temporarily_unavailable: 503,
} as const

export type OAuthErrorCode = keyof typeof oauthStatus

/** Which cause refused an OAuth request. The caller gets one message for several causes. */
export type OAuthReason =
  /** There is no such refresh token. */
  | 'unknown_token'
  /** The refresh token was issued to another client. */
  | 'wrong_client'
  /** The user of the refresh token does not exist or is disabled. */
  | 'unknown_user'
  /** The session has ended, or this use of the refresh token ended it. */
  | 'session_over'

/** An OAuth endpoint refuses (RFC 6749 §5.2). */
export class OAuthError extends Refusal<OAuthErrorCode> {
  readonly reason: OAuthReason | undefined

  constructor(code: OAuthErrorCode, message: string, details: RefusalDetails<OAuthReason> = {}) {
    super(code, oauthStatus[code], message, details)
    this.name = 'OAuthError'
    this.reason = details.reason
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

/** One fault of a request body: its place and what was expected. Never the value that was sent. */
export interface FieldError {
  readonly loc: readonly (string | number)[]
  readonly msg: string
  readonly type: string
}

/** Which cause refused an account or management request. The caller is not told. */
export type ProblemReason =
  /** Too many passwords wait to be hashed. */
  | 'hash_queue_full'
  /** Too many refusals wait to be written into the audit record. */
  | 'audit_queue_full'
  /** The server is stopping. */
  | 'server_stopping'

/** The account or management API refuses (RFC 9457). */
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
