import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { decodeJwtUnsafe } from 'keystile/jwt'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { ResourceOwnerPassword } from 'simple-oauth2'
import { issuingAlgorithms, startIssuer, type RunningIssuer } from './start-issuer.ts'

const ada = { username: 'ada', password: 'an engine of her own' }
const wrong = { ...ada, password: 'not her engine' }

const versionOf = (name: string): string => {
  const manifest = new URL(`../../node_modules/${name}/package.json`, import.meta.url)
  return `${name} ${JSON.parse(readFileSync(manifest, 'utf8')).version}`
}

for (const algorithm of issuingAlgorithms) {
  describe(`openid-client, with tokens signed by ${algorithm}`, () => {
    let server: RunningIssuer
    let config: openid.Configuration
    before(async () => {
      server = await startIssuer({ signingAlgorithm: algorithm })
      await server.register(ada)
      config = await openid.discovery(
        new URL(server.issuer),
        'first-party',
        undefined,
        openid.None(),
        {
          algorithm: 'oauth2',
          execute: [openid.allowInsecureRequests],
        },
      )
    })
    after(() => server.stop())

    it('openid-client discovers the token endpoint by RFC 8414', (t) => {
      t.diagnostic(versionOf('openid-client'))
      assert.equal(config.serverMetadata().token_endpoint, `${server.issuer}/token`)
    })

    it('openid-client logs in with a password', async () => {
      const tokens = await openid.genericGrantRequest(config, 'password', ada)
      assert.equal(tokens.token_type, 'bearer')
      assert.equal(tokens.expires_in, 600)
      assert.equal(tokens.scope, 'items:read items:write')
      assert.equal(decodeJwtUnsafe(tokens.access_token).header['alg'], algorithm)
    })

    it('openid-client calls a guarded route with an access token', async () => {
      const { access_token } = await openid.genericGrantRequest(config, 'password', ada)
      const me = new URL(`${server.issuer}/users/me`)
      const response = await openid.fetchProtectedResource(config, access_token, me, 'GET')
      const { username } = (await response.json()) as { readonly username: string }
      assert.equal(username, 'ada')
    })

    it('openid-client requests two scopes and sees that only one was granted', async () => {
      const tokens = await openid.genericGrantRequest(config, 'password', {
        ...ada,
        scope: 'items:read users:read',
      })
      assert.equal(tokens.scope, 'items:read')
      assert.equal(decodeJwtUnsafe(tokens.access_token).claims['scope'], 'items:read')
    })

    it('openid-client can refresh tokens; after a revocation, it gets invalid_grant', async () => {
      const tokens = await openid.genericGrantRequest(config, 'password', ada)
      const refreshed = await openid.refreshTokenGrant(config, tokens.refresh_token!, {
        scope: 'items:read',
      })
      assert.equal(refreshed.scope, 'items:read')
      assert.notEqual(refreshed.refresh_token, tokens.refresh_token)
      assert.equal(
        (await openid.refreshTokenGrant(config, refreshed.refresh_token!)).scope,
        'items:read items:write',
      )
      await openid.tokenRevocation(config, refreshed.refresh_token!)
      const me = new URL(`${server.issuer}/users/me`)
      await assert.rejects(
        openid.fetchProtectedResource(config, refreshed.access_token, me, 'GET'),
        { status: 401 },
      )
      const over = { name: 'ResponseBodyError', error: 'invalid_grant', status: 400 }
      await assert.rejects(openid.refreshTokenGrant(config, refreshed.refresh_token!), over)
    })

    it('openid-client reports invalid_grant for a wrong password', async () => {
      await assert.rejects(openid.genericGrantRequest(config, 'password', wrong), {
        name: 'ResponseBodyError',
        error: 'invalid_grant',
        error_description: 'Incorrect username or password',
        status: 400,
      })
    })

    it('openid-client reports the WWW-Authenticate challenge for an unknown client', async () => {
      const stranger = new openid.Configuration(
        config.serverMetadata(),
        'stranger',
        undefined,
        openid.None(),
      )
      openid.allowInsecureRequests(stranger)
      await assert.rejects(
        openid.genericGrantRequest(stranger, 'password', ada),
        ({ name, status, cause }) => {
          assert.deepEqual([name, status], ['WWWAuthenticateChallengeError', 401])
          assert.equal(cause[0].scheme, 'basic')
          return true
        },
      )
    })
  })

  describe(`oauth4webapi, with tokens signed by ${algorithm}`, () => {
    const client: oauth.Client = { client_id: 'first-party' }
    const insecure = { [oauth.allowInsecureRequests]: true }
    let server: RunningIssuer
    let as: oauth.AuthorizationServer
    before(async () => {
      server = await startIssuer({ signingAlgorithm: algorithm })
      await server.register(ada)
      const issuer = new URL(server.issuer)
      const response = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure })
      as = await oauth.processDiscoveryResponse(issuer, response)
    })
    after(() => server.stop())

    const login = async (
      parameters: Record<string, string>,
    ): Promise<oauth.TokenEndpointResponse> => {
      const response = await oauth.genericTokenEndpointRequest(
        as,
        client,
        oauth.None(),
        'password',
        parameters,
        insecure,
      )
      return oauth.processGenericTokenEndpointResponse(as, client, response)
    }
    const requestWith = (token: string): Request =>
      new Request('https://items.example/items', { headers: { authorization: `Bearer ${token}` } })

    it('oauth4webapi discovers the endpoints by RFC 8414', (t) => {
      t.diagnostic(versionOf('oauth4webapi'))
      assert.equal(as.issuer, server.issuer)
      assert.equal(as.jwks_uri, `${server.issuer}/.well-known/jwks.json`)
      assert.deepEqual(as.grant_types_supported?.includes('password'), true)
    })

    it('oauth4webapi finds a key set with one public key', async () => {
      const response = await fetch(as.jwks_uri!)
      const { keys } = (await response.json()) as {
        readonly keys: readonly Record<string, string>[]
      }
      assert.deepEqual(
        keys.map(({ alg, use, d }) => ({ alg, use, d })),
        [{ alg: algorithm, use: 'sig', d: undefined }],
      )
    })

    it('oauth4webapi validates Keystile’s access token by RFC 9068', async () => {
      const { access_token } = await login(ada)
      const claims = await oauth.validateJwtAccessToken(
        as,
        requestWith(access_token),
        server.issuer,
        insecure,
      )
      assert.equal(claims.iss, server.issuer)
      assert.equal(claims.client_id, 'first-party')
      assert.equal(claims.scope, 'items:read items:write')
      assert.equal(typeof claims['auth_time'], 'number')
    })

    it('oauth4webapi refuses Keystile’s access token for another audience', async () => {
      const { access_token } = await login(ada)
      const validated = oauth.validateJwtAccessToken(
        as,
        requestWith(access_token),
        'https://other.example',
        insecure,
      )
      await assert.rejects(validated, oauth.OperationProcessingError)
    })

    it('oauth4webapi requests one scope and gets only that scope', async () => {
      const tokens = await login({ ...ada, scope: 'items:write' })
      assert.equal(tokens.scope, 'items:write')
    })

    it('oauth4webapi exchanges a code of the challenge endpoint', async () => {
      const verifier = oauth.generateRandomCodeVerifier()
      const form = {
        ...ada,
        response_type: 'code',
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      }
      const body = new URLSearchParams(form)
      const answer = await fetch(as['authorization_challenge_endpoint'] as string, {
        method: 'POST',
        body,
      })
      const { authorization_code: code } = (await answer.json()) as Record<string, string>
      const response = await oauth.authorizationCodeGrantRequest(
        as,
        client,
        oauth.None(),
        oauth.validateAuthResponse(as, client, new URLSearchParams({ code: code! })),
        'https://app.example/',
        verifier,
        insecure,
      )
      const tokens = await oauth.processAuthorizationCodeResponse(as, client, response)
      assert.equal(tokens.scope, 'items:read items:write')
    })

    it('oauth4webapi can refresh tokens; after a revocation, it gets invalid_grant', async () => {
      assert.equal(as.revocation_endpoint, `${server.issuer}/revoke`)
      assert.ok(as.grant_types_supported?.includes('refresh_token'))
      const refresh = async (token: string): Promise<oauth.TokenEndpointResponse> => {
        const response = await oauth.refreshTokenGrantRequest(
          as,
          client,
          oauth.None(),
          token,
          insecure,
        )
        return oauth.processRefreshTokenResponse(as, client, response)
      }
      const first = await login(ada)
      const second = await refresh(first.refresh_token!)
      assert.equal((await refresh(first.refresh_token!)).refresh_token, second.refresh_token)
      const revoked = await oauth.revocationRequest(as, client, oauth.None(), second.access_token, {
        ...insecure,
        additionalParameters: { token_type_hint: 'access_token' },
      })
      assert.equal(await oauth.processRevocationResponse(revoked), undefined)
      await assert.rejects(refresh(second.refresh_token!), { error: 'invalid_grant', status: 400 })
    })

    it('oauth4webapi reports invalid_grant for a wrong password', async () => {
      await assert.rejects(login(wrong), {
        name: 'ResponseBodyError',
        error: 'invalid_grant',
        status: 400,
      })
    })
  })
}

