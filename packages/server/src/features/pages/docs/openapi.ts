// Makes the OpenAPI document of the server from its routes.

import { problemSchema, type JsonObject } from 'keystile/internal'
import type { Route, SuccessDoc } from '../../../http/route.ts'

const schemeName = 'keystile'

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
const schemas = {
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

/** Swagger UI shows this above its fields, which always include the two of the client. */
const howToLogIn = 'Leave `client_id` and `client_secret` empty.'

const retryAfter = {
  'Retry-After': { description: 'Whole seconds', schema: { type: 'string', pattern: '^\\d+$' } },
}
const challenge = { 'WWW-Authenticate': { description: 'RFC 6750 §3', schema: { type: 'string' } } }
const clientChallenge = {
  'WWW-Authenticate': { description: 'Basic (RFC 6749 §5.2)', schema: { type: 'string' } },
}

const mediaTypes = {
  json: ['application/json'],
  form: ['application/x-www-form-urlencoded', 'multipart/form-data'],
} as const

/**
 * Returns the refusals that follow from a route's guard and body, so that no route has to list
 * them.
 */
function derivedRefusals<C>({
  guard,
  isOptional,
  isFirstPartyOnly,
  doc: { body },
  refusals,
}: Route<C>): Readonly<Record<number, string>> {
  return {
    ...((guard || body) && { 503: 'Not available at the moment' }),
    ...(guard && {
      400: 'The Authorization header is malformed',
      401: isOptional ? 'The token is invalid' : 'The token is missing or invalid',
    }),
    ...(guard && guard.scopes.length > 0 && { 403: `The token lacks ${guard.scopes.join(' ')}` }),
    ...(isFirstPartyOnly && { 403: 'The token was issued to another client' }),
    ...(body && { 400: 'The body is malformed', 413: 'The body is too large' }),
    ...(body?.type === 'json' && {
      415: 'The body is not JSON',
      422: 'A field is invalid',
    }),
    ...(refusals === 'oauth' &&
      body?.type === 'form' && { 401: 'The client is unknown, or its secret is wrong' }),
  }
}

/**
 * Makes the OpenAPI 3.1 document of routes. The security and the refusals come from the data that
 * the router enforces, so the document cannot differ from what the router does.
 *
 * @param issuer the URL of the issuer. Only its path is used: the document has no host name, so it
 *   is correct for every host name of this server
 */
export function describeRoutes<C>(
  routes: readonly Route<C>[],
  {
    issuer,
    scopes,
    version,
  }: {
    readonly issuer: string
    readonly scopes: Readonly<Record<string, string>>
    readonly version: string
  },
): JsonObject {
  const base = new URL(issuer).pathname.replace(/\/$/, '')
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) {
    const path = route.below === 'issuer' ? `${base}${route.path}` : route.path
    const operations = (paths[path] ??= parametersOf(route.path))
    operations[route.method.toLowerCase()] = {
      operationId: operationIdOf(route, path),
      ...operationOf(route),
    }
  }

  const flows = { password: { tokenUrl: `${base}/token`, scopes } }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Keystile',
      version,
      description: 'Log in with **Authorize**, then call the operations that have a lock.',
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      securitySchemes: { [schemeName]: { type: 'oauth2', description: howToLogIn, flows } },
      schemas,
    },
  }
}

/** Returns the parameters of a path. All methods of the path share them. */
function parametersOf(path: string): Record<string, unknown> {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
  if (names.length === 0) return {}
  const schema = { type: 'string', pattern: '^[\\w-]+$' }
  return { parameters: names.map((name) => ({ name, in: 'path', required: true, schema })) }
}

function operationOf<C>(route: Route<C>): JsonObject {
  const { tag, summary, description, body, query = {}, success, otherSuccess } = route.doc
  const refusals = { ...derivedRefusals(route), ...route.doc.refuses }
  const content =
    body && Object.fromEntries(mediaTypes[body.type].map((type) => [type, { schema: body.schema }]))
  return {
    tags: [tag],
    summary,
    ...(description && { description }),
    ...(route.guard && {
      security: [...(route.isOptional ? [{}] : []), { [schemeName]: route.guard.scopes }],
    }),
    ...(content && { requestBody: { required: true, content } }),
    ...(Object.keys(query).length > 0 && {
      parameters: Object.entries(query).map(([name, schema]) => ({ name, in: 'query', schema })),
    }),
    responses: {
      [success.status]: successOf(success),
      ...(otherSuccess && { [otherSuccess.status]: successOf(otherSuccess) }),
      ...Object.fromEntries(
        Object.entries(refusals).map(([status, text]) => [
          status,
          refusalOf(Number(status), text, route.refusals),
        ]),
      ),
    },
  }
}

function successOf({ description, headers, schema, type }: SuccessDoc): JsonObject {
  return {
    description,
    ...(headers && { headers: describeHeaders(headers) }),
    ...(schema && { content: { [type ?? 'application/json']: { schema } } }),
  }
}

/**
 * Returns the `operationId` of a route, such as `getUsersMe`. Generated clients name their methods
 * after it, so it must not change.
 */
function operationIdOf<C>({ method }: Route<C>, path: string): string {
  const words = path.split(/[^A-Za-z0-9]/)
  return (
    method.toLowerCase() +
    words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join('')
  )
}

function refusalOf(status: number, description: string, refusals: 'oauth' | 'problem'): JsonObject {
  const schema =
    refusals === 'oauth' ? 'OAuthError' : status === 422 ? 'ValidationProblem' : 'Problem'
  const type = refusals === 'oauth' ? 'application/json' : 'application/problem+json'
  return {
    description,
    ...((status === 429 || status === 503) && { headers: retryAfter }),
    ...(status === 401 && { headers: refusals === 'oauth' ? clientChallenge : challenge }),
    content: { [type]: { schema: { $ref: `#/components/schemas/${schema}` } } },
  }
}

function describeHeaders(headers: Readonly<Record<string, string>>): JsonObject {
  return Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [
      name,
      { description, schema: { type: 'string' } },
    ]),
  )
}
