// Makes the OpenAPI document of the server from its routes.

import type { JsonObject } from 'keystile/internal'
import type { Route, SuccessDoc } from '../../../http/route.ts'
import { refusalSchemas, refusalsOf } from './route-refusals.ts'

const schemeName = 'keystile'

/** Swagger UI shows this above its fields, which always include the two of the client. */
const howToLogIn = 'Leave `client_id` and `client_secret` empty.'

const mediaTypes = {
  json: ['application/json'],
  form: ['application/x-www-form-urlencoded', 'multipart/form-data'],
} as const

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
      schemas: refusalSchemas,
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
  const { tag, summary, description, success, otherSuccess } = route.doc
  return {
    tags: [tag],
    summary,
    ...(description && { description }),
    ...securityOf(route),
    ...requestBodyOf(route),
    ...queryParametersOf(route),
    responses: {
      [success.status]: successOf(success),
      ...(otherSuccess && { [otherSuccess.status]: successOf(otherSuccess) }),
      ...refusalsOf(route),
    },
  }
}

function securityOf<C>({ guard, isOptional }: Route<C>): JsonObject {
  if (!guard) return {}
  const demanded = { [schemeName]: guard.scopes }
  return { security: isOptional ? [{}, demanded] : [demanded] }
}

function requestBodyOf<C>({ doc: { body } }: Route<C>): JsonObject {
  if (!body) return {}
  const types = mediaTypes[body.type].map((type) => [type, { schema: body.schema }])
  return { requestBody: { required: true, content: Object.fromEntries(types) } }
}

function queryParametersOf<C>({ doc: { query = {} } }: Route<C>): JsonObject {
  const entries = Object.entries(query)
  if (entries.length === 0) return {}
  return { parameters: entries.map(([name, schema]) => ({ name, in: 'query', schema })) }
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

function describeHeaders(headers: Readonly<Record<string, string>>): JsonObject {
  return Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [
      name,
      { description, schema: { type: 'string' } },
    ]),
  )
}