describe('simple-oauth2', () => {
  let server: RunningIssuer
  before(async () => {
    server = await startIssuer({})
    await server.register(ada)
  })
  after(() => server.stop())

  /** Returns the status and the code of the error that simple-oauth2 throws. */
  const errorOf = (login: Promise<unknown>): Promise<unknown> =>
    login.then(
      () => assert.fail('the login must fail'),
      ({ isBoom, output, data }) => (assert.ok(isBoom), [output.statusCode, data.payload.error]),
    )

  for (const authorizationMethod of ['header', 'body'] as const) {
    const clientOf = (secret = ''): ResourceOwnerPassword =>
      new ResourceOwnerPassword({
        client: { id: 'first-party', secret },
        auth: {
          tokenHost: new URL(server.issuer).origin,
          tokenPath: '/auth/token',
          revokePath: '/auth/revoke',
        },
        options: { authorizationMethod },
      })

    it(`simple-oauth2 logs in with an empty secret (${authorizationMethod})`, async (t) => {
      t.diagnostic(versionOf('simple-oauth2'))
      const accessToken = await clientOf().getToken(ada)
      assert.equal(accessToken.expired(), false)
      assert.equal(accessToken.expired(601), true)
      assert.equal(accessToken.token.scope, 'items:read items:write')
    })

    it(`simple-oauth2 refreshes and revokes tokens (${authorizationMethod})`, async () => {
      for (const type of ['access_token', 'refresh_token'] as const) {
        const first = await clientOf().getToken(ada)
        const second = await first.refresh()
        assert.notEqual(second.token.refresh_token, first.token.refresh_token)
        await second.revoke(type)
        assert.deepEqual(await errorOf(second.refresh()), [400, 'invalid_grant'])
      }
      const third = await clientOf().getToken(ada)
      await third.revokeAll()
      assert.deepEqual(await errorOf(third.refresh()), [400, 'invalid_grant'])
    })

    it(`simple-oauth2 gets only the scope that was granted (${authorizationMethod})`, async () => {
      const { token } = await clientOf().getToken({ ...ada, scope: 'items:read users:write' })
      assert.equal(token.scope, 'items:read')
    })

    it(`simple-oauth2 reports invalid_grant for a bad login (${authorizationMethod})`, async () => {
      assert.deepEqual(await errorOf(clientOf().getToken(wrong)), [400, 'invalid_grant'])
    })

    it(`simple-oauth2 gets invalid_client for a bad secret (${authorizationMethod})`, async () => {
      assert.deepEqual(await errorOf(clientOf('x').getToken(ada)), [401, 'invalid_client'])
    })
  }
})

