import assert from 'node:assert/strict'
import { it } from 'node:test'
import { migrateDatabase } from '@keystile/server'
import { decodeJwtUnsafe } from 'keystile/jwt'
import { downgradeBefore } from '../../packages/server/test-support/downgrade.ts'
import {
  bothDirectories,
  createTestClock,
  describeOnBoth,
  password,
  tokensOf,
} from '../../packages/server/test-support/keystile.ts'
import { until } from '../../tools/until.ts'

const newPassword = 'a new engine of her own'

describeOnBoth(
  'GET /users/me/sessions',
  (stage) => {
    it('GET /users/me/sessions shows devices, last use and the current session', async () => {
      const clock = createTestClock()
      const { addUser, send, refresh } = await stage.start({ clock })
      await addUser()
      const logIn = async (agent: string): Promise<ReturnType<typeof tokensOf>> => {
        const form = { username: 'ada', password }
        return tokensOf(
          (await send('POST', '/token', { form, headers: { 'user-agent': agent } })).json,
        )
      }
      const phone = await logIn('Phone/1.0')
      clock.advance(10)
      const laptop = await logIn('x'.repeat(1_000))
      clock.advance(10)
      await refresh(phone.refreshToken)
      const { status, json, headers } = await send('GET', '/users/me/sessions', {
        bearer: laptop.accessToken,
      })
      assert.deepEqual([status, headers.get('cache-control')], [200, 'no-store'])
      assert.deepEqual(json, {
        sessions: [
          {
            id: phone.sessionId,
            client_id: 'first-party',
            device: 'Phone/1.0',
            amr: ['pwd'],
            created_at: '2026-11-25T12:00:00.000Z',
            last_used_at: '2026-11-25T12:00:20.000Z',
            current: false,
          },
          {
            id: laptop.sessionId,
            client_id: 'first-party',
            device: 'x'.repeat(200),
            amr: ['pwd'],
            created_at: '2026-11-25T12:00:10.000Z',
            last_used_at: '2026-11-25T12:00:10.000Z',
            current: true,
          },
        ],
      })
    })

    it('GET /users/me/sessions lists only active sessions of the caller', async () => {
      const clock = createTestClock()
      const { tokens, login, send } = await stage.start({ clock, sessionSeconds: 3_600 })
      await tokens()
      await tokens('bob')
      clock.advance(3_000)
      const ended = tokensOf((await login()).json)
      await send('POST', '/revoke', { form: { token: ended.refreshToken } })
      clock.advance(600)
      const here = tokensOf((await login()).json)
      const { json } = await send('GET', '/users/me/sessions', { bearer: here.accessToken })
      assert.deepEqual(
        json['sessions'].map(({ id }: { readonly id: string }) => id),
        [here.sessionId],
      )
    })

    it('GET /users/me/sessions names no device if the login had no User-Agent', async () => {
      const { tokens, keystile, send } = await stage.start()
      const { subject } = await tokens()
      const { accessToken } = await keystile.sessions.create({ subject })
      const { json } = await send('GET', '/users/me/sessions', { bearer: accessToken })
      assert.deepEqual(
        json['sessions'].map(({ device }: { readonly device: unknown }) => device),
        [null, null],
      )
    })

    it('the endpoints of /users/me/sessions return 401 without a token', async () => {
      const { send } = await stage.start()
      for (const [method, path] of [
        ['GET', '/users/me/sessions'],
        ['DELETE', '/users/me/sessions'],
        ['DELETE', '/users/me/sessions/x'],
      ] as const) {
        assert.equal((await send(method, path)).status, 401, `${method} ${path}`)
      }
    })
  },
  bothDirectories,
)

describeOnBoth(
  'DELETE /users/me/sessions/{id}',
  (stage) => {
    it('DELETE /users/me/sessions/{id} ends the session and both of its tokens', async () => {
      const { tokens, login, send, refresh, open } = await stage.start()
      const here = await tokens()
      const there = tokensOf((await login()).json)
      const path = `/users/me/sessions/${there.sessionId}`
      const { status, text } = await send('DELETE', path, { bearer: here.accessToken })
      assert.deepEqual([status, text], [204, ''])
      assert.equal((await open([], { bearer: there.accessToken })).status, 401)
      assert.equal((await refresh(there.refreshToken)).status, 400)
      assert.equal((await refresh(here.refreshToken)).status, 200)
      assert.equal((await send('DELETE', path, { bearer: here.accessToken })).status, 404)
    })

    it('DELETE /users/me/sessions/{id} can end the current session', async () => {
      const { tokens, send } = await stage.start()
      const { accessToken: bearer, sessionId } = await tokens()
      assert.equal(
        (await send('DELETE', `/users/me/sessions/${sessionId}`, { bearer })).status,
        204,
      )
      assert.equal((await send('GET', '/users/me/sessions', { bearer })).status, 401)
    })

    it('DELETE /users/me/sessions/{id} returns 404 for the session of another user', async () => {
      const { tokens, send, refresh } = await stage.start()
      const [ada, bob] = [await tokens('ada'), await tokens('bob')]
      const { status } = await send('DELETE', `/users/me/sessions/${bob.sessionId}`, {
        bearer: ada.accessToken,
      })
      assert.equal(status, 404)
      assert.equal((await refresh(bob.refreshToken)).status, 200)
    })
  },
  bothDirectories,
)

