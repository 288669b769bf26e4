import {
  OAuthError,
  ProblemError,
  problemAnswer,
  TokenError,
  tokenRefusalAnswer,
  type HttpAnswer,
} from 'keystile/internal'
import { DatabaseUnavailableError } from '../storage/database.ts'
import { jsonAnswer, type OpenRoute } from './route.ts'

/** An error that says what the caller may know. */
export type Refusal = TokenError | OAuthError | ProblemError

/**
 * The answer to an error that a route threw: a refusal in the format of its endpoint, or undefined
 * for a bug, of which the caller learns nothing.
 *
 * @param realm the issuer
 */
export function findRefusalAnswer(
  error: unknown,
  refusals: OpenRoute['refusals'],
  realm: string,
): HttpAnswer | undefined {
  if (isRefusal(error)) return refusalAnswer(error, refusals, realm)
  if (error instanceof DatabaseUnavailableError)
    return refusalAnswer(unavailable(error), refusals, realm)
  return undefined
}

/** The answer to a refusal, in the format of its endpoint. */
export function refusalAnswer(
  refusal: Refusal,
  refusals: OpenRoute['refusals'],
  realm: string,
): HttpAnswer {
  if (refusal instanceof TokenError) return tokenRefusalAnswer(refusal, realm)
  if (refusal instanceof OAuthError) return oauthAnswer(refusal.code, refusal, realm)
  if (refusals === 'problem') return problemAnswer(refusal)
  return oauthAnswer(oauthCodeOf(refusal.status), refusal, realm)
}

/** Why a request was refused, for the log: what the caller is not told. */
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

/** RFC 6749 §5.2, with `detail` for clients that were written for FastAPI. */
function oauthAnswer(code: string, error: OAuthError | ProblemError, realm: string): HttpAnswer {
  return jsonAnswer(
    error.status,
    { error: code, error_description: error.message, detail: error.message },
    {
      ...(error.retryAfterSeconds !== undefined && {
        'retry-after': String(error.retryAfterSeconds),
      }),
      // Every client that failed gets it: it may have tried Basic, and may always do so.
      ...(code === 'invalid_client' && { 'www-authenticate': `Basic realm="${realm}"` }),
    },
  )
}
