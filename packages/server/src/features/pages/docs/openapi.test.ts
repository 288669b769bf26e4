import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isJsonObject, type JsonObject } from 'keystile/internal'
import type { Route, RouteDoc } from '../../../http/route.ts'
import { describeRoutes } from './openapi.ts'

const handle = (): never => assert.fail('a description calls no handler')
const doc: RouteDoc = {
  tag: 'Tokens',
  summary: 'Do it',
  success: { status: 200, description: 'Done' },
}
const route = {
  method: 'GET',
  path: '/things',
  below: 'issuer',
  refusals: 'problem',
  doc,
  handle,
} as const
const schema = { type: 'object' }
const body = { type: 'json', schema } as const

const documentOf = (
  routes: readonly Route<unknown>[],
  issuer = 'https://auth.example/v1',
): JsonObject =>
  describeRoutes(routes, { issuer, scopes: { 'items:read': 'Read' }, version: '1.2.3' })

/** Returns a part of a document. */
function at(document: JsonObject, ...names: readonly string[]): unknown {
  return names.reduce<unknown>((part, name) => (isJsonObject(part) ? part[name] : part), document)
}

function operationOf(route: Route<unknown>): JsonObject {
  const { paths } = documentOf([route])
  const [path] = Object.values(paths as Readonly<Record<string, JsonObject>>)
  return path?.[route.method.toLowerCase()] as JsonObject
}

/** Returns the statuses and texts of an operation's refusals. */
function refusalsOf(route: Route<unknown>): Readonly<Record<string, string>> {
  const responses = Object.entries(operationOf(route)['responses'] as Record<string, JsonObject>)
  return Object.fromEntries(
    responses
      .filter(([status]) => Number(status) >= 400)
      .map(([status, { description }]) => [status, description as string]),
  )
}