describeOnBoth(
  'DELETE /users/me/sessions',
  (stage) => {
    it('DELETE /users/me/sessions ends all the user’s sessions in every process', async () => {
      const [one, other] = [await stage.start(), await stage.start()]
      const ada = [
        await one.tokens(),
        tokensOf((await other.login()).json),
        tokensOf((await one.login()).json),
      ]
      const bob = await one.tokens('bob')
      assert.equal(
        (await one.send('DELETE', '/users/me/sessions', { bearer: ada[0]!.accessToken })).status,
        204,
      )
      for (const { accessToken, refreshToken } of ada) {
        assert.equal((await one.open([], { bearer: accessToken })).status, 401)
        assert.equal((await other.refresh(refreshToken)).status, 400)
      }
      assert.equal((await one.refresh(bob.refreshToken)).status, 200)
      assert.equal((await one.login()).status, 200)
    })

    it('with except=current, DELETE /users/me/sessions ends only the other sessions', async () => {
      const running = await stage.start()
      const [current, other] = [await running.tokens(), tokensOf((await running.login()).json)]
      const end = async (query: string): Promise<number> => {
        const path = `/users/me/sessions${query}`
        return (await running.send('DELETE', path, { bearer: current.accessToken })).status
      }
      for (const wrong of ['?except=', '?except=other', '?except=all'])
        assert.equal(await end(wrong), 422)
      assert.equal((await running.open([], { bearer: other.accessToken })).status, 200)
      assert.equal(await end('?except=current'), 204)
      assert.equal((await running.open([], { bearer: other.accessToken })).status, 401)
      assert.equal((await running.refresh(current.refreshToken)).status, 200)
    })

    it('two parallel keystile.sessions.revokeAll calls end all 60 sessions of a user', async () => {
      const [one, other] = [await stage.start(), await stage.start()]
      const { subject } = await one.tokens()
      /** Calls again while too many calls wait for the database, as on a busy machine. */
      const untilDone = async <Result>(call: () => Promise<Result>): Promise<Result> => {
        const { result } = await until(() =>
          call().then(
            (result) => ({ result }),
            (error: unknown) => {
              if ((error as Error).name !== 'DatabaseBusyError') throw error
              return undefined
            },
          ),
        )
        return result
      }
      const made = await Promise.all(
        Array.from({ length: 60 }, () =>
          untilDone(() => one.keystile.sessions.create({ subject })),
        ),
      )
      const work = made.map(({ refreshToken }) => one.refresh(refreshToken))
      await Promise.all(
        [one, other].map(({ keystile }) => untilDone(() => keystile.sessions.revokeAll(subject))),
      )
      for (const { status } of await Promise.all(work))
        assert.ok([200, 400, 503].includes(status), String(status))
      assert.deepEqual(await one.keystile.sessions.list(subject), [])
      for (const { accessToken } of made)
        assert.equal((await one.open([], { bearer: accessToken })).status, 401)
    })
  },
  bothDirectories,
)

describeOnBoth(
  'keystile.sessions',
  (stage) => {
    it('keystile.sessions creates, lists and ends a session', async () => {
      const clock = createTestClock()
      const { addUser, keystile, refresh, open } = await stage.start({ clock })
      const subject = await addUser()
      const { accessToken, refreshToken, expiresIn, tokenType } = await keystile.sessions.create({
        subject,
      })
      assert.deepEqual([expiresIn, tokenType], [600, 'bearer'])
      const { sessionId = '' } = await keystile.verifier.verify(accessToken)
      const at = new Date(clock.now())
      assert.deepEqual(await keystile.sessions.list(subject), [
        {
          id: sessionId,
          clientId: 'first-party',
          device: null,
          amr: null,
          createdAt: at,
          lastUsedAt: at,
        },
      ])
      const successor = (await refresh(refreshToken)).json['refresh_token']
      await keystile.sessions.revoke(sessionId)
      await keystile.sessions.revoke(sessionId)
      await keystile.sessions.revoke('none')
      assert.deepEqual(await keystile.sessions.list(subject), [])
      assert.equal((await open([], { bearer: accessToken })).status, 401)
      assert.equal((await refresh(successor)).status, 400)
    })

    it('keystile.sessions.revokeAll ends only the sessions of one user', async () => {
      const { tokens, keystile, refresh } = await stage.start()
      const [ada, bob] = [await tokens('ada'), await tokens('bob')]
      await keystile.sessions.revokeAll('nobody')
      assert.deepEqual(await keystile.sessions.list('nobody'), [])
      await keystile.sessions.revokeAll(ada.subject)
      assert.equal((await refresh(ada.refreshToken)).status, 400)
      assert.equal((await refresh(bob.refreshToken)).status, 200)
    })
  },
  bothDirectories,
)

