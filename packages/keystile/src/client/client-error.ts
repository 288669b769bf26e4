/** The codes of RFC 6749 §5.2 and `temporarily_unavailable`. */
const codes = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'temporarily_unavailable',
] as const

/**
 * Why a request to the issuer failed. `temporarily_unavailable` stands for every failure that a
 * retry may solve. `no_cookie_sessions` means that the client has `storage: 'cookie'` and the
 * issuer has no cookie sessions.
 */
export type ClientErrorCode = (typeof codes)[number] | 'no_cookie_sessions'

/** Further facts about a failed request to the issuer. */
export interface ClientErrorDetails {
  readonly status?: number | undefined
  readonly retryAfterSeconds?: number | undefined
  readonly cause?: unknown
}

/**
 * Thrown if the issuer refuses a request or is unreachable. At a login, `invalid_grant` means a
 * wrong user name or password. After `temporarily_unavailable`, the user stays signed in. The error
 * contains no token and no password, so an app can log it.
 */
export class ClientError extends Error {
  readonly code: ClientErrorCode
  /** The HTTP status of the answer; `undefined` if there was no answer. */
  readonly status: number | undefined
  /** The `Retry-After` of the answer: the number of seconds to wait before a retry. */
  readonly retryAfterSeconds: number | undefined

  constructor(code: ClientErrorCode, message: string, details: ClientErrorDetails = {}) {
    super(message, details)
    this.name = 'ClientError'
    this.code = code
    this.status = details.status
    this.retryAfterSeconds = details.retryAfterSeconds
  }
}

/** Whether an error means that the password, the refresh token or the cookie is not valid. */
export function isInvalidGrant(error: unknown): boolean {
  // Stryker disable next-line ConditionalExpression: narrows the type
  return error instanceof ClientError && error.code === 'invalid_grant'
}

/** Whether a value is one of the codes that an issuer sends. */
export function isErrorCode(value: unknown): value is (typeof codes)[number] {
  return codes.some((code) => code === value)
}
