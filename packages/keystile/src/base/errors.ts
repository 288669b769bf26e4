/** What every refusal carries beside its message. Neither member ever reaches the caller. */
export interface RefusalDetails {
  /** Why, for the log: may name a rule, never a secret. */
  readonly reason?: string
  readonly cause?: unknown
  /** Whole seconds after which a new try makes sense: the `Retry-After` of a 503 or 429. */
  readonly retryAfterSeconds?: number
}

abstract class Refusal<Code extends string> extends Error {
  readonly code: Code
  readonly status: number
  readonly reason: string | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(code: Code, status: number, message: string, details: RefusalDetails) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.status = status
    this.reason = details.reason
    this.retryAfterSeconds = details.retryAfterSeconds
  }
}

const tokenStatus = {
  /** No credential was presented: the challenge then carries no `error` (RFC 6750 §3.1). */
  not_authenticated: 401,
  invalid_request: 400,
  invalid_token: 401,
  insufficient_scope: 403,
  /** The person proved who they are too long ago (RFC 9470 §3). */
  insufficient_user_authentication: 401,
  /** The verifier cannot know yet, or no longer: 401 would make clients throw good sessions away. */
  temporarily_unavailable: 503,
} as const

export type TokenErrorCode = keyof typeof tokenStatus

/** What a route demands and a token lacks, for the challenge. */
export interface TokenShortfall {
  readonly scopes?: readonly string[]
  readonly maxAgeSeconds?: number
}

/** A guard refuses, or a token does not verify. Answered as an RFC 6750 §3 challenge. */
export class TokenError extends Refusal<TokenErrorCode> {
  readonly shortfall: TokenShortfall

  constructor(code: TokenErrorCode, message: string, details: RefusalDetails & TokenShortfall = {}) {
    super(code, tokenStatus[code], message, details)
    this.name = 'TokenError'
    const { scopes, maxAgeSeconds } = details
    this.shortfall = { ...(scopes && { scopes }), ...(maxAgeSeconds !== undefined && { maxAgeSeconds }) }
  }
}

const oauthStatus = {
  invalid_request: 400,
  invalid_client: 401,
  invalid_grant: 400,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  /** There are tokens that cannot be taken back (RFC 7009 §2.2.1). */
  unsupported_token_type: 400,
  invalid_scope: 400,
  temporarily_unavailable: 503,
} as const

export type OAuthErrorCode = keyof typeof oauthStatus

/** An OAuth endpoint refuses (RFC 6749 §5.2). */
export class OAuthError extends Refusal<OAuthErrorCode> {
  constructor(code: OAuthErrorCode, message: string, details: RefusalDetails = {}) {
    super(code, oauthStatus[code], message, details)
    this.name = 'OAuthError'
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

/** One fault of a request body: where it is, what was expected. Never the value that was sent. */
export interface FieldError {
  readonly loc: readonly (string | number)[]
  readonly msg: string
  readonly type: string
}

/** The account or management API refuses (RFC 9457). */
export class ProblemError extends Refusal<ProblemCode> {
  readonly errors: readonly FieldError[] | undefined

  constructor(
    code: ProblemCode,
    message: string,
    details: RefusalDetails & { readonly errors?: readonly FieldError[] } = {},
  ) {
    super(code, problemStatus[code], message, details)
    this.name = 'ProblemError'
    this.errors = details.errors
  }
}