describeOnBoth('changes of an account', (stage) => {
  it('a password change ends the refresh tokens of other sessions (ASVS V7.4.3)', async () => {
    const { tokens, login, send, refresh } = await stage.start()
    const here = await tokens()
    const there = tokensOf((await login()).json)
    const json = { current_password: password, new_password: newPassword }
    assert.equal(
      (await send('POST', '/users/me/password', { bearer: here.accessToken, json })).status,
      204,
    )
    assert.equal((await refresh(there.refreshToken)).status, 400)
    assert.equal((await refresh(here.refreshToken)).status, 200)
  })

  it('a disabled user’s old refresh tokens stay refused after the user is enabled', async () => {
    const { tokens, disable, keystile, refresh } = await stage.start()
    const { subject, refreshToken } = await tokens()
    await disable(subject)
    assert.equal((await refresh(refreshToken)).status, 400)
    await stage.sql('update "user" set disabled_at = null')
    assert.equal((await refresh(refreshToken)).status, 400)
    assert.deepEqual(await keystile.sessions.list(subject), [])
  })

  it('a deleted user’s refresh tokens are refused', async () => {
    const { tokens, send, refresh } = await stage.start()
    const { accessToken, refreshToken } = await tokens()
    assert.equal((await send('DELETE', '/users/me', { bearer: accessToken })).status, 204)
    assert.equal((await refresh(refreshToken)).status, 400)
  })
})

describeOnBoth(
  'the sessions of a user',
  (stage) => {
    it('a user has at most 100 sessions; a new session ends the least recently used', async () => {
      const clock = createTestClock()
      const { addUser, keystile, refresh, open, tokens } = await stage.start({ clock })
      const others = await tokens('bob')
      const subject = await addUser()
      const made = []
      for (let number = 0; number < 100; number++) {
        made.push(await keystile.sessions.create({ subject }))
        clock.advance(1)
      }
      const [first, second, third] = made
      assert.equal((await keystile.sessions.list(subject)).length, 100)
      assert.equal((await refresh(first!.refreshToken)).status, 200)
      clock.advance(1)
      const newest = await keystile.sessions.create({ subject })
      assert.equal((await keystile.sessions.list(subject)).length, 100)
      assert.equal((await refresh(second!.refreshToken)).status, 400)
      assert.equal((await refresh(third!.refreshToken)).status, 200)
      assert.equal((await refresh(newest.refreshToken)).status, 200)
      assert.equal((await refresh(others.refreshToken)).status, 200)
      // The access token of the evicted session is refused too, after this process has read the
      // event.
      await keystile.sessions.revoke('none')
      assert.equal((await open([], { bearer: second!.accessToken })).status, 401)
      assert.equal((await open([], { bearer: third!.accessToken })).status, 200)
    })

    it('if a user has too many sessions, sessions without a refresh token end first', async () => {
      const clock = createTestClock()
      const { addUser, addClient, login, refresh, keystile } = await stage.start({ clock })
      const subject = await addUser()
      const lasting = tokensOf((await login()).json)
      const kiosk = await addClient({ id: 'kiosk', grants: ['password'] })
      const first = await login(kiosk)
      clock.advance(1)
      for (let number = 0; number < 98; number++) await keystile.sessions.create({ subject })
      clock.advance(1)
      await login(kiosk)
      await keystile.sessions.create({ subject })
      assert.equal((await keystile.sessions.list(subject)).length, 100)
      const ids = (await keystile.sessions.list(subject)).map(({ id }) => id)
      assert.ok(
        !ids.includes(String(decodeJwtUnsafe(first.json['access_token'] as string).claims['sid'])),
      )
      assert.equal((await refresh(lasting.refreshToken)).status, 200)
    })
  },
  bothDirectories,
)

describeOnBoth('a database of a version without refresh tokens', (stage) => {
  it('a session that predates refresh tokens ends when its access token expires', async () => {
    const clock = createTestClock()
    const before = await stage.start({ clock })
    const { accessToken, refreshToken, sessionId } = await before.tokens()
    await before.keystile.close()
    for (const statement of [
      'drop index user_administrator',
      'drop index session_subject_ended',
      'create index session_subject on session (subject)',
      'drop index session_idle_expiry',
      'drop index event_expiry',
      "delete from setting where name = 'longest_access_token_seconds'",
      ...(await downgradeBefore('0002')),
    ]) {
      await stage.sql(statement)
    }
    await migrateDatabase(stage.database)
    const { open, send, refresh, login } = await stage.start({ clock })
    assert.equal((await open([], { bearer: accessToken })).status, 200)
    const list = async (bearer: string): Promise<readonly string[]> => {
      const { json } = await send('GET', '/users/me/sessions', { bearer })
      return json['sessions'].map(({ id }: { readonly id: string }) => id)
    }
    assert.deepEqual(await list(accessToken), [sessionId])
    assert.equal((await refresh(refreshToken)).status, 400)
    const next = tokensOf((await login()).json)
    assert.equal((await refresh(next.refreshToken)).status, 200)
    clock.advance(600)
    const later = tokensOf((await login()).json)
    assert.ok(!(await list(later.accessToken)).includes(sessionId))
  })
})
