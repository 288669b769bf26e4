import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { ada, stageClient } from '../../test-support/client-stage.ts'
import { ClientError } from './client-error.ts'
import type { ApiClient } from './client.ts'
import { sidOf } from './token-claims.ts'

describe('a client', () => {
  const stage = stageClient()
  const { start, items, refreshes, hold, settle, read } = stage

  describe('a client with the refresh token in a cookie', () => {
    /** Returns a fetch that keeps a cookie, as a browser does. */
    function cookieFetch(): typeof fetch {
      let cookie = ''
      return async (input, init) => {
        const headers = new Headers(init?.headers)
        if (init?.credentials === 'include' && cookie !== '') headers.set('cookie', cookie)
        const response = await fetch(input, { ...init, headers })
        const [set] = response.headers.getSetCookie()
        if (set) cookie = set.includes('Max-Age=0') ? '' : set.split(';')[0]!
        return response
      }
    }
    const opened: ApiClient[] = []
    /** Opens a tab of one browser. */
    const open = (kept: typeof fetch): ApiClient => {
      const tab = start({ storage: 'cookie', fetch: kept })
      opened.push(tab)
      return tab
    }
    afterEach(() => {
      for (const tab of opened.splice(0)) tab.close()
    })
    /** Waits until another tab of this process has received a message. */
    const heard = async (condition: () => Promise<boolean>): Promise<void> => {
      while (!(await condition())) await settle()
    }
    const isToken = (tab: ApiClient, token: string | undefined) => async (): Promise<boolean> =>
      (await tab.accessToken()) === token

    it('a cookie client logs in with JSON, refreshes and logs out', async () => {
      const tab = open(cookieFetch())
      await tab.login({ ...ada, scopes: ['a', 'b'] })
      const sid = sidOf((await tab.accessToken())!)!
      assert.deepEqual(JSON.parse(stage.server.asked[0]!.body), { ...ada, scope: 'a b' })
      assert.equal(stage.server.asked[0]!.headers['content-type'], 'application/json')
      stage.clock.advance(600)
      assert.equal((await tab.fetch(items())).status, 200)
      await tab.logout()
      assert.equal(await tab.isSignedIn(), false)
      assert.deepEqual(
        stage.server.asked.map(({ route }) => route),
        [
          'POST /auth/session',
          'POST /auth/session/refresh',
          'GET /items',
          `DELETE /auth/session?sid=${sid}`,
        ],
      )
      assert.equal(stage.server.asked[1]!.body, '')
      assert.equal(stage.server.asked[1]!.headers['content-type'], undefined)
    })

    it('a cookie client’s logout request continues even if the page is closed', async () => {
      const kept = cookieFetch()
      const outlives: (boolean | undefined)[] = []
      const tab = open((input, init) => {
        outlives.push(init?.keepalive)
        return kept(input, init)
      })
      await tab.login(ada)
      await tab.logout()
      assert.deepEqual(outlives, [undefined, true])
    })

    it('a cookie client omits the scopes if the app asks for no scopes', async () => {
      await open(cookieFetch()).login(ada)
      assert.deepEqual(JSON.parse(stage.server.asked[0]!.body), ada)
    })

    it('a cookie client without a session tries a refresh only once', async () => {
      const tab = open(cookieFetch())
      let count = 0
      tab.onSignOut(() => count++)
      assert.equal(await tab.isSignedIn(), false)
      assert.equal(await tab.isSignedIn(), false)
      assert.equal((await tab.fetch(items())).status, 401)
      assert.equal(refreshes(), 1)
      assert.equal(count, 0)
    })

    it('isSignedIn() of a cookie client rejects while the issuer is down', async () => {
      stage.server.instead = (_asked, response) => Boolean(response.destroy())
      await assert.rejects(open(cookieFetch()).isSignedIn(), { code: 'temporarily_unavailable' })
    })

    it('the request for the metadata has no cookies, and its error has a cause', async () => {
      const asked: (string | undefined)[] = []
      const tab = open(async (input, { credentials } = {}) => {
        asked.push(credentials)
        return new Request(input).url.includes('.well-known')
          ? Response.json({ issuer: stage.server.issuer })
          : new Response('Not Found', { status: 404 })
      })
      await assert.rejects(tab.login(ada), ({ code, cause }: ClientError) => {
        assert.equal(code, 'no_cookie_sessions')
        return cause instanceof ClientError && cause.status === 404
      })
      assert.deepEqual(asked, ['include', 'omit'])
    })

    it('a cookie client asks for no metadata if the issuer itself has answered 404', async () => {
      const asked: string[] = []
      const tab = open(async (input) => {
        asked.push(new Request(input).url)
        return Response.json({ error: 'invalid_request' }, { status: 404 })
      })
      await assert.rejects(tab.login(ada), { code: 'invalid_request' })
      assert.deepEqual(asked, [`${stage.server.issuer}/session`])
    })

    it('a cookie client rejects with no_cookie_sessions if cookie sessions are off', async () => {
      const metadata = { issuer: stage.server.issuer, token_endpoint: 'x' }
      // A page of the same origin gets 404. For a page of another origin, the browser hides the
      // 404.
      for (const refuse of [
        (response: ServerResponse) => response.writeHead(404).end('Not Found'),
        (response: ServerResponse) => response.destroy(),
      ]) {
        stage.server.instead = ({ route }, response) => {
          if (route === 'GET /auth/.well-known/oauth-authorization-server')
            response.end(JSON.stringify(metadata))
          else refuse(response)
          return true
        }
        const expected = {
          code: 'no_cookie_sessions',
          message:
            `storage: 'cookie' needs cookie sessions, which ${stage.server.issuer} does not have. ` +
            'Fix: set cookieSession: true in createKeystile(), ' +
            'or KEYSTILE_COOKIE_SESSION=true on a stand-alone server',
        }
        const tab = open(cookieFetch())
        await assert.rejects(tab.isSignedIn(), expected)
        await assert.rejects(tab.login(ada), expected)
        await assert.rejects(tab.fetch(items()), expected)
      }
    })

    it('a cookie client treats 404 as an outage if cookie sessions might be on', async () => {
      const withCookies = { issuer: 'x', keystile_session_endpoint: 'x' }
      for (const metadata of [JSON.stringify(withCookies), '{}', 'a login page of a hotel']) {
        stage.server.instead = ({ route }, response) =>
          Boolean(route.startsWith('GET') ? response.end(metadata) : response.writeHead(404).end())
        await assert.rejects(open(cookieFetch()).isSignedIn(), { code: 'temporarily_unavailable' })
      }
    })

    it('a cookie client waits 5 s for the issuer, and tries again at the next call', async (t) => {
      t.mock.timers.enable({ apis: ['setTimeout'] })
      // The real fetch starts only after the mock has ended. During the mock it cannot clear the
      // timers of its kept-alive connections, and they would end requests of later tests.
      const released = Promise.withResolvers<void>()
      const kept = cookieFetch()
      const tab = open((...asked) => released.promise.then(() => kept(...asked)))
      const asked = tab.isSignedIn()
      await settle()
      t.mock.timers.tick(4_999)
      const state = await Promise.race([asked, settle().then(() => 'waiting')])
      assert.equal(state, 'waiting')
      t.mock.timers.tick(1)
      await assert.rejects(asked, { code: 'temporarily_unavailable' })

      t.mock.timers.reset()
      released.resolve()
      assert.equal(await tab.isSignedIn(), false)
    })

    it('two pages with the same cookie are signed in and use the same access token', async () => {
      const kept = cookieFetch()
      const first = open(kept)
      await first.login(ada)
      const next = open(kept)
      assert.equal(await next.isSignedIn(), true)
      assert.equal(refreshes(), 1)
      await heard(isToken(first, await next.accessToken()))
      assert.equal(refreshes(), 1)
    })

    it('ten tabs with one cookie refresh only once', async () => {
      const kept = cookieFetch()
      const tabs = Array.from({ length: 10 }, () => open(kept))
      await tabs[0]!.login(ada)
      const token = await tabs[0]!.accessToken()
      for (const tab of tabs) await heard(isToken(tab, token))
      stage.server.forget()
      stage.clock.advance(600)
      const answers = await Promise.all(tabs.map((tab) => tab.fetch(items())))
      assert.ok(answers.every(({ status }) => status === 200))
      assert.equal(refreshes(), 1)
    })

    it('a logout signs out all tabs with the cookie, even if the issuer is down', async () => {
      const kept = cookieFetch()
      const [one, other] = [open(kept), open(kept)]
      let count = 0
      other.onSignOut(() => count++)
      await one.login(ada)
      await heard(isToken(other, await one.accessToken()))
      stage.server.instead = (_asked, response) => Boolean(response.writeHead(503).end())
      await assert.rejects(one.logout(), { code: 'temporarily_unavailable' })
      await heard(async () => count === 1)
      stage.server.instead = undefined
      await one.logout()
      assert.equal(await open(kept).isSignedIn(), false)
    })

    it('a logout keeps the session of another user who logs in at the same time', async () => {
      const kept = cookieFetch()
      const [one, other] = [open(kept), open(kept)]
      await one.login(ada)
      await heard(isToken(other, await one.accessToken()))
      const held = hold('POST /auth/session')
      stage.server.forget()
      const loggedIn = other.login({ ...ada, username: 'bob' })
      await held.arrived
      const loggedOut = one.logout()
      held.release()
      await Promise.all([loggedIn, loggedOut])
      assert.equal(
        stage.server.askedFor('POST /auth/revoke').length,
        1,
        'the session of the user who logged out must end',
      )
      assert.equal((await read(await one.fetch(items()))).owner, 'bob')
    })

    it('if no user is signed in, logout keeps the session of a simultaneous login', async () => {
      const kept = cookieFetch()
      const [one, other] = [open(kept), open(kept)]
      const held = hold('POST /auth/session')
      const loggedIn = other.login({ ...ada, username: 'bob' })
      await held.arrived
      const loggedOut = one.logout()
      held.release()
      await Promise.all([loggedIn, loggedOut])
      assert.equal(stage.server.asked.length, 1)
      assert.equal((await read(await one.fetch(items()))).owner, 'bob')
    })

    it('if a page has not learned its session id yet, client.logout omits `sid`', async () => {
      const kept = cookieFetch()
      await open(kept).login(ada)
      await settle()
      stage.server.forget()
      await open(kept).logout()
      assert.equal(stage.server.askedFor('DELETE /auth/session').length, 1)
      assert.equal(await open(kept).isSignedIn(), false)
    })

    it('a cookie client stays signed out if a refresh ends after the logout', async () => {
      const kept = cookieFetch()
      await open(kept).login(ada)
      await settle()
      const held = hold('POST /auth/session/refresh')
      stage.server.forget()
      const tab = open(kept)
      const isSignedIn = tab.isSignedIn()
      await held.arrived
      const loggedOut = tab.logout()
      held.release()
      assert.equal(await isSignedIn, false)
      await loggedOut
      assert.equal(await tab.isSignedIn(), false)
    })

    it('a cookie client does not refresh if another tab logs out at the same time', async () => {
      const kept = cookieFetch()
      const [one, other] = [open(kept), open(kept)]
      await one.login(ada)
      await heard(isToken(other, await one.accessToken()))
      stage.clock.advance(600)
      stage.server.forget()
      const held = hold('POST /auth/session')
      const failed = assert.rejects(one.login({ ...ada, password: 'wrong' }))
      await held.arrived
      const token = other.accessToken()
      const loggedOut = one.logout()
      await heard(async () => !(await other.isSignedIn()))
      held.release()
      assert.equal(await token, undefined)
      await Promise.all([failed, loggedOut])
      assert.equal(refreshes(), 0)
    })

    it('client.logout rejects if no user is signed in and the issuer answers 400', async () => {
      stage.server.instead = (_asked, response) =>
        Boolean(response.writeHead(400).end('{"error":"invalid_grant"}'))
      await assert.rejects(open(cookieFetch()).logout(), { code: 'invalid_grant' })
      assert.equal(stage.server.asked.length, 1)
    })

    describe('a cookie client after another login has replaced the cookie', () => {
      let kept: typeof fetch
      let tabs: readonly ApiClient[]
      let counts: number[]
      beforeEach(async () => {
        kept = cookieFetch()
        tabs = [open(kept), open(kept)]
        counts = [0, 0]
        for (const [n, tab] of tabs.entries()) tab.onSignOut(() => counts[n]!++)
        await tabs[0]!.login(ada)
        await heard(isToken(tabs[1]!, await tabs[0]!.accessToken()))
        // The other login comes from a page of another origin, which shares only the cookie.
        const body = JSON.stringify({ ...ada, username: 'bob' })
        await kept(`${stage.server.issuer}/session`, {
          method: 'POST',
          credentials: 'include',
          body,
        })
        stage.server.forget()
      })
      const post = (): Promise<Response> =>
        tabs[0]!.fetch(items(), { method: 'POST', body: 'of ada' })
      const posted = (): readonly (string | undefined)[] =>
        stage.server.askedFor('POST /items').map(({ headers }) => headers.authorization)

      it('if Bob’s cookie replaced Ada’s, Ada’s client.fetch does not retry a 401', async () => {
        stage.server.refuseAccessTokens()
        assert.equal((await post()).status, 401)
        assert.equal(posted().length, 1)
        await heard(async () => counts[1] === 1)
        assert.deepEqual(counts, [1, 1])
        for (const tab of tabs) assert.equal((await read(await tab.fetch(items()))).owner, 'bob')
        assert.equal(refreshes(), 1)
        assert.deepEqual(counts, [1, 1])
      })

      it('if Bob’s cookie replaced Ada’s, Ada’s next client.fetch sends no token', async () => {
        stage.clock.advance(550)
        assert.equal((await post()).status, 401)
        assert.deepEqual(posted(), [undefined])
        await heard(async () => counts[1] === 1)
        for (const tab of tabs) assert.equal((await read(await tab.fetch(items()))).owner, 'bob')
        assert.deepEqual(counts, [1, 1])
      })

      it('if Bob’s cookie replaced Ada’s, Ada’s next accessToken() is undefined', async () => {
        stage.clock.advance(600)
        assert.equal(await tabs[0]!.accessToken(), undefined)
        assert.notEqual(await tabs[0]!.accessToken(), undefined)
        assert.equal(await tabs[0]!.isSignedIn(), true)
      })

      it('if Bob’s cookie replaced Ada’s, Ada’s client.logout does not log out Bob', async () => {
        const token = (await tabs[0]!.accessToken())!
        await tabs[0]!.logout()
        assert.deepEqual(
          stage.server.asked.map(({ route, body, headers }) => [
            route,
            body,
            headers.cookie !== undefined,
          ]),
          [
            [`DELETE /auth/session?sid=${sidOf(token)}`, '', true],
            ['POST /auth/revoke', `token=${token}`, false],
          ],
        )
        await heard(async () => counts[1] === 1)
        assert.deepEqual(counts, [1, 1])
        const refused = await fetch(items(), { headers: { authorization: `Bearer ${token}` } })
        assert.equal(refused.status, 401)
        assert.equal((await read(await open(kept).fetch(items()))).owner, 'bob')
      })

      it('if DELETE /session gets 503, client.logout rejects and sends no revocation', async () => {
        stage.server.instead = (_asked, response) => Boolean(response.writeHead(503).end())
        await assert.rejects(tabs[0]!.logout(), { code: 'temporarily_unavailable', status: 503 })
        assert.equal(stage.server.asked.length, 1)
      })

      it('a new page uses the cookie of the last login and emits no sign-out event', async () => {
        for (const tab of tabs) tab.close()
        const next = open(kept)
        let count = 0
        next.onSignOut(() => count++)
        assert.equal((await read(await next.fetch(items()))).owner, 'bob')
        assert.equal(count, 0)
      })
    })
  })
})
