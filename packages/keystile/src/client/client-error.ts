import type { NextStep } from './next-step.ts'

/** The codes of RFC 6749 §5.2, of logins in steps, and `temporarily_unavailable`. */
const issuerCodes = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_session',
  'unmet_authentication_requirements',
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
 * A login in steps also uses these codes:
 *
 * - `invalid_session`: the login took too long or had too many wrong codes. Log in from the start.
 *   In a step-up: the session has ended, or the password is the one of a different user
 * - `unmet_authentication_requirements`: the API demands a second factor, and the user has none
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
  | (typeof issuerCodes)[number]
  | 'no_cookie_sessions'
  | (typeof accountCodes)[keyof typeof accountCodes]

export interface ClientErrorDetails {
  readonly status?: number | undefined
  readonly retryAfterSeconds?: number | undefined
  readonly fields?: Readonly<Record<string, string>>
  readonly next?: NextStep | undefined
  readonly cause?: unknown
}

/**
 * Thrown if the issuer refuses a request or is unreachable. At a login, `invalid_grant` means a
 * wrong user name, password or code. After `temporarily_unavailable`, the user stays signed in. The
 * error contains no token and no password, and is printed without its `next`, so an app can log it.
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
  // A private field is not printed.
  readonly #next: NextStep | undefined

  constructor(code: ClientErrorCode, message: string, details: ClientErrorDetails = {}) {
    super(message, details)
    this.name = 'ClientError'
    this.code = code
    this.status = details.status
    this.retryAfterSeconds = details.retryAfterSeconds
    this.fields = details.fields ?? {}
    this.#next = details.next
  }

  /**
   * The step with which the person goes on, such as the one to send another code after a wrong one.
   * `undefined` if a login must begin from the start.
   */
  get next(): NextStep | undefined {
    return this.#next
  }
}

/** Returns the same error with a step with which the person goes on. */
export function withNext(error: ClientError, next: NextStep | undefined): ClientError {
  const { code, message, status, retryAfterSeconds, cause } = error
  return new ClientError(code, message, { status, retryAfterSeconds, cause, next })
}

/** Whether an error means that the password, the refresh token or the cookie is not valid. */
export function isInvalidGrant(error: unknown): boolean {
  return isCode(error, 'invalid_grant')
}

/** Whether an error is a `ClientError` with one of these codes. */
export function isCode(error: unknown, ...wanted: readonly ClientErrorCode[]): boolean {
  return error instanceof ClientError && wanted.includes(error.code)
}

/** Whether the `error` of an answer is a code that this client knows. */
export function isErrorCode(value: unknown): value is (typeof issuerCodes)[number] {
  return issuerCodes.some((code) => code === value)
}

export function accountCodeOf(status: number): ClientErrorCode | undefined {
  return (accountCodes as Partial<Record<number, ClientErrorCode>>)[status]
}
