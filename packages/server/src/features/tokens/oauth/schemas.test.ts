// The OpenAPI document describes the forms and the answers of the OAuth endpoints.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import type { OpenRoute, RouteRequest } from '../../../http/route.ts'
import { grants } from './grants.ts'
import { introspectRoute, type IntrospectParts } from './introspect.ts'
import { jwksRoute } from './jwks.ts'
import { metadataRoutes } from './metadata.ts'
import { revokeRoute, type RevokeParts } from './revoke.ts'
import { wireTokens } from './token-answer.ts'
import { tokenRoute, type TokenParts } from './token.ts'

const ajv = new Ajv2020({ allowUnionTypes: true, formats: { password: true } })

/** Returns the function that checks an answer against the schema of a route. */
const answersOf = ({ doc }: OpenRoute): ValidateFunction =>
  ajv.compile({ ...doc.success.schema, unevaluatedProperties: false })

const formOf = ({ doc }: OpenRoute): Readonly<Record<string, object>> => {
  assert.ok(doc.body)
  assert.equal(doc.body.type, 'form')
  return doc.body.schema as Readonly<Record<string, object>>
}

/** Checks that a schema allows an answer, but not with one member of another type. */
function checkMembers(
  validate: ValidateFunction,
  answer: object,
  required: readonly string[],
): void {
  assert.ok(validate(answer), ajv.errorsText(validate.errors))
  for (const [name, value] of Object.entries(answer)) {
    const wrongs = Array.isArray(value) && value.length > 0 ? [null, [null]] : [null]
    for (const wrong of wrongs) assert.ok(!validate({ ...answer, [name]: wrong }), name)
    const { [name as never]: _, ...rest } = answer
    assert.equal(validate(rest), !required.includes(name), name)
  }
}

describe('the schemas of the OAuth endpoints', () => {
  const tokenEndpoint = tokenRoute({ grants } as unknown as TokenParts)
  const introspection = introspectRoute({} as IntrospectParts)

  it('the schema of POST /token demands all parameters that the form’s grant type requires', () => {
    const validate = ajv.compile(formOf(tokenEndpoint))
    const login = { username: 'ada', password: 'x' }
    const refresh = { grant_type: 'refresh_token', refresh_token: 'x' }
    const client = { client_id: 'x', client_secret: 'x' }
    for (const form of [
      login,
      { ...login, grant_type: 'password', scope: 'x', device_secret: 'x', ...client },
      { ...refresh, scope: 'x' },
      { grant_type: 'client_credentials', ...client },
    ])
      assert.ok(validate(form), JSON.stringify(form))
    for (const form of [
      {},
      [],
      { username: 'ada' },
      { password: 'x' },
      { refresh_token: 'x' },
      { grant_type: 'refresh_token' },
      { grant_type: 'password', refresh_token: 'x' },
      { ...login, grant_type: 'other' },
      ...['username', 'password', 'scope', 'device_secret', 'client_id', 'client_secret'].map(
        (name) => ({ ...login, [name]: 1 }),
      ),
      { ...refresh, refresh_token: 1 },
    ])
      assert.ok(!validate(form), JSON.stringify(form))
    const { properties } = formOf(tokenEndpoint) as {
      readonly properties: { readonly grant_type: object }
    }
    assert.deepEqual(properties.grant_type, {
      type: 'string',
      enum: ['password', 'authorization_code', 'refresh_token', 'client_credentials'],
      default: 'password',
    })
  })

  it('the schemas of POST /introspect and POST /revoke demand the parameter `token`', () => {
    for (const route of [introspection, revokeRoute({} as RevokeParts)]) {
      const validate = ajv.compile(formOf(route))
      const form = { token: 'x', token_type_hint: 'x', client_id: 'x', client_secret: 'x' }
      checkMembers(validate, form, ['token'])
    }
  })

  it('in the OpenAPI document, form fields for secrets have the format `password`', () => {
    const hiddenIn = (route: OpenRoute): readonly string[] =>
      Object.entries(formOf(route)['properties'] ?? {})
        .filter(([, schema]) => (schema as { readonly format?: string }).format === 'password')
        .map(([name]) => name)
    assert.deepEqual(hiddenIn(tokenEndpoint), [
      'password',
      'auth_session',
      'device_secret',
      'access_token',
      'code',
      'code_verifier',
      'refresh_token',
      'client_secret',
    ])
    assert.deepEqual(hiddenIn(introspection), ['token', 'client_secret'])
  })

  it('the schemas of POST /token and POST /introspect describe each member of the answers', () => {
    const tokens = wireTokens({
      accessToken: 'x',
      expiresInSeconds: 600,
      refreshToken: 'x',
      scopes: ['a', 'b'],
      deviceSecret: 'x',
    })
    const validate = answersOf(tokenEndpoint)
    checkMembers(validate, tokens, ['access_token', 'token_type', 'expires_in', 'scope'])
    assert.ok(!validate({ ...tokens, token_type: 'mac' }))

    const names = ['iss', 'sub', 'aud', 'client_id', 'scope', 'jti', 'sid']
    const texts = Object.fromEntries(names.map((name) => [name, 'x']))
    const active = { active: true, token_type: 'bearer', ...texts, exp: 1, iat: 1, auth_time: 1 }
    const validateActive = answersOf(introspection)
    checkMembers(validateActive, active, ['active'])
    assert.ok(!validateActive({ ...active, token_type: 'mac' }))
    assert.ok(validateActive({ active: true, aud: ['x'] }))
  })

  it('the schemas of OAuth metadata and the JWKS describe each member of the answers', async () => {
    const key = { kty: 'OKP', crv: 'Ed25519', x: 'x' }
    const keys = jwksRoute(async () => ({ keys: { keys: [key] }, maxAgeSeconds: 300 }))
    const [metadata] = metadataRoutes({
      issuer: 'https://auth.example',
      scopes: ['items:read'],
      grantTypes: ['password'],
      cookieSession: true,
    })
    assert.ok(metadata)
    for (const [route, required] of [
      [keys, ['keys']],
      [metadata, ['issuer', 'token_endpoint', 'jwks_uri', 'response_types_supported']],
    ] as const) {
      const { status, headers, body } = await route.handle({} as RouteRequest)
      const { success } = route.doc
      assert.equal(success.status, status)
      assert.equal(success.type ?? 'application/json', headers['content-type'])
      checkMembers(answersOf(route), JSON.parse(body ?? '') as object, required)
    }
    assert.ok(!answersOf(keys)({ keys: [{}] }))
    assert.ok(!answersOf(keys)({ keys: [{ ...key, kty: 1 }] }))
  })
})
