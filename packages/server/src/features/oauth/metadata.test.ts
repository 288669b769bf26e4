import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { JsonObject } from 'keystile/internal'
import type { RouteRequest } from '../../http/route.ts'
import { metadataRoutes } from './metadata.ts'

const routesOf = (issuer: string): readonly (readonly [string, string])[] =>
  metadataRoutes({
    issuer,
    scopes: [],
    grantTypes: [],
    cookieSession: false,
    published: () => ({ keys: [] }),
  }).map(({ below, path }) => [below, path])

describe('metadataRoutes', () => {
  it('metadataRoutes serves the metadata at both paths of RFC 8414 §3.1', () => {
    assert.deepEqual(routesOf('https://auth.example/a/b'), [
      ['issuer', '/.well-known/jwks.json'],
      ['root', '/.well-known/oauth-authorization-server/a/b'],
      ['issuer', '/.well-known/oauth-authorization-server'],
    ])
  })

  it('the metadata names the endpoint for cookie sessions only if they are on', async () => {
    const endpointOf = async (cookieSession: boolean): Promise<unknown> => {
      const [route] = metadataRoutes({
        issuer: 'https://auth.example',
        scopes: [],
        grantTypes: [],
        cookieSession,
        published: () => ({ keys: [] }),
      }).filter(({ below }) => below === 'root')
      const { body } = await route!.handle({} as RouteRequest)
      return (JSON.parse(body as string) as JsonObject)['keystile_session_endpoint']
    }
    assert.equal(await endpointOf(true), 'https://auth.example/session')
    assert.equal(await endpointOf(false), undefined)
  })

  it('metadataRoutes serves the metadata at one path if the issuer has no path', () => {
    assert.deepEqual(routesOf('https://auth.example'), [
      ['issuer', '/.well-known/jwks.json'],
      ['root', '/.well-known/oauth-authorization-server'],
    ])
  })
})
