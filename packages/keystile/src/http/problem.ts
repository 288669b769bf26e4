// Turns refusals into answers.
import { ProblemError, type TokenError } from '../base/errors.ts'
import { bearerChallenge } from './challenge.ts'
import type { HttpAnswer } from './message.ts'

/** The title of each status (RFC 9110 §15). */
const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

/** The JSON Schema of the members that every body of `problemAnswer` has. */
export const problemSchema = {
  type: 'object',
  description: 'RFC 9457',
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What was wrong and what is expected' },
  },
  required: ['type', 'title', 'status', 'detail'],
} as const

/** Makes the answer to a refusal, as `application/problem+json` (RFC 9457 §3). */
export function problemAnswer(
  error: ProblemError | TokenError,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  const problem = {
    type: 'about:blank',
    title: titles[error.status],
    status: error.status,
    detail: error.message,
    ...(hasOwnCode(error) && { code: error.code }),
    ...(error instanceof ProblemError && error.errors && { errors: error.errors }),
  }

  return {
    status: error.status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(error.retryAfterSeconds !== undefined && {
        'retry-after': String(error.retryAfterSeconds),
      }),
      ...headers,
    },
    body: JSON.stringify(problem),
  }
}

/**
 * Whether a refusal has a code that no standard defines. A Bearer challenge cannot contain such a
 * code, so the body contains it.
 */
function hasOwnCode({ code }: ProblemError | TokenError): boolean {
  return code === 'email_not_verified'
}

/**
 * Makes the answer of a guard that refuses a request. A 503 and `email_not_verified` have no
 * `WWW-Authenticate` header, because another credential would not help (RFC 6750 §3).
 *
 * @param realm the issuer
 * @param metadataUrl the URL of the metadata of this API, if the API publishes it
 */
export function tokenRefusalAnswer(
  error: TokenError,
  realm: string,
  metadataUrl?: string,
): HttpAnswer {
  if (error.status === 503 || hasOwnCode(error)) return problemAnswer(error)
  return problemAnswer(error, { 'www-authenticate': bearerChallenge(error, realm, metadataUrl) })
}
