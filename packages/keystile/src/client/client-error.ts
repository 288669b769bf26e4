const codes = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'temporarily_unavailable',
] as const

/** The codes of RFC 6749 §5.2. `temporarily_unavailable` stands for all failures worth a retry. */
export type ClientErrorCode = (typeof codes)[number]

export interface ClientErrorDetails {
  readonly status?: number | undefined
  readonly retryAfterSeconds?: number | undefined
  readonly cause?: unknown
}

/**
 * The issuer refuses or is unreachable. At a login, `invalid_grant` is a wrong user name or
 * password. After `temporarily_unavailable` the user stays signed in. Holds no token and no
 * password.
 */
export class ClientError extends Error {
  readonly code: ClientErrorCode
  /** The status of the answer, if there was one. */
  readonly status: number | undefined
  /** `Retry-After`: whole seconds until a retry makes sense. */
  readonly retryAfterSeconds: number | undefined

  constructor(code: ClientErrorCode, message: string, details: ClientErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.name = 'ClientError'
    this.code = code
    this.status = details.status
    this.retryAfterSeconds = details.retryAfterSeconds
  }
}

export function isErrorCode(value: unknown): value is ClientErrorCode {
  return codes.some((code) => code === value)
}
