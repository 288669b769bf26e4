// Tests of protectedResource in each framework. The client is oauth4webapi: it reads the challenge,
// finds the metadata and checks it by RFC 9728.
import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { describe, it, type TestContext } from 'node:test'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import express4 from 'express-4'
import Fastify from 'fastify'
import { Hono } from 'hono'
import { protectedResource, type GuardOptions, type ProtectedResource } from 'keystile'
import * as inExpress from 'keystile/express'
import * as inFastify from 'keystile/fastify'
import * as inHono from 'keystile/hono'
import * as inNode from 'keystile/node'
import { createTestIssuer, type TestIssuer } from 'keystile/testing'
import * as inWeb from 'keystile/web'
import * as oauth from 'oauth4webapi'
import { serve, type Served } from './client.ts'

const scopes = { 'items:read': 'Read items', 'items:write': 'Change items' }
type Options = GuardOptions<keyof typeof scopes, undefined>

/**
 * Makes an app that answers the metadata and two routes:
 *
 *     GET /items        guard('items:read') -> ok
 *     GET /items/recent guard({ maxAgeSeconds: 300 }) -> ok
 *     anything else     -> 404
 */
type MakeApp = (
  published: ProtectedResource | undefined,
  options: Options,
) => RequestListener | Promise<RequestListener>

const inExpressApp =
  (createApp: typeof express): MakeApp =>
  (published, options) => {
    const guard = inExpress.createGuard(options)
    const app = createApp()
    if (published) app.use(inExpress.mount(published))
    app.get('/items', guard('items:read'), (_req, res) => void res.send('ok'))
    return app.get('/items/recent', guard({ maxAgeSeconds: 300 }), (_req, res) => {
      res.send('ok')
    })
  }

const apps: Readonly<Record<string, MakeApp>> = {
  Hono(published, options) {
    const guard = inHono.createGuard(options)
    const app = new Hono()
    if (published) app.use(inHono.mount(published))
    app.get('/items', guard('items:read'), (c) => c.text('ok'))
    app.get('/items/recent', guard({ maxAgeSeconds: 300 }), (c) => c.text('ok'))
    return getRequestListener(app.fetch)
  },
  async Fastify(published, options) {
    const guard = inFastify.createGuard(options)
    const app = Fastify()
    if (published) await app.register(inFastify.mount(published))
    app.get('/items', { onRequest: guard('items:read') }, () => 'ok')
    app.get('/items/recent', { onRequest: guard({ maxAgeSeconds: 300 }) }, () => 'ok')
    await app.ready()
    return (request, response) => app.routing(request, response)
  },
  'Express 5': inExpressApp(express),
  'Express 4': inExpressApp(express4),
  'node:http'(published, options) {
    const guard = inNode.createGuard(options)
    const mounted: inNode.NodeMiddleware = published
      ? inNode.mount(published)
      : async (_request, _response, next) => void (await next())
    const guards = new Map([
      ['/items', guard('items:read')],
      ['/items/recent', guard({ maxAgeSeconds: 300 })],
    ])
    return (request, response) =>
      void mounted(request, response, () => {
        const guarded = guards.get(request.url ?? '')
        if (guarded) return guarded(request, response, () => response.end('ok'))
        return response.writeHead(404).end()
      })
  },
  'a handler over a web Request'(published, options) {
    const guard = inWeb.createGuard(options)
    const answer = published && inWeb.mount(published)
    const ok = (): Response => new Response('ok')
    const routes = new Map([
      ['/items', guard('items:read')(ok)],
      ['/items/recent', guard({ maxAgeSeconds: 300 })(ok)],
    ])
    return getRequestListener(async (request) => {
      const handle = routes.get(new URL(request.url).pathname)
      return (await answer?.(request)) ?? handle?.(request) ?? new Response(null, { status: 404 })
    })
  },
}

interface Stage {
  readonly resource: string
  readonly issuer: TestIssuer
  readonly served: Served
}

/** Serves an app whose resource has this path, on a port that its URL must name beforehand. */
async function start(
  t: TestContext,
  makeApp: MakeApp,
  path: string,
  mounted = true,
): Promise<Stage> {
  let listener: RequestListener = (_request, response) => void response.writeHead(503).end()
  const served = await serve((request, response) => listener(request, response))
  t.after(() => served.close())

  const resource = `http://127.0.0.1:${served.port}${path}`
  const issuer = createTestIssuer({ audience: resource })
  const { verifier } = issuer
  const published = mounted ? protectedResource({ resource, verifier, scopes }) : undefined
  listener = await makeApp(published, { verifier, scopes })
  return { resource, issuer, served }
}

const insecure = { [oauth.allowInsecureRequests]: true }

