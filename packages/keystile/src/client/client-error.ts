/** The codes of RFC 6749 §5.2, `invalid_session` and `temporarily_unavailable`. */
const codes = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_session',
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
 * A login of a user who has a second factor also uses these codes:
 *
 * - `second_factor_required`: the password is right. Call `login` again with the `authSession` of
 *   the error and a code
 * - `invalid_session`: the login took too long or had too many wrong codes. Log in from the start
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
  | 'second_factor_required'
  | (typeof accountCodes)[keyof typeof accountCodes]

/** A way to prove a second factor: a code of the authenticator app, or a recovery code. */
export type SecondFactor = 'otp' | 'recovery_code'

export interface ClientErrorDetails {
  readonly status?: number | undefined
  readonly retryAfterSeconds?: number | undefined
  readonly fields?: Readonly<Record<string, string>>
  readonly authSession?: string | undefined
  readonly methods?: readonly SecondFactor[]
  readonly cause?: unknown
}

/**
 * Thrown if the issuer refuses a request or is unreachable. At a login, `invalid_grant` means a
 * wrong user name or password, or, if the error has an `authSession`, a wrong code. After
 * `temporarily_unavailable`, the user stays signed in. The error contains no token and no password,
 * and is printed without its `authSession`, so an app can log it.
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
  /** The second factors with which the login can continue. Empty if the error is not about them. */
  readonly methods: readonly SecondFactor[]
  // A private field is not printed.
  readonly #authSession: string | undefined

  constructor(code: ClientErrorCode, message: string, details: ClientErrorDetails = {}) {
    super(message, details)
    this.name = 'ClientError'
    this.code = code
    this.status = details.status
    this.retryAfterSeconds = details.retryAfterSeconds
    this.fields = details.fields ?? {}
    this.methods = details.methods ?? []
    this.#authSession = details.authSession
  }

  /**
   * Names a login whose password was right. Pass it to `login` together with a code. `undefined` if
   * the login cannot continue.
   */
  get authSession(): string | undefined {
    return this.#authSession
  }
}

/** Whether an error means that the password, the refresh token or the cookie is not valid. */
export function isInvalidGrant(error: unknown): boolean {
  return error instanceof ClientError && error.code === 'invalid_grant'
}

export function isErrorCode(value: unknown): value is (typeof codes)[number] {
  return codes.some((code) => code === value)
}

export function isSecondFactor(value: unknown): value is SecondFactor {
  return value === 'otp' || value === 'recovery_code'
}

export function accountCodeOf(status: number): ClientErrorCode | undefined {
  return (accountCodes as Partial<Record<number, ClientErrorCode>>)[status]
}
