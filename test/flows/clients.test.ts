import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Hono } from 'hono'
import { createGuard } from 'keystile/hono'
import { decodeJwtUnsafe } from 'keystile/jwt'
import {
  bothDirectories,
  createTestClock,
  describeOnBoth,
  password,
  tokensOf,
  type Answer,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { byOperator } from '../../packages/server/test-support/whole-server.ts'
import { until } from '../../tools/until.ts'

const scopes = { 'items:read': 'Read items', 'items:write': 'Change items' }
const machine = { grant_type: 'client_credentials' }
const people = { grants: ['password', 'refresh_token'], scopes: ['items:read'] } as const

const token = ({ send }: TestKeystile, form: Readonly<Record<string, string>>): Promise<Answer> =>
  send('POST', '/token', { form })
const errorOf = ({ status, json }: Answer): readonly unknown[] => [status, json['error']]

describeOnBoth(
  'a registered client',
  (stage) => {
    it('a client gets a token for itself, without user and session (RFC 6749 §4.4)', async () => {
      const keystile = await stage.start({ scopes })
      const orders = await keystile.addClient({ scopes: ['items:read'] })
      const { status, json, headers } = await token(keystile, { ...machine, ...orders })
      assert.equal(status, 200)
      assert.equal(headers.get('cache-control'), 'no-store')
      assert.deepEqual(
        { ...json, access_token: '' },
        { access_token: '', token_type: 'bearer', expires_in: 600, scope: 'items:read' },
      )
      const { claims } = decodeJwtUnsafe(json['access_token'])
      assert.deepEqual(
        [claims.sub, claims['client_id'], claims['scope']],
        ['orders', 'orders', 'items:read'],
      )
      assert.ok(!('sid' in claims) && !('auth_time' in claims))
      assert.deepEqual(await stage.sql('select * from session'), [])
    })

    it('a client’s own token opens only routes whose guards need no user', async () => {
      const keystile = await stage.start({ scopes })
      const orders = await keystile.addClient({ scopes: ['items:read'] })
      const bearer = (await token(keystile, { ...machine, ...orders })).json[
        'access_token'
      ] as string
      const guard = createGuard({ verifier: keystile.keystile.verifier, scopes })
      const app = new Hono().get('/', guard('items:read'), (c) => c.text(c.var.identity.subject))
      const answer = await app.request('/', { headers: { authorization: `Bearer ${bearer}` } })
      assert.deepEqual([answer.status, await answer.text()], [200, 'orders'])
      assert.equal((await keystile.open([], { bearer })).status, 401)
      assert.equal((await keystile.send('GET', '/users/me/sessions', { bearer })).status, 401)
    })

    it('a client gets only declared scopes that were registered for the client', async () => {
      const keystile = await stage.start({ scopes })
      const orders = await keystile.addClient({ scopes: ['items:read', 'gone'] })
      const ask = async (scope: string): Promise<unknown> =>
        (await token(keystile, { ...machine, ...orders, scope })).json['scope']
      assert.equal(await ask('items:read items:write'), 'items:read')
      assert.equal(await ask('items:write'), '')
      assert.equal(await ask(''), 'items:read')
      assert.deepEqual(errorOf(await token(keystile, { ...machine, ...orders, scope: 'gone' })), [
        400,
        'invalid_scope',
      ])
    })

    it('a client gets unauthorized_client for a grant that it lacks (RFC 9700 §2.4)', async () => {
      const keystile = await stage.start({ scopes })
      await keystile.addUser()
      const login = { grant_type: 'password', username: 'ada', password }
      const { refreshToken } = tokensOf((await keystile.login()).json)
      const refresh = { grant_type: 'refresh_token', refresh_token: refreshToken }
      const orders = await keystile.addClient()
      const login_only = await keystile.addClient({ id: 'login-only', grants: ['password'] })
      const cases: readonly (readonly [
        Readonly<Record<string, string>>,
        number,
        string | undefined,
      ])[] = [
        [{ ...login, ...orders }, 400, 'unauthorized_client'],
        [{ ...refresh, ...orders }, 400, 'unauthorized_client'],
        [{ ...machine, ...login_only }, 400, 'unauthorized_client'],
        [{ ...refresh, ...login_only }, 400, 'unauthorized_client'],
        [machine, 400, 'unauthorized_client'],
        [{ grant_type: 'other', ...orders }, 400, 'unsupported_grant_type'],
        [{ ...login, ...login_only }, 200, undefined],
      ]
      for (const [form, status, error] of cases)
        assert.deepEqual(
          errorOf(await token(keystile, form)),
          [status, error],
          JSON.stringify(form),
        )
      assert.equal((await keystile.refresh(refreshToken)).status, 200)
    })

    it('a login gets only its client’s scopes; a refresh needs the client’s secret', async () => {
      const keystile = await stage.start({ scopes, defaultScopes: ['items:read', 'items:write'] })
      await keystile.addUser()
      const web = await keystile.addClient({ id: 'web', ...people })
      const spa = await keystile.addClient({ id: 'spa', ...people, confidential: false })
      const logged = (await token(keystile, { username: 'ada', password, ...web })).json
      assert.equal(logged['scope'], 'items:read')
      assert.equal(decodeJwtUnsafe(logged['access_token']).claims['client_id'], 'web')
      const refresh_token = logged['refresh_token'] as string
      const refresh = (client: Readonly<Record<string, string>>): Promise<Answer> =>
        token(keystile, { grant_type: 'refresh_token', refresh_token, ...client })
      assert.deepEqual(errorOf(await refresh({})), [400, 'invalid_grant'])
      assert.deepEqual(errorOf(await refresh(spa)), [400, 'invalid_grant'])
      assert.deepEqual(errorOf(await refresh({ client_id: 'web' })), [401, 'invalid_client'])
      assert.deepEqual(errorOf(await refresh({ ...web, client_secret: 'x' })), [
        401,
        'invalid_client',
      ])
      const refreshed = await refresh(web)
      assert.deepEqual([refreshed.status, refreshed.json['scope']], [200, 'items:read'])
    })

    it('without the grant refresh_token, a session expires with its access token', async () => {
      const clock = createTestClock()
      const keystile = await stage.start({ clock })
      await keystile.addUser()
      const kiosk = await keystile.addClient({ id: 'kiosk', grants: ['password'] })
      const { status, json } = await token(keystile, { username: 'ada', password, ...kiosk })
      assert.deepEqual([status, 'refresh_token' in json], [200, false])
      const { subject } = tokensOf(json)
      assert.equal((await keystile.keystile.sessions.list(subject)).length, 1)
      clock.advance(600)
      assert.deepEqual(await keystile.keystile.sessions.list(subject), [])
    })

    it('a client revokes only its own tokens, and needs its secret (RFC 7009 §2.1)', async () => {
      const keystile = await stage.start()
      await keystile.addUser()
      const web = await keystile.addClient({ id: 'web', ...people, scopes: [] })
      const orders = await keystile.addClient()
      const { accessToken, refreshToken } = tokensOf(
        (await token(keystile, { username: 'ada', password, ...web })).json,
      )
      const revoke = async (form: Readonly<Record<string, string>>): Promise<readonly unknown[]> =>
        errorOf(await keystile.send('POST', '/revoke', { form }))
      for (const text of [accessToken, refreshToken]) {
        assert.deepEqual(await revoke({ token: text }), [400, 'invalid_grant'])
        assert.deepEqual(await revoke({ token: text, ...orders }), [400, 'invalid_grant'])
        assert.deepEqual(await revoke({ token: text, client_id: 'web' }), [401, 'invalid_client'])
      }
      assert.equal((await keystile.open([], { bearer: accessToken })).status, 200)
      assert.deepEqual(await revoke({ token: refreshToken, ...web }), [200, undefined])
      assert.equal((await keystile.open([], { bearer: accessToken })).status, 401)
    })

    it('a user’s token from any client but first-party cannot list or end sessions', async () => {
      const keystile = await stage.start()
      await keystile.addUser()
      const { refreshToken } = tokensOf((await keystile.login()).json)
      const kiosk = await keystile.addClient({ id: 'kiosk', grants: ['password'] })
      const bearer = (await token(keystile, { username: 'ada', password, ...kiosk })).json[
        'access_token'
      ] as string
      const ends: readonly (readonly [string, string])[] = [
        ['GET', '/users/me/sessions'],
        ['DELETE', '/users/me/sessions'],
        ['DELETE', `/users/me/sessions/${tokensOf((await keystile.login()).json).sessionId}`],
      ]
      for (const [method, path] of ends)
        assert.equal((await keystile.send(method, path, { bearer })).status, 403, path)
      assert.equal((await keystile.refresh(refreshToken)).status, 200)
      assert.equal((await keystile.open([], { bearer })).status, 200)
    })

    it('a client’s own token never has users:read or users:write', async () => {
      const keystile = await stage.start({ scopes })
      const mixed = await keystile.addClient({
        grants: ['password', 'client_credentials'],
        scopes: ['items:read', 'users:read', 'users:write'],
      })
      assert.equal((await token(keystile, { ...machine, ...mixed })).json['scope'], 'items:read')
      const asked = await token(keystile, { ...machine, ...mixed, scope: 'users:write' })
      assert.equal(asked.json['scope'], '')
    })

    it('POST /revoke refuses a client’s own token (RFC 7009 §2.2.1)', async () => {
      const keystile = await stage.start()
      const [orders, billing] = [
        await keystile.addClient(),
        await keystile.addClient({ id: 'billing' }),
      ]
      const own = (await token(keystile, { ...machine, ...orders })).json['access_token'] as string
      const revoke = async (form: Readonly<Record<string, string>>): Promise<readonly unknown[]> =>
        errorOf(await keystile.send('POST', '/revoke', { form }))
      assert.deepEqual(await revoke({ token: own, ...orders }), [400, 'unsupported_token_type'])
      assert.deepEqual(await revoke({ token: own, ...billing }), [400, 'invalid_grant'])
    })

    it('all processes refuse a disabled client and its tokens', async () => {
      const [keystile, other] = [await stage.start(), await stage.start()]
      const subject = await keystile.addUser()
      const web = await keystile.addClient({
        id: 'web',
        grants: ['password', 'refresh_token', 'client_credentials'],
      })
      const own = (await token(keystile, { ...machine, ...web })).json['access_token'] as string
      const { accessToken, refreshToken } = tokensOf(
        (await token(keystile, { username: 'ada', password, ...web })).json,
      )
      const untouched = tokensOf((await keystile.login()).json).accessToken
      await keystile.clients.disable('web', byOperator)
      for (const bearer of [own, accessToken])
        await assert.rejects(keystile.keystile.verifier.verify(bearer), {
          message: 'Token has been revoked',
        })
      const refreshed = await token(keystile, {
        grant_type: 'refresh_token',
        refresh_token: refreshToken,
        ...web,
      })
      assert.deepEqual(errorOf(refreshed), [401, 'invalid_client'])
      assert.deepEqual(errorOf(await token(keystile, { ...machine, ...web })), [
        401,
        'invalid_client',
      ])
      assert.equal((await keystile.open([], { bearer: untouched })).status, 200)
      assert.deepEqual(
        (await keystile.keystile.sessions.list(subject)).map(({ clientId }) => clientId),
        ['first-party'],
      )
      await until(async () => (await other.open([], { bearer: accessToken })).status === 401)
    })
  },
  bothDirectories,
)

describeOnBoth(
  'POST /introspect',
  (stage) => {
    const start = async (): Promise<{
      readonly keystile: TestKeystile
      ask(token: string): Promise<Answer>
    }> => {
      const keystile = await stage.start({ scopes, defaultScopes: ['items:read', 'items:write'] })
      const api = await keystile.addClient({ id: 'api', grants: [], may: ['introspect'] })
      return {
        keystile,
        ask: (text) => keystile.send('POST', '/introspect', { form: { ...api, token: text } }),
      }
    }
    const inactive = [200, '{"active":false}']

    it('POST /introspect returns the claims of an active token (RFC 7662 §2.2)', async () => {
      const { keystile, ask } = await start()
      const { accessToken, subject, sessionId } = await keystile.tokens()
      const { status, json, headers } = await ask(accessToken)
      assert.deepEqual([status, headers.get('cache-control')], [200, 'no-store'])
      const { claims } = decodeJwtUnsafe(accessToken)
      assert.deepEqual(json, { active: true, token_type: 'bearer', ...claims })
      const { sub, sid, scope } = json as Record<string, unknown>
      assert.deepEqual([sub, sid, scope], [subject, sessionId, 'items:read items:write'])
      const orders = await keystile.addClient()
      const own = (await token(keystile, { ...machine, ...orders })).json['access_token']
      const { json: machineJson } = await ask(own)
      assert.deepEqual(
        [machineJson['active'], machineJson['sub'], 'sid' in machineJson],
        [true, 'orders', false],
      )
    })

    it('POST /introspect returns only {"active":false} for an unusable token', async () => {
      const clock = createTestClock()
      const keystile = await stage.start({ clock })
      const api = await keystile.addClient({ id: 'api', grants: [], may: ['introspect'] })
      const ask = async (text: string): Promise<readonly unknown[]> => {
        const { status, text: body } = await keystile.send('POST', '/introspect', {
          form: { ...api, token: text },
        })
        return [status, body]
      }
      const { accessToken, refreshToken, sessionId } = await keystile.tokens()
      const [header, payload] = accessToken.split('.')
      for (const text of ['x', refreshToken, `${header}.${payload}.${'A'.repeat(86)}`])
        assert.deepEqual(await ask(text), inactive)
      await keystile.keystile.sessions.revoke(sessionId)
      assert.deepEqual(await ask(accessToken), inactive)
      const later = tokensOf((await keystile.login()).json).accessToken
      assert.equal((await ask(later))[1] === '{"active":false}', false)
      clock.advance(606)
      assert.deepEqual(await ask(later), inactive)
    })

    it('POST /introspect returns {"active":false} for the token of a disabled user', async () => {
      const { keystile, ask } = await start()
      const { accessToken, subject } = await keystile.tokens()
      await keystile.disable(subject)
      const { status, text } = await ask(accessToken)
      assert.deepEqual([status, text], inactive)
    })

    it('POST /introspect accepts only a client that may introspect (RFC 7662 §2.1)', async () => {
      const { keystile } = await start()
      const { accessToken } = await keystile.tokens()
      const orders = await keystile.addClient()
      const ask = async (form: Readonly<Record<string, string>>): Promise<readonly unknown[]> =>
        errorOf(await keystile.send('POST', '/introspect', { form }))
      assert.deepEqual(await ask({ token: accessToken }), [400, 'unauthorized_client'])
      assert.deepEqual(await ask({ token: accessToken, ...orders }), [400, 'unauthorized_client'])
      assert.deepEqual(await ask({ token: accessToken, client_id: 'api' }), [401, 'invalid_client'])
      assert.deepEqual(await ask({ token: accessToken, client_id: 'api', client_secret: 'x' }), [
        401,
        'invalid_client',
      ])
      const may = await keystile.addClient({ id: 'other', grants: [], may: ['introspect'] })
      assert.deepEqual(await ask(may), [400, 'invalid_request'])
    })
  },
  bothDirectories,
)
