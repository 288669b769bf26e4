import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { metadataRoutes } from './metadata.ts'

const routesOf = (issuer: string): readonly (readonly [string, string])[] =>
  metadataRoutes({
    issuer,
    scopes: [],
    grantTypes: [],
    cookieSession: false,
    published: () => Promise.resolve({ keys: { keys: [] }, maxAgeSeconds: 300 }),
  }).map(({ below, path }) => [below, path])

describe('metadataRoutes', () => {
  it('metadataRoutes serves the metadata at both paths of RFC 8414 §3.1', () => {
    assert.deepEqual(routesOf('https://auth.example/a/b'), [
      ['issuer', '/.well-known/jwks.json'],
      ['root', '/.well-known/oauth-authorization-server/a/b'],
      ['issuer', '/.well-known/oauth-authorization-server'],
    ])
  })

  it('metadataRoutes serves the metadata at one path if the issuer has no path', () => {
    assert.deepEqual(routesOf('https://auth.example'), [
      ['issuer', '/.well-known/jwks.json'],
      ['root', '/.well-known/oauth-authorization-server'],
    ])
  })
})
