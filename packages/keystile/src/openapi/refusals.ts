// The refusals of guards, as responses of an OpenAPI operation.
import { asJsonObject, isJsonObject, type JsonObject } from '../base/json.ts'
import type { Demand } from '../guard/demand.ts'
import { problemSchema } from '../http/problem.ts'

/** The schema of refusals. If a document has no schema of this name, `secure()` adds this one. */
export const refusalSchemas: JsonObject = { KeystileProblem: problemSchema }

const challenge = { 'WWW-Authenticate': { description: 'RFC 6750 §3', schema: { type: 'string' } } }
const retryAfter = { 'Retry-After': { description: 'Whole seconds', schema: { type: 'string' } } }
const content = {
  'application/problem+json': { schema: { $ref: '#/components/schemas/KeystileProblem' } },
}

/** Adds the refusals of guards to the responses of an operation. The app's own responses stay. */
export function refusalsOf(demands: readonly Demand[], responses: JsonObject): JsonObject {
  const scopes = demands.flatMap(({ alternatives }) =>
    alternatives.some((one) => one.length === 0) ? [] : alternatives,
  )
  const isRecent = demands.some(({ maxAgeSeconds }) => maxAgeSeconds !== undefined)
  const isOptional = demands.every(({ optional }) => optional)
  const unauthorized = [
    isOptional ? 'An invalid token' : 'No token, or an invalid token',
    ...(isRecent ? ['or a login that is too old'] : []),
  ].join(', ')

  const texts: Readonly<Record<number, string | false>> = {
    400: 'The Authorization header is malformed',
    401: unauthorized,
    403: scopes.length > 0 && `The token lacks ${scopes.map((one) => one.join(' ')).join(', or ')}`,
    503: 'Tokens cannot be checked at the moment',
  }
  const refusals = Object.entries(texts).flatMap(([status, description]) =>
    description === false
      ? []
      : [[status, refusalOf(status, description, responses[status])] as const],
  )

  return { ...responses, ...Object.fromEntries(refusals) }
}

/**
 * Returns the response object for a refusal with this status. If the document already has a
 * response for the status (`own`), the members of `own` replace the default members.
 */
function refusalOf(status: string, description: string, own: unknown): unknown {
  if (isJsonObject(own) && '$ref' in own) return own
  const { headers, content: ownContent, ...rest } = asJsonObject(own)
  return {
    description,
    ...rest,
    headers: { ...(status === '503' ? retryAfter : challenge), ...asJsonObject(headers) },
    content: { ...content, ...asJsonObject(ownContent) },
  }
}
