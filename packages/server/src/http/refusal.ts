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

/**
 * The answer to whatever a route threw: a refusal in the words that its kind of endpoint has, or `undefined` for a bug,
 * of which the caller learns nothing.
 *
 * @param realm the issuer
 */
export function refusalAnswer(error: unknown, refusals: OpenRoute['refusals'], realm: string): HttpAnswer | undefined {
  if (error instanceof TokenError) return tokenRefusalAnswer(error, realm)
  const refusal =
    error instanceof DatabaseUnavailableError
      ? new ProblemError('temporarily_unavailable', 'The service is not available at the moment', {
          cause: error,
          retryAfterSeconds: 1,
        })
      : error
  if (refusal instanceof OAuthError) return oauthAnswer(refusal.code, refusal, realm)
  if (!(refusal instanceof ProblemError)) return undefined
  if (refusals === 'problem') return problemAnswer(refusal)
  return oauthAnswer(oauthCodeOf(refusal.status), refusal, realm)
}

/** Why a request was refused, for the log: what the caller is not told. */
export function describeRefusal(error: unknown): { readonly reason?: string; readonly detail?: string } {
  const isRefusal = error instanceof TokenError || error instanceof OAuthError || error instanceof ProblemError
  if (!isRefusal) return {}
  const { reason, detail } = error
  return { ...(reason !== undefined && { reason }), ...(detail !== undefined && { detail }) }
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
      ...(error.retryAfterSeconds !== undefined && { 'retry-after': String(error.retryAfterSeconds) }),
      // Said to every client that failed: it may have tried Basic, and is welcome to.
      ...(code === 'invalid_client' && { 'www-authenticate': `Basic realm="${realm}"` }),
    },
  )
}