describe('describeRoutes', () => {
  it('paths and login URL in the OpenAPI document begin with the path of the issuer', () => {
    const document = documentOf([route])
    assert.equal(document['openapi'], '3.1.1')
    assert.deepEqual(document['servers'], [{ url: '/' }])
    assert.deepEqual(Object.keys(document['paths'] as object), ['/v1/things'])
    assert.equal(at(document, 'info', 'title'), 'Keystile')
    assert.equal(at(document, 'info', 'version'), '1.2.3')
    assert.deepEqual(at(document, 'components', 'securitySchemes'), {
      keystile: {
        type: 'oauth2',
        description: 'Leave `client_id` and `client_secret` empty.',
        flows: { password: { tokenUrl: '/v1/token', scopes: { 'items:read': 'Read' } } },
      },
    })
    for (const issuer of ['https://auth.example', 'https://auth.example/'])
      assert.deepEqual(Object.keys(documentOf([route], issuer)['paths'] as object), ['/things'])
    const root = documentOf([{ ...route, below: 'root' }])
    assert.deepEqual(Object.keys(root['paths'] as object), ['/things'])
  })

  it('all methods of a path share one OpenAPI entry, with the path’s parameters', () => {
    const path = '/users/{id}/sessions/{session_id}'
    const document = documentOf([
      { ...route, path },
      { ...route, path, method: 'DELETE' },
    ])
    const entry = at(document, 'paths', `/v1${path}`) as JsonObject
    assert.deepEqual(Object.keys(entry), ['parameters', 'get', 'delete'])
    const text = { type: 'string', pattern: '^[\\w-]+$' }
    assert.deepEqual(entry['parameters'], [
      { name: 'id', in: 'path', required: true, schema: text },
      { name: 'session_id', in: 'path', required: true, schema: text },
    ])
    assert.equal(at(entry, 'get', 'operationId'), 'getV1UsersIdSessionsSessionId')
    assert.equal(at(entry, 'delete', 'operationId'), 'deleteV1UsersIdSessionsSessionId')
    const plain = at(documentOf([{ ...route, path: '/a.b--c' }]), 'paths', '/v1/a.b--c')
    assert.deepEqual(Object.keys(plain as object), ['get'])
    assert.equal(at(plain as JsonObject, 'get', 'operationId'), 'getV1ABC')
  })

  it('the OpenAPI operation of a plain route has an id, tags, a summary and responses', () => {
    assert.deepEqual(operationOf(route), {
      operationId: 'getV1Things',
      tags: ['Tokens'],
      summary: 'Do it',
      responses: { 200: { description: 'Done' } },
    })
  })

  it('an OpenAPI operation contains the description, body, query and answers of its route', () => {
    const query = { limit: { type: 'integer' } }
    const success = {
      status: 201,
      description: 'Made',
      schema,
      headers: { Location: 'The URL' },
    } as const
    const otherSuccess = { status: 202, description: 'Sent', schema, type: 'text/plain' } as const
    const full = { ...doc, description: 'More', body, query, success, otherSuccess }
    const { responses, ...operation } = operationOf({ ...route, method: 'POST', doc: full })
    assert.deepEqual(operation, {
      operationId: 'postV1Things',
      tags: ['Tokens'],
      summary: 'Do it',
      description: 'More',
      requestBody: { required: true, content: { 'application/json': { schema } } },
      parameters: [{ name: 'limit', in: 'query', schema: { type: 'integer' } }],
    })
    assert.deepEqual(at(responses as JsonObject, '201'), {
      description: 'Made',
      headers: { Location: { description: 'The URL', schema: { type: 'string' } } },
      content: { 'application/json': { schema } },
    })
    assert.deepEqual(at(responses as JsonObject, '202'), {
      description: 'Sent',
      content: { 'text/plain': { schema } },
    })
    const form = operationOf({ ...route, doc: { ...doc, body: { type: 'form', schema } } })
    assert.deepEqual(at(form, 'requestBody', 'content'), {
      'application/x-www-form-urlencoded': { schema },
      'multipart/form-data': { schema },
    })
  })

  it('the `security` of an operation has the scopes that the guard of its route demands', () => {
    const guard = { scopes: ['a', 'b'] }
    assert.deepEqual(operationOf({ ...route, guard })['security'], [{ keystile: ['a', 'b'] }])
    assert.deepEqual(operationOf({ ...route, guard, isOptional: true })['security'], [
      {},
      { keystile: ['a', 'b'] },
    ])
  })

  it('an OpenAPI operation lists each refusal that its guard or its body can cause', () => {
    const unavailable = { 503: 'Not available at the moment' }
    const guarded = {
      ...unavailable,
      400: 'The Authorization header is malformed',
      401: 'The token is missing or invalid',
    }
    const ofBody = { ...unavailable, 400: 'The body is malformed', 413: 'The body is too large' }
    const ofJson = { ...ofBody, 415: 'The body is not JSON', 422: 'A field is invalid' }
    const guard = { scopes: [] }
    const form = { ...doc, body: { ...body, type: 'form' } } as const
    for (const [like, expected] of [
      [{}, {}],
      [{ refusals: 'oauth' }, {}],
      [{ guard }, guarded],
      [
        { guard, isOptional: true },
        { ...guarded, 401: 'The token is invalid' },
      ],
      [{ guard: { scopes: ['a', 'b'] } }, { ...guarded, 403: 'The token lacks a b' }],
      [
        { guard, isFirstPartyOnly: true },
        { ...guarded, 403: 'The token was issued to another client' },
      ],
      [{ doc: { ...doc, body } }, ofJson],
      [{ refusals: 'oauth', doc: { ...doc, body } }, ofJson],
      [{ doc: form }, ofBody],
      [
        { refusals: 'oauth', doc: form },
        { ...ofBody, 401: 'The client is unknown, or its secret is wrong' },
      ],
      [
        { doc: { ...doc, body, refuses: { 409: 'Taken', 422: 'Odd' } } },
        { ...ofJson, 409: 'Taken', 422: 'Odd' },
      ],
    ] as const)
      assert.deepEqual(refusalsOf({ ...route, ...like }), expected)
  })

  it('the status and the format of a refusal decide its headers and its schema', () => {
    const refuses = { 401: 'A', 404: 'B', 422: 'C', 429: 'D', 503: 'E' }
    const all = { ...route, doc: { ...doc, refuses } }
    const shapesOf = (refusals: 'oauth' | 'problem'): unknown =>
      Object.entries(operationOf({ ...all, refusals })['responses'] as object)
        .slice(1)
        .map(([status, { description, headers, content }]) => [
          status,
          description,
          headers,
          content,
        ])
    const retry = {
      'Retry-After': {
        description: 'Whole seconds',
        schema: { type: 'string', pattern: '^\\d+$' },
      },
    }
    const challenge = (description: string): object => ({
      'WWW-Authenticate': { description, schema: { type: 'string' } },
    })
    const problem = (name: string): object => ({
      'application/problem+json': { schema: { $ref: `#/components/schemas/${name}` } },
    })
    assert.deepEqual(shapesOf('problem'), [
      ['401', 'A', challenge('RFC 6750 §3'), problem('Problem')],
      ['404', 'B', undefined, problem('Problem')],
      ['422', 'C', undefined, problem('ValidationProblem')],
      ['429', 'D', retry, problem('Problem')],
      ['503', 'E', retry, problem('Problem')],
    ])
    const error = { 'application/json': { schema: { $ref: '#/components/schemas/OAuthError' } } }
    assert.deepEqual(shapesOf('oauth'), [
      ['401', 'A', challenge('Basic (RFC 6749 §5.2)'), error],
      ['404', 'B', undefined, error],
      ['422', 'C', undefined, error],
      ['429', 'D', retry, error],
      ['503', 'E', retry, error],
    ])
  })

  it('the schemas of refusals describe the members of each refusal and of its errors', () => {
    const schemas = at(documentOf([]), 'components', 'schemas') as Readonly<
      Record<
        string,
        {
          readonly type: string
          readonly properties: JsonObject
          readonly required: readonly string[]
        }
      >
    >
    const text = { type: 'string' }
    assert.deepEqual(Object.keys(schemas), ['Problem', 'ValidationProblem', 'OAuthError'])
    const members = ['type', 'title', 'status', 'detail']
    assert.deepEqual(schemas['Problem']?.required, members)
    assert.deepEqual(schemas['ValidationProblem']?.required, [...members, 'errors'])
    for (const name of ['Problem', 'ValidationProblem']) {
      assert.deepEqual(Object.keys(schemas[name]?.properties ?? {}), [...members, 'errors'])
      assert.deepEqual(schemas[name]?.properties['errors'], {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            loc: { type: 'array', items: { type: ['string', 'integer'] } },
            msg: text,
            type: text,
          },
          required: ['loc', 'msg', 'type'],
        },
      })
    }
    const { type, properties, required } = schemas['OAuthError'] ?? {}
    const always = ['error', 'error_description', 'detail']
    assert.deepEqual([type, required], ['object', always])
    const ofEnrolment = ['enrol', 'email_code', 'secret', 'uri', 'qr_svg']
    const ofStep = ['auth_session', 'methods', ...ofEnrolment]
    assert.deepEqual(Object.keys(properties ?? {}), [...always, ...ofStep])
  })
})
