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

/** Maps the HTTP status of a refusal by an account endpoint to the code of the `ClientError`. */
const accountCodes = {
  401: 'not_signed_in',
  403: 'forbidden',
  404: 'not_found',
  409: 'conflict',
  422: 'unprocessable_content',
} as const

/**
 * Why a request to the issuer failed. `temporarily_unavailable` stands for every failure that a
 * retry may solve. `no_cookie_sessions` means that the client has `storage: 'cookie'` and the
 * issuer has no cookie sessions.
 *
 * The methods for accounts also use these codes:
 *
 * - `unprocessable_content`: a value is not acceptable, such as a new password
 * - `conflict`: the user name or the address is taken, or the address is already verified
 * - `forbidden`: the link, the code or the password is wrong, or registration is closed
 * - `not_signed_in`: no user is signed in, or the session has ended
 * - `not_found`: the issuer does not have this endpoint, for example because it sends no mail
 */
export type ClientErrorCode =
  | (typeof codes)[number]
  | 'no_cookie_sessions'
  | (typeof accountCodes)[keyof typeof accountCodes]

export interface ClientErrorDetails {
  readonly status?: number | undefined
  readonly retryAfterSeconds?: number | undefined
  readonly fields?: Readonly<Record<string, string>>
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
  readonly retryAfterSeconds: number | undefined
  /**
   * Maps the name of each wrong value to an English sentence about the fault, such as
   * `{ password: 'The password is wrong' }`. Empty if the error is not about a value.
   */
  readonly fields: Readonly<Record<string, string>>

  constructor(code: ClientErrorCode, message: string, details: ClientErrorDetails = {}) {
    super(message, details)
    this.name = 'ClientError'
    this.code = code
    this.status = details.status
    this.retryAfterSeconds = details.retryAfterSeconds
    this.fields = details.fields ?? {}
  }
}

/** Whether an error means that the password, the refresh token or the cookie is not valid. */
export function isInvalidGrant(error: unknown): boolean {
  return error instanceof ClientError && error.code === 'invalid_grant'
}

export function isErrorCode(value: unknown): value is (typeof codes)[number] {
  return codes.some((code) => code === value)
}

export function accountCodeOf(status: number): ClientErrorCode | undefined {
  return (accountCodes as Partial<Record<number, ClientErrorCode>>)[status]
}
