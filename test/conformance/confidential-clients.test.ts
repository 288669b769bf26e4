import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createVerifier } from 'keystile'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { ClientCredentials } from 'simple-oauth2'
import { startIssuer, type RunningIssuer } from './start-issuer.ts'

const grants = ['client_credentials', 'password', 'refresh_token'] as const
const ada = { username: 'ada', password: 'an engine of her own' }

describe('OAuth libraries as confidential clients', () => {
  let server: RunningIssuer
  let secret: string
  before(async () => {
    server = await startIssuer({})
    await server.register(ada)
    const scopes = ['items:read']
    secret = (await server.addClient({
      id: 'orders',
      grants,
      scopes,
      may: ['introspect'],
      confidential: true,
    }))!
  })
  after(() => server.stop())

  for (const method of ['ClientSecretBasic', 'ClientSecretPost'] as const) {
    it(`openid-client with ${method} gets, introspects, refreshes and revokes tokens`, async () => {
      const config = await openid.discovery(
        new URL(server.issuer),
        'orders',
        undefined,
        openid[method](secret),
        {
          algorithm: 'oauth2',
          execute: [openid.allowInsecureRequests],
        },
      )
      const own = await openid.clientCredentialsGrant(config, { scope: 'items:read items:write' })
      assert.deepEqual([own.scope, own.refresh_token], ['items:read', undefined])
      const told = await openid.tokenIntrospection(config, own.access_token)
      assert.deepEqual(
        [told.active, told.sub, told.client_id, told.scope],
        [true, 'orders', 'orders', 'items:read'],
      )

      const tokens = await openid.genericGrantRequest(config, 'password', ada)
      const refreshed = await openid.refreshTokenGrant(config, tokens.refresh_token!)
      await openid.tokenRevocation(config, refreshed.refresh_token!)
      assert.deepEqual(await openid.tokenIntrospection(config, refreshed.access_token), {
        active: false,
      })
    })

    it(`oauth4webapi with ${method} gets a token for the client and introspects it`, async () => {
      const insecure = { [oauth.allowInsecureRequests]: true }
      const issuer = new URL(server.issuer)
      const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure })
      const as = await oauth.processDiscoveryResponse(issuer, found)
      const client: oauth.Client = { client_id: 'orders' }
      const authentication = oauth[method](secret)
      const answer = await oauth.clientCredentialsGrantRequest(
        as,
        client,
        authentication,
        {},
        insecure,
      )
      const { access_token, scope } = await oauth.processClientCredentialsResponse(
        as,
        client,
        answer,
      )
      assert.equal(scope, 'items:read')
      const asked = await oauth.introspectionRequest(
        as,
        client,
        authentication,
        access_token,
        insecure,
      )
      assert.equal((await oauth.processIntrospectionResponse(as, client, asked)).active, true)
      const wrong = oauth[method]('not the secret')
      const refused = await oauth.clientCredentialsGrantRequest(as, client, wrong, {}, insecure)
      await assert.rejects(oauth.processClientCredentialsResponse(as, client, refused), {
        status: 401,
      })
    })
  }

  for (const authorizationMethod of ['header', 'body'] as const) {
    it(`simple-oauth2 gets a valid token with a secret in the ${authorizationMethod}`, async () => {
      const tokenHost = new URL(server.issuer).origin
      const client = new ClientCredentials({
        client: { id: 'orders', secret },
        auth: { tokenHost, tokenPath: '/auth/token' },
        options: { authorizationMethod },
      })
      const { token } = await client.getToken({ scope: 'items:read' })
      const verifier = createVerifier({
        issuer: server.issuer,
        audience: server.issuer,
        revocations: 'none',
      })
      const identity = await verifier.verify(token.access_token)
      assert.deepEqual(
        [identity.subject, identity.clientId, identity.sessionId],
        ['orders', 'orders', undefined],
      )
      verifier.close()
    })
  }
})