interface CapturedRequest {
  readonly u: string
  readonly ua: string
  readonly ct: string
  readonly accept: string
  readonly auth?: string
  readonly body: string
  /** The status of the answer. Missing for Swagger UI, whose login succeeded. */
  readonly status?: number
}

describe('login requests that were captured from OAuth clients', () => {
  const { requests, later } = JSON.parse(
    readFileSync(new URL('vectors/client-requests.json', import.meta.url), 'utf8'),
  ) as {
    readonly requests: readonly CapturedRequest[]
    /** Refreshes and revocations. */
    readonly later: readonly CapturedRequest[]
  }
  const cli = { username: 'cli', password: 'a captured password' }
  let server: RunningIssuer
  before(async () => {
    server = await startIssuer({})
    await server.register(cli)
    await server.register({ username: 'al', password: 'a pass+word & ü' })
  })
  after(() => server.stop())

  /**
   * Sends the captured bytes. Replaces the client id "default" with the id of our client, and fills
   * in the password.
   */
  function send(
    captured: CapturedRequest,
    {
      clientId,
      password = cli.password,
      token = '',
    }: {
      readonly clientId: string
      readonly password?: string
      readonly token?: string
    },
  ): Promise<Response> {
    const credentials =
      captured.auth && Buffer.from(captured.auth.slice('Basic '.length), 'base64').toString()
    const renamed = credentials?.replace('default', clientId)
    return fetch(`${server.issuer}${captured.u}`, {
      method: 'POST',
      headers: {
        'content-type': captured.ct,
        accept: captured.accept,
        'user-agent': captured.ua,
        ...(renamed !== undefined && {
          authorization: `Basic ${Buffer.from(renamed).toString('base64')}`,
        }),
      },
      body: captured.body
        .replace('client_id=default', `client_id=${clientId}`)
        .replace('password=…', new URLSearchParams({ password }).toString())
        .replace('token=…', new URLSearchParams({ token }).toString()),
    })
  }
  const hasSecret = ({ auth }: CapturedRequest): boolean => auth === 'Basic ZGVmYXVsdDp4'
  const label = ({ ua, auth, body }: CapturedRequest): string => {
    const credentials = auth
      ? `Basic "${Buffer.from(auth.slice(6), 'base64').toString()}"`
      : body.replace(/=[^&]*/g, '')
    return `${ua || 'an unnamed client'}, ${credentials}`
  }

  it('the test has ten captured login requests; only one of the requests has a secret', () => {
    assert.equal(requests.length, 10)
    assert.equal(requests.filter(hasSecret).length, 1)
  })

  for (const [i, captured] of requests.entries()) {
    const isRefused = captured.status === 400
    const outcome = isRefused ? 'invalid_grant' : 'a token'
    if (hasSecret(captured)) {
      it(`captured login request ${i + 1} with a secret fails: ${label(captured)}`, async () => {
        const response = await send(captured, { clientId: 'first-party' })
        const { error } = (await response.json()) as { readonly error: string }
        assert.deepEqual([response.status, error], [401, 'invalid_client'])
      })
    } else {
      it(`captured login request ${i + 1} gets ${outcome}: ${label(captured)}`, async () => {
        const password = isRefused ? 'not the one' : cli.password
        const response = await send(captured, { clientId: 'first-party', password })
        const body = (await response.json()) as {
          readonly error?: string
          readonly access_token?: string
        }
        assert.equal(response.status, captured.status ?? 200)
        assert.equal(response.headers.get('cache-control'), 'no-store')
        if (isRefused) assert.equal(body.error, 'invalid_grant')
        else assert.equal(decodeJwtUnsafe(body.access_token!).claims['client_id'], 'first-party')
      })
    }
  }

  for (const [i, captured] of later.entries()) {
    const isRefresh = captured.u === '/token'
    const kind = isRefresh ? 'refresh' : 'revocation'
    const outcome = hasSecret(captured) ? 'is refused' : 'succeeds'
    it(`captured ${kind} request ${i + 1} ${outcome}: ${label(captured)}`, async () => {
      const login = await send(requests[0]!, { clientId: 'first-party' })
      const { refresh_token: token } = (await login.json()) as { readonly refresh_token: string }
      const { status } = await send(captured, { clientId: 'first-party', token })
      assert.equal(status, hasSecret(captured) ? 401 : 200)
      const again = await send(later[0]!, { clientId: 'first-party', token })
      assert.equal(again.status, isRefresh || hasSecret(captured) ? 200 : 400)
    })
  }

  it('captured login requests for an unknown client get 401 invalid_client', async () => {
    const named = requests.filter(({ auth }) => auth !== 'Basic Og==')
    for (const captured of named) {
      const response = await send(captured, { clientId: 'stranger' })
      const { error } = (await response.json()) as { readonly error: string }
      assert.deepEqual([response.status, error], [401, 'invalid_client'], label(captured))
    }
    assert.equal(named.length, 9)
  })
})
