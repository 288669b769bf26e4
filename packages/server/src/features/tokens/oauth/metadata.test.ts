import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RouteRequest } from '../../../http/route.ts'
import { metadataRoutes } from './metadata.ts'

const routesOf = (issuer: string): readonly (readonly [string, string])[] =>
  metadataRoutes({
    issuer,
    scopes: [],
    grantTypes: [],
    cookieSession: false,
  }).map(({ below, path }) => [below, path])

describe('metadataRoutes', () => {
  it('if the issuer has a path, metadataRoutes serves the metadata at two paths (RFC 8414)', () => {
    assert.deepEqual(routesOf('https://auth.example/a/b'), [
      ['root', '/.well-known/oauth-authorization-server/a/b'],
      ['issuer', '/.well-known/oauth-authorization-server'],
    ])
  })

  it('the OAuth metadata contains all endpoints (/session only with cookie sessions)', async () => {
    const metadataOf = async (cookieSession: boolean): Promise<unknown> => {
      const [route] = metadataRoutes({
        issuer: 'https://auth.example',
        scopes: ['items:read'],
        grantTypes: ['password'],
        cookieSession,
      }).filter(({ below }) => below === 'root')
      const { body } = await route!.handle({} as RouteRequest)
      return JSON.parse(body as string)
    }
    const always = {
      issuer: 'https://auth.example',
      authorization_challenge_endpoint: 'https://auth.example/authorize-challenge',
      token_endpoint: 'https://auth.example/token',
      revocation_endpoint: 'https://auth.example/revoke',
      introspection_endpoint: 'https://auth.example/introspect',
      jwks_uri: 'https://auth.example/.well-known/jwks.json',
      scopes_supported: ['items:read'],
      response_types_supported: ['code'],
      grant_types_supported: ['password'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post'],
      revocation_endpoint_auth_methods_supported: [
        'none',
        'client_secret_basic',
        'client_secret_post',
      ],
      introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    }
    assert.deepEqual(await metadataOf(false), always)
    const session = { keystile_session_endpoint: 'https://auth.example/session' }
    assert.deepEqual(await metadataOf(true), { ...always, ...session })
  })

  it('if the issuer has no path, metadataRoutes serves the metadata at one path', () => {
    assert.deepEqual(routesOf('https://auth.example'), [
      ['root', '/.well-known/oauth-authorization-server'],
    ])
  })
})
