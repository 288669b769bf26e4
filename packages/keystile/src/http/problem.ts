import { ProblemError, type TokenError } from '../base/errors.ts'
import { bearerChallenge } from './challenge.ts'
import type { HttpAnswer } from './message.ts'

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

/** What `problemAnswer` says, as JSON Schema. */
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

/** The answer to a refusal: `application/problem+json` with `detail` a string (RFC 9457). */
export function problemAnswer(
  error: ProblemError | TokenError,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  const problem = {
    type: 'about:blank',
    title: titles[error.status],
    status: error.status,
    detail: error.message,
    // Stryker disable next-line ConditionalExpression,LogicalOperator: JSON leaves out undefined
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
 * The answer of a guard that refuses: the problem, and the challenge where the caller could do
 * better (RFC 6750 §3).
 */
export function tokenRefusalAnswer(error: TokenError, realm: string): HttpAnswer {
  return problemAnswer(
    error,
    error.status === 503 ? {} : { 'www-authenticate': bearerChallenge(error, realm) },
  )
}
