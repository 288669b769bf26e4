// The refusals of guards, as responses of an OpenAPI operation.
import { asJsonObject, isJsonObject, type JsonObject } from '../base/json.ts'
import type { Demand } from '../guard/demand.ts'
import { problemSchema } from '../http/problem.ts'

const code = {
  type: 'string',
  description: '`email_not_verified`; other refusals have their code in `WWW-Authenticate`',
} as const

/**
 * The schema of refusals. `secure()` adds this schema to a document that has no schema
 * `KeystileProblem` yet.
 */
export const refusalSchemas: JsonObject = {
  KeystileProblem: { ...problemSchema, properties: { ...problemSchema.properties, code } },
}

const challenge = { 'WWW-Authenticate': { description: 'RFC 6750 §3', schema: { type: 'string' } } }
const retryAfter = { 'Retry-After': { description: 'Whole seconds', schema: { type: 'string' } } }
const content = {
  'application/problem+json': { schema: { $ref: '#/components/schemas/KeystileProblem' } },
}

/** Adds the refusals of guards to the responses of an operation. The app's own responses stay. */
export function refusalsOf(demands: readonly Demand[], responses: JsonObject): JsonObject {
  const lacking = describeLackingScopes(demands)
  const unverified = demands.some(({ verified }) => verified)
    ? 'The e-mail address of the user is not verified'
    : undefined
  const forbidden = [lacking, unverified].filter((one) => one !== undefined).join('. ')

  const refusals: Readonly<Record<number, JsonObject>> = {
    400: { description: 'The Authorization header is malformed', headers: challenge },
    401: { description: describeUnauthorized(demands), headers: challenge },
    ...(forbidden !== '' && {
      // Only a lack of scopes has a challenge.
      403: { description: forbidden, headers: lacking === undefined ? {} : challenge },
    }),
    503: { description: 'Tokens cannot be checked at the moment', headers: retryAfter },
  }
  return {
    ...responses,
    ...Object.fromEntries(
      Object.entries(refusals).map(([status, refusal]) => [
        status,
        mergeResponses(refusal, responses[status]),
      ]),
    ),
  }
}

function describeUnauthorized(demands: readonly Demand[]): string {
  const isOptional = demands.every(({ optional }) => optional)
  const isRecent = demands.some(({ maxAgeSeconds }) => maxAgeSeconds !== undefined)
  const isStrong = demands.some(({ acr }) => acr !== undefined)
  return [
    isOptional ? 'An invalid token' : 'No token, or an invalid token',
    ...(isRecent ? ['or a login that is too old'] : []),
    ...(isStrong ? ['or a login that is too weak'] : []),
  ].join(', ')
}

/**
 * Returns the description of the answer to a token that lacks scopes; `undefined` if the guards
 * demand no scope.
 */
function describeLackingScopes(demands: readonly Demand[]): string | undefined {
  const scopes = demands.flatMap(({ alternatives }) =>
    alternatives.some((one) => one.length === 0) ? [] : alternatives,
  )
  if (scopes.length === 0) return undefined
  return `The token lacks ${scopes.map((one) => one.join(' ')).join(', or ')}`
}

/**
 * Returns the response object for a refusal. If the document already has a response for the same
 * status (`own`), the members of `own` replace the default members.
 */
function mergeResponses({ description, headers }: JsonObject, own: unknown): unknown {
  if (isJsonObject(own) && '$ref' in own) return own
  const { headers: ownHeaders, content: ownContent, ...rest } = asJsonObject(own)
  const allHeaders = { ...asJsonObject(headers), ...asJsonObject(ownHeaders) }
  return {
    description,
    ...rest,
    ...(Object.keys(allHeaders).length > 0 && { headers: allHeaders }),
    content: { ...content, ...asJsonObject(ownContent) },
  }
}