/** Returns the parameters of the challenge that the client gets with this token. */
async function challengeOf(
  { served }: Stage,
  path: string,
  token: string,
): Promise<oauth.WWWAuthenticateChallengeParameters> {
  const url = new URL(`http://127.0.0.1:${served.port}${path}`)
  const asked = oauth.protectedResourceRequest(token, 'GET', url, undefined, undefined, insecure)
  const error = await asked.then(
    ({ status }) => assert.fail(`answered ${status}`),
    (cause: unknown) => cause,
  )
  assert.ok(error instanceof oauth.WWWAuthenticateChallengeError)
  assert.equal(error.cause.length, 1)
  return error.cause[0]?.parameters ?? {}
}

describe('protectedResource', () => {
  for (const [framework, makeApp] of Object.entries(apps)) {
    for (const path of ['', '/items']) {
      it(`oauth4webapi finds resource metadata of path "${path}" in ${framework}`, async (t) => {
        const stage = await start(t, makeApp, path)
        const { resource_metadata } = await challengeOf(stage, '/items', 'wrong')
        const response = await oauth.resourceDiscoveryRequest(new URL(stage.resource), insecure)
        assert.equal(response.url, resource_metadata)
        assert.equal(response.headers.get('x-content-type-options'), 'nosniff')

        const found = await oauth.processResourceDiscoveryResponse(
          new URL(stage.resource),
          response,
        )
        assert.deepEqual(found, {
          resource: stage.resource,
          authorization_servers: [stage.issuer.issuer],
          bearer_methods_supported: ['header'],
          scopes_supported: ['items:read', 'items:write'],
        })
      })
    }

    it(`every challenge in ${framework} names the resource metadata (RFC 9728 §5.1)`, async (t) => {
      const stage = await start(t, makeApp, '/items')
      const origin = `http://127.0.0.1:${stage.served.port}`
      const metadata = `${origin}/.well-known/oauth-protected-resource/items`
      const authenticatedAt = new Date(Date.now() - 3_600_000)
      for (const [at, token, error] of [
        ['/items', 'wrong', 'invalid_token'],
        ['/items', stage.issuer.token(), 'insufficient_scope'],
        [
          '/items/recent',
          stage.issuer.token({ authenticatedAt }),
          'insufficient_user_authentication',
        ],
      ] as const) {
        const challenge = await challengeOf(stage, at, token)
        assert.equal(challenge['error'], error)
        assert.equal(challenge['resource_metadata'], metadata)
      }

      const { status, headers } = await stage.served.send({ path: '/items' })
      assert.equal(status, 401)
      assert.equal(
        headers['www-authenticate'],
        `Bearer realm="${stage.issuer.issuer}", resource_metadata="${metadata}"`,
      )
    })

    it(`without mounted metadata, ${framework} challenges have no resource_metadata`, async (t) => {
      const stage = await start(t, makeApp, '', false)
      const { headers } = await stage.served.send({ path: '/items' })
      assert.equal(headers['www-authenticate'], `Bearer realm="${stage.issuer.issuer}"`)
      const { status } = await stage.served.send({ path: '/.well-known/oauth-protected-resource' })
      assert.equal(status, 404)
    })

    it(`in ${framework}, all origins can read metadata; X-Forwarded-Host is ignored`, async (t) => {
      const { served, issuer, resource } = await start(t, makeApp, '')
      const path = '/.well-known/oauth-protected-resource'
      const sent = ['Origin', 'https://page.example', 'X-Forwarded-Host', 'evil.example']

      const got = await served.send({ path, headers: sent })
      assert.equal(got.status, 200)
      assert.equal((JSON.parse(got.text) as { resource: string }).resource, resource)
      assert.equal(got.headers['content-type'], 'application/json')
      assert.equal(got.headers['cache-control'], 'public, max-age=300')
      assert.equal(got.headers['access-control-allow-origin'], '*')

      const head = await served.send({ method: 'HEAD', path })
      assert.deepEqual([head.status, head.text], [200, ''])
      assert.equal(head.headers['content-type'], 'application/json')

      const asked = ['Access-Control-Request-Method', 'GET', ...sent]
      const preflight = await served.send({ method: 'OPTIONS', path, headers: asked })
      assert.equal(preflight.status, 204)
      assert.equal(preflight.headers['access-control-allow-origin'], '*')
      assert.equal(preflight.headers['access-control-allow-headers'], '*')

      const posted = await served.send({ method: 'POST', path, body: '{}' })
      assert.deepEqual([posted.status, posted.headers['allow']], [405, 'GET, HEAD, OPTIONS'])

      const authorization = issuer.headers({ scopes: ['items:read'] }).authorization
      const items = await served.send({ path: '/items', headers: ['Authorization', authorization] })
      assert.deepEqual([items.status, items.text], [200, 'ok'])
    })
  }
})
