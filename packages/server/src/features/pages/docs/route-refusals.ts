// The refusals of a route in the OpenAPI document, and the schemas of their bodies.

import { problemSchema, type JsonObject } from 'keystile/internal'
import type { Route } from '../../../http/route.ts'

type SchemaName = 'Problem' | 'ValidationProblem' | 'OAuthError'

/** Returns the responses that refuse a request, by their status. */
export function refusalsOf<C>(route: Route<C>): Readonly<Record<string, JsonObject>> {
  const texts = { ...derivedRefusals(route), ...route.doc.refuses }
  const describe = route.refusals === 'oauth' ? oauthRefusal : problemRefusal
  return Object.fromEntries(
    Object.entries(texts).map(([status, text]) => [status, describe(Number(status), text)]),
  )
}

/**
 * Returns the refusals that follow from a route's guard and body, so that no route has to list
 * them. If two have the same status, the text of the later one is shown.
 */
function derivedRefusals<C>({
  guard,
  isOptional,
  isFirstPartyOnly,
  doc: { body },
  refusals,
}: Route<C>): Readonly<Record<number, string>> {
  const texts: Record<number, string> = {}
  if (guard || body) texts[503] = 'Not available at the moment'
  if (guard) {
    texts[400] = 'The Authorization header is malformed'
    texts[401] = isOptional ? 'The token is invalid' : 'The token is missing or invalid'
    if (guard.scopes.length > 0) texts[403] = `The token lacks ${guard.scopes.join(' ')}`
  }
  if (isFirstPartyOnly) texts[403] = 'The token was issued to another client'
  if (body) {
    texts[400] = 'The body is malformed'
    texts[413] = 'The body is too large'
  }
  if (body?.type === 'json') {
    texts[415] = 'The body is not JSON'
    texts[422] = 'A field is invalid'
  }
  const namesClient = refusals === 'oauth' && body?.type === 'form'
  if (namesClient) texts[401] = 'The client is unknown, or its secret is wrong'
  return texts
}

function oauthRefusal(status: number, description: string): JsonObject {
  return {
    description,
    ...headersOf(status, clientChallenge),
    content: { 'application/json': { schema: schemaRef('OAuthError') } },
  }
}

function problemRefusal(status: number, description: string): JsonObject {
  const schema = schemaRef(status === 422 ? 'ValidationProblem' : 'Problem')
  return {
    description,
    ...headersOf(status, challenge),
    content: { 'application/problem+json': { schema } },
  }
}

function schemaRef(name: SchemaName): JsonObject {
  return { $ref: `#/components/schemas/${name}` }
}

const retryAfter = {
  'Retry-After': { description: 'Whole seconds', schema: { type: 'string', pattern: '^\\d+$' } },
}
const challenge = { 'WWW-Authenticate': { description: 'RFC 6750 §3', schema: { type: 'string' } } }
const clientChallenge = {
  'WWW-Authenticate': { description: 'Basic (RFC 6749 §5.2)', schema: { type: 'string' } },
}

function headersOf(status: number, challengeOf401: JsonObject): { readonly headers?: JsonObject } {
  if (status === 401) return { headers: challengeOf401 }
  return status === 429 || status === 503 ? { headers: retryAfter } : {}
}

/**
 * The body of a refusal. `errors` names the wrong parts of the request, such as a field of the
 * body.
 */
const problem = {
  ...problemSchema,
  properties: {
    ...problemSchema.properties,
    errors: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          loc: { type: 'array', items: { type: ['string', 'integer'] } },
          msg: { type: 'string' },
          type: { type: 'string' },
        },
        required: ['loc', 'msg', 'type'],
      },
    },
  },
}

/** The JSON Schemas of the bodies of refusals. All routes share these schemas. */
export const refusalSchemas: Readonly<Record<SchemaName, JsonObject>> = {
  Problem: problem,
  ValidationProblem: { ...problem, required: [...problemSchema.required, 'errors'] },
  OAuthError: {
    type: 'object',
    description:
      'RFC 6749 §5.2. `detail` repeats the description for clients written for FastAPI. The ' +
      'other members are in the refusals of logins that go on',
    properties: {
      error: { type: 'string' },
      error_description: { type: 'string' },
      detail: { type: 'string' },
      auth_session: { type: 'string', description: 'Send it with the next step of the login' },
      methods: {
        type: 'array',
        items: { type: 'string' },
        description: 'The parameters of which one must be sent next, such as otp',
      },
      enrol: {
        type: 'array',
        items: { type: 'string' },
        description: 'The factors of which the user must set up one. Send one as enrol',
      },
      email_code: { type: 'boolean', description: 'Whether a mail with a code was sent' },
      secret: { type: 'string', description: 'The secret of the new authenticator app, in base32' },
      uri: { type: 'string', description: 'The secret as an otpauth URI' },
      qr_svg: { type: 'string', description: 'The URI as a QR code: an SVG image' },
    },
    required: ['error', 'error_description', 'detail'],
  },
}
