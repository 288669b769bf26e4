import {
  OAuthError,
  ProblemError,
  problemAnswer,
  TokenError,
  tokenRefusalAnswer,
  type HttpAnswer,
} from 'keystile/internal'
import { DatabaseUnavailableError } from '../storage/database.ts'
import { jsonAnswer } from './answers.ts'
import type { RefusalFormat } from './route.ts'

/** An error whose message the caller may read. */
export type Refusal = TokenError | OAuthError | ProblemError

/**
 * Returns an error that a route threw as a refusal; a database that is not available refuses with
 * 503. Returns undefined if the error is a bug: its message may contain secrets, so it must not
 * reach the caller.
 */
export function findRefusal(error: unknown): Refusal | undefined {
  if (isRefusal(error)) return error
  return error instanceof DatabaseUnavailableError ? unavailable(error) : undefined
}

/**
 * Returns the answer to a refusal. A `TokenError` and an `OAuthError` have their own formats; for a
 * `ProblemError`, `format` decides.
 *
 * @param realm the realm of challenges: the issuer
 */
export function refusalAnswer(refusal: Refusal, format: RefusalFormat, realm: string): HttpAnswer {
  if (refusal instanceof TokenError) return tokenRefusalAnswer(refusal, realm)
  if (refusal instanceof OAuthError) return oauthAnswer(refusal.code, refusal, realm)
  if (format === 'problem') return problemAnswer(refusal)
  return oauthAnswer(oauthCodeOf(refusal.status), refusal, realm)
}

/**
 * Returns the reason of a refusal, for the log. Callers do not get the reason, because it could
 * help attackers.
 */
export function describeRefusal(error: unknown): {
  readonly reason?: string
  readonly detail?: string
} {
  if (!isRefusal(error)) return {}

  const { reason, detail } = error
  return { ...(reason !== undefined && { reason }), ...(detail !== undefined && { detail }) }
}

function isRefusal(error: unknown): error is Refusal {
  return error instanceof TokenError || error instanceof OAuthError || error instanceof ProblemError
}

function unavailable(cause: DatabaseUnavailableError): ProblemError {
  const details = { cause, retryAfterSeconds: 1 }
  return new ProblemError(
    'temporarily_unavailable',
    'The service is not available at the moment',
    details,
  )
}

function oauthCodeOf(status: number): string {
  if (status === 429 || status === 503) return 'temporarily_unavailable'
  return status === 500 ? 'server_error' : 'invalid_request'
}

/**
 * Returns an answer in the format of RFC 6749 §5.2. Its member `detail` is for clients that were
 * written for FastAPI.
 */
function oauthAnswer(code: string, error: OAuthError | ProblemError, realm: string): HttpAnswer {
  return jsonAnswer(
    error.status,
    {
      error: code,
      error_description: error.message,
      detail: error.message,
      ...(error instanceof OAuthError && error.members),
    },
    {
      ...(error.retryAfterSeconds !== undefined && {
        'retry-after': String(error.retryAfterSeconds),
      }),
      // RFC 6749 §5.2 requires this header if the client used Basic. Other clients get it too,
      // because they may use Basic as well.
      ...(code === 'invalid_client' && { 'www-authenticate': `Basic realm="${realm}"` }),
    },
  )
}
