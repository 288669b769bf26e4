import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { ada, stageClient } from '../../test-support/client-stage.ts'
import type { ApiClient } from './client.ts'
import { memoryStorage, type TokenStorage } from './token-storage.ts'

describe('the session of a client', () => {
  const stage = stageClient()
  const { start, items, bearers, refreshes, answerTokens, hold, stored, settle, read } = stage

  describe('how a client refreshes its session', () => {
    beforeEach(async () => {
      await stage.client.login(ada)
      stage.server.forget()
    })

    it('a client refreshes a token in its last 60 s, or last 10 % if that is less', async () => {
      stage.clock.advance(539)
      await stage.client.fetch(items())
      assert.equal(refreshes(), 0)
      stage.clock.advance(1)
      await stage.client.fetch(items())
      assert.equal(refreshes(), 1)
      assert.equal(new Set(bearers()).size, 2)
      stage.server.accessTokenSeconds = 100
      stage.clock.advance(600)
      await stage.client.accessToken()
      stage.clock.advance(89)
      await stage.client.accessToken()
      assert.equal(refreshes(), 2)
      stage.clock.advance(1)
      await stage.client.accessToken()
      assert.equal(refreshes(), 3)
      stage.server.accessTokenSeconds = 86_400
      stage.clock.advance(100)
      await stage.client.accessToken()
      stage.clock.advance(86_339.999)
      await stage.client.accessToken()
      assert.equal(refreshes(), 4)
      stage.clock.advance(0.001)
      await stage.client.accessToken()
      assert.equal(refreshes(), 5)
    })

    it('a client counts a token’s lifetime from the request, not from the answer', async () => {
      const held = hold('POST /auth/token')
      stage.clock.advance(600)
      const waiting = stage.client.accessToken()
      await held.arrived
      stage.clock.advance(540)
      held.release()
      await waiting
      assert.equal(refreshes(), 1)
      await stage.client.accessToken()
      assert.equal(refreshes(), 2)
    })

    it('simultaneous calls share one refresh and send each refresh token only once', async () => {
      for (const round of [1, 2, 3]) {
        stage.clock.advance(600)
        const calls = Array.from({ length: 20 }, () => stage.client.fetch(items()))
        for (const { status } of await Promise.all(calls)) assert.equal(status, 200)
        assert.equal(refreshes(), round)
      }
      assert.equal(new Set(stage.server.askedFor('refresh').map(({ body }) => body)).size, 3)
      assert.match(
        stage.server.askedFor('refresh')[0]!.body,
        /^grant_type=refresh_token&refresh_token=refresh-\d+$/,
      )
    })

    it('if a refresh gets no answer, the client sends the same refresh token again', async () => {
      stage.clock.advance(600)
      stage.server.instead = (_asked, response) => Boolean(response.destroy())
      await assert.rejects(stage.client.fetch(items()), { code: 'temporarily_unavailable' })
      stage.server.instead = undefined
      assert.equal((await stage.client.fetch(items())).status, 200)
      assert.equal(new Set(stage.server.askedFor('refresh').map(({ body }) => body)).size, 1)
      assert.deepEqual(bearers().length, 1)
    })

    it('a failed refresh causes no error while the access token is still valid', async () => {
      stage.clock.advance(599)
      answerTokens(503, '{}')
      assert.equal((await stage.client.fetch(items())).status, 200)
      stage.clock.advance(1)
      await assert.rejects(stage.client.fetch(items()), { code: 'temporarily_unavailable' })
      assert.equal(refreshes(), 2)
    })

    it('after a refused refresh, a user is signed out, and fetch sends no token', async () => {
      stage.clock.advance(600)
      stage.server.endSessions()
      const answers = await Promise.all([1, 2, 3].map(() => stage.client.fetch(items())))
      assert.deepEqual(
        answers.map(({ status }) => status),
        [401, 401, 401],
      )
      assert.deepEqual(bearers(), [undefined, undefined, undefined])
      assert.equal(stage.signOuts, 1)
      assert.equal(stored(), undefined)
      assert.equal(await stage.client.isSignedIn(), false)
      await stage.client.fetch(items())
      assert.equal(refreshes(), 1)
    })

    it('a client refreshes if the clock is set back to a time before the login', async () => {
      stage.clock.wall -= 1
      await stage.client.accessToken()
      assert.equal(refreshes(), 1)
      await stage.client.accessToken()
      assert.equal(refreshes(), 1)
    })

    it('a client refreshes in time even if the clock is set back after the login', async () => {
      stage.clock.advance(300)
      await stage.client.accessToken()
      stage.clock.wall -= 290_000
      stage.clock.advance(239)
      await stage.client.accessToken()
      assert.equal(refreshes(), 0)
      stage.clock.advance(1)
      await stage.client.accessToken()
      assert.equal(refreshes(), 1)
    })

    it('a client refreshes if the clock jumps ahead, as after sleep', async () => {
      stage.clock.wall += 540_000
      await stage.client.accessToken()
      assert.equal(refreshes(), 1)
    })
  })

  describe('logout', () => {
    beforeEach(async () => {
      await stage.client.login(ada)
      stage.server.forget()
    })

    it('client.logout revokes the refresh token, and forgets the session', async () => {
      const { refreshToken } = stored()!
      await stage.client.logout()
      assert.deepEqual(
        stage.server.asked.map(({ route, body }) => [route, body]),
        [['POST /auth/revoke', `token=${refreshToken}`]],
      )
      assert.equal(stored(), undefined)
      assert.equal(stage.signOuts, 1)
      assert.equal(await stage.client.isSignedIn(), false)
    })

    it('client.logout does nothing while no user is signed in', async () => {
      await stage.client.logout()
      await stage.client.logout()
      assert.equal(stage.server.asked.length, 1)
      assert.equal(stage.signOuts, 1)
    })

    it('client.logout forgets the session even if the issuer is down', async () => {
      stage.server.instead = (_asked, response) =>
        Boolean(response.writeHead(503, { 'retry-after': '3' }).end())
      await assert.rejects(stage.client.logout(), {
        code: 'temporarily_unavailable',
        retryAfterSeconds: 3,
      })
      assert.equal(stored(), undefined)
      assert.equal(stage.signOuts, 1)
    })

    it('client.logout signs the user out even if a refresh is still running', async () => {
      stage.clock.advance(600)
      const held = hold('POST /auth/token')
      const token = stage.client.accessToken()
      await held.arrived
      await stage.client.logout()
      held.release()
      assert.equal(await token, undefined)
      assert.equal(stored(), undefined)
      assert.equal(stage.signOuts, 1)
    })
  })

  it('if Bob logs in during a refresh of Ada’s token, Ada’s call gets no token', async () => {
    await stage.client.login(ada)
    stage.clock.advance(600)
    const held = hold('POST /auth/token')
    stage.server.forget()
    const token = stage.client.accessToken()
    await held.arrived
    await stage.client.login({ ...ada, username: 'bob' })
    const { accessToken } = stored()!
    held.release()
    assert.equal(await token, undefined)
    assert.equal(await stage.client.accessToken(), accessToken)
    assert.equal((await read(await stage.client.fetch(items()))).owner, 'bob')
    assert.equal(stage.signOuts, 0)
  })

  it('a user stays signed in if a refresh that began before the login is refused', async () => {
    await stage.client.login(ada)
    stage.clock.advance(600)
    stage.server.endSessions()
    const held = hold('POST /auth/token')
    stage.server.forget()
    const token = stage.client.accessToken()
    await held.arrived
    await stage.client.login({ ...ada, username: 'bob' })
    held.release()
    assert.equal(await token, undefined)
    assert.equal(await stage.client.accessToken(), stored()!.accessToken)
    assert.equal(stage.signOuts, 0)
  })

  it('without a lock, a slow refresh never overwrites another client’s newer tokens', async () => {
    const other = start()
    await stage.client.login(ada)
    stage.clock.advance(600)
    const held = hold('POST /auth/token')
    stage.server.forget()
    const token = stage.client.accessToken()
    await held.arrived
    await other.accessToken()
    const { accessToken } = stored()!
    held.release()
    assert.equal(await token, accessToken)
    assert.equal(stored()!.accessToken, accessToken)
  })

  it('client.fetch retries a 401 after refreshing an opaque token, not after a login', async () => {
    let count = 0
    stage.server.instead = ({ route }, response) =>
      route === 'POST /auth/token' &&
      Boolean(
        response.end(`{"access_token":"opaque-${++count}","refresh_token":"r","expires_in":600}`),
      )
    await stage.client.login(ada)
    assert.equal((await stage.client.fetch(items())).status, 401)
    assert.deepEqual(bearers(), ['Bearer opaque-1', 'Bearer opaque-2'])
    stage.clock.advance(600)
    assert.equal(await stage.client.accessToken(), 'opaque-3')
    assert.equal(stage.signOuts, 0)
    const { instead } = stage.server
    stage.server.instead = async (asked, response) => {
      if (asked.route === 'GET /items') await stage.client.login(ada)
      return instead(asked, response)
    }
    await stage.client.fetch(items())
    assert.deepEqual(bearers().slice(2), ['Bearer opaque-3'])
  })

  describe('several clients with one storage', () => {
    /**
     * A storage like that of tabs: one action at a time, and each tab gets the events of other
     * tabs.
     */
    function share(): () => TokenStorage {
      const texts = memoryStorage()
      const listeners = new Set<() => void>()
      let last: Promise<unknown> = Promise.resolve()
      return () => {
        let own: (() => void) | undefined
        return {
          read: async (key) => texts.read(key),
          async write(key, text) {
            await texts.write(key, text)
            for (const listener of listeners) if (listener !== own) listener()
          },
          exclusive(_name, action) {
            const next = last.then(action)
            last = next.catch(() => {})
            return next
          },
          listen(_key, onChange) {
            own = onChange
            listeners.add(onChange)
            return () => listeners.delete(onChange)
          },
        }
      }
    }
    let clients: readonly ApiClient[]
    let counts: number[]
    beforeEach(async () => {
      const storageOf = share()
      clients = Array.from({ length: 10 }, () => start({ storage: storageOf() }))
      counts = clients.map(() => 0)
      for (const [n, one] of clients.entries()) one.onSignOut(() => counts[n]!++)
      await clients[0]!.login(ada)
      await settle()
      stage.server.forget()
    })
    const ten = (count: number): readonly number[] => Array.from({ length: 10 }, () => count)
    const askAll = async (): Promise<readonly number[]> =>
      (await Promise.all(clients.map((one) => one.fetch(items())))).map(({ status }) => status)

    it('ten clients with one storage refresh only once', async () => {
      stage.clock.advance(600)
      assert.deepEqual(await askAll(), ten(200))
      assert.equal(refreshes(), 1)
      stage.server.refuseAccessTokens()
      assert.deepEqual(await askAll(), ten(200))
      assert.equal(refreshes(), 2)
    })

    it('a client refreshes again if another client’s new token has already expired', async () => {
      stage.clock.advance(600)
      stage.server.accessTokenSeconds = 0
      const held = hold('POST /auth/token')
      const tokens = Promise.all(clients.map((one) => one.accessToken()))
      await held.arrived
      held.release()
      await settle()
      stage.server.instead = ({ route }) => {
        if (route === 'POST /auth/token' && refreshes() === 2) stage.server.accessTokenSeconds = 600
        return false
      }
      const [, ...others] = await tokens
      assert.equal(new Set(others).size, 1)
      assert.equal(refreshes(), 2)
    })

    it('a logout keeps the session of a simultaneous login', async () => {
      const held = hold('POST /auth/token')
      const loggedIn = clients[1]!.login({ ...ada, username: 'bob' })
      await held.arrived
      const loggedOut = clients[0]!.logout()
      held.release()
      await Promise.all([loggedIn, loggedOut])
      assert.equal(stage.server.askedFor('POST /auth/revoke').length, 1)
      assert.equal((await read(await clients[2]!.fetch(items()))).owner, 'bob')
    })

    it('if the refresh of one client fails, another client refreshes', async () => {
      stage.clock.advance(600)
      stage.server.instead = ({ route }, response) =>
        route === 'POST /auth/token' && refreshes() === 1 && Boolean(response.destroy())
      const results = await Promise.allSettled(clients.map((one) => one.fetch(items())))
      assert.equal(results.filter(({ status }) => status === 'rejected').length, 1)
      assert.equal(refreshes(), 2)
    })

    it('when a session ends, each client of the storage emits one sign-out event', async () => {
      await clients[3]!.logout()
      await settle()
      assert.deepEqual(counts, ten(1))
      await clients[4]!.login(ada)
      await settle()
      stage.server.endSessions()
      stage.server.forget()
      assert.deepEqual(await askAll(), ten(401))
      await settle()
      assert.deepEqual(counts, ten(2))
      assert.equal(refreshes(), 1)
    })

    it('a login causes a sign-out event in all other clients of the storage', async () => {
      await clients[3]!.login({ ...ada, username: 'bob' })
      await settle()
      assert.deepEqual(
        counts,
        ten(1).map((one, n) => (n === 3 ? 0 : one)),
      )
      stage.clock.advance(600)
      assert.deepEqual(await askAll(), ten(200))
      await clients[3]!.logout()
      await settle()
      assert.deepEqual(
        counts,
        ten(2).map((two, n) => (n === 3 ? 1 : two)),
      )
    })

    it('a client created after the login emits a sign-out event at the logout', async () => {
      const storageOf = share()
      await start({ storage: storageOf() }).login(ada)
      const later = start({ storage: storageOf() })
      let count = 0
      later.onSignOut(() => count++)
      await settle()
      await start({ storage: storageOf() }).logout()
      await settle()
      assert.equal(count, 1)
    })

    it('a closed client emits no sign-out event', async () => {
      clients[5]!.close()
      await clients[3]!.logout()
      await settle()
      assert.deepEqual(
        counts,
        ten(1).map((one, n) => (n === 5 ? 0 : one)),
      )
    })

    it('client.logout also removes the tokens of a refresh that is still running', async () => {
      const storageOf = share()
      const one = start({ storage: storageOf() })
      await one.login(ada)
      stage.clock.advance(600)
      const [begun, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      const slow = storageOf()
      const other = start({
        storage: {
          ...slow,
          async write(key, text) {
            begun.resolve()
            await ended.promise
            await slow.write(key, text)
          },
        },
      })
      const token = other.accessToken()
      await begun.promise
      const loggedOut = one.logout()
      await settle()
      ended.resolve()
      await Promise.all([token, loggedOut])
      assert.equal(await one.isSignedIn(), false)
    })

    it('a client uses no lock while it is signed out or its token is fresh', async () => {
      const exclusive = (): Promise<never> => Promise.reject(new Error('locked'))
      const unlocked = start({ storage: { ...stage.storage, exclusive } })
      assert.equal((await unlocked.fetch(items())).status, 401)
      await unlocked.logout()
      await stage.client.login(ada)
      assert.equal((await unlocked.fetch(items())).status, 200)
    })

    it('client.logout forgets the session without waiting for a running refresh', async () => {
      stage.clock.advance(600)
      const held = hold('POST /auth/token')
      const token = clients[0]!.accessToken()
      await held.arrived
      const loggedOut = clients[1]!.logout()
      await settle()
      assert.equal(await clients[2]!.isSignedIn(), false)
      assert.deepEqual(
        stage.server.asked.map(({ route }) => route),
        ['POST /auth/token'],
      )
      held.release()
      await loggedOut
      assert.equal(await token, undefined)
      assert.deepEqual(counts, ten(1))
    })
  })
})
