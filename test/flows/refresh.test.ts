import assert from 'node:assert/strict'
import { it } from 'node:test'
import { decodeJwtUnsafe } from 'keystile/jwt'
import { startServer } from '../../packages/server/test-support/command.ts'
import {
  bothDirectories,
  createTestClock,
  describeOnBoth,
  issuer,
  key,
  readAnswer,
  tokensOf,
  type Answer,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { until } from '../../tools/until.ts'

const scopes = { 'items:read': 'Read items', 'items:write': 'Change items' }
const rounds = process.env['KEYSTILE_LONG'] ? 500 : 3
const day = 24 * 60 * 60

const refused = ({ status, json }: Answer): void =>
  assert.deepEqual(
    [status, json['error'], json['error_description']],
    [400, 'invalid_grant', 'The refresh token is invalid, expired or revoked'],
  )
/** Returns the refresh token of a successful answer. */
const next = ({ status, json, text }: Answer): string => {
  assert.equal(status, 200, text)
  return json['refresh_token'] as string
}
/** Asserts that no token of a session is accepted any more. */
async function assertEnded(
  { open, refresh }: TestKeystile,
  tokens: { readonly access: readonly string[]; readonly refresh: readonly string[] },
): Promise<void> {
  for (const bearer of tokens.access) {
    const { status, json } = await open([], { bearer })
    assert.deepEqual([status, json['detail']], [401, 'Token has been revoked'])
  }
  for (const token of tokens.refresh) refused(await refresh(token))
}

describeOnBoth(
  'POST /token with a refresh token',
  (stage) => {
    it('a refresh returns new tokens of the same session (`no-store`, RFC 6749 §6)', async () => {
      const clock = createTestClock()
      const { tokens, refresh, open } = await stage.start({ clock })
      const first = await tokens()
      clock.advance(100)
      const answer = await refresh(first.refreshToken)
      assert.deepEqual(Object.keys(answer.json), [
        'access_token',
        'token_type',
        'expires_in',
        'refresh_token',
        'scope',
      ])
      assert.deepEqual(
        [
          answer.status,
          answer.json['token_type'],
          answer.json['expires_in'],
          answer.headers.get('cache-control'),
        ],
        [200, 'bearer', 600, 'no-store'],
      )
      const second = tokensOf(answer.json)
      assert.notEqual(second.refreshToken, first.refreshToken)
      assert.notEqual(second.accessToken, first.accessToken)
      assert.deepEqual([second.sessionId, second.subject], [first.sessionId, first.subject])
      const [before, after] = [first, second].map(
        ({ accessToken }) => decodeJwtUnsafe(accessToken).claims,
      )
      assert.equal(after!['auth_time'], before!['auth_time'])
      assert.equal(after!.iat, before!.iat! + 100)
      assert.equal((await open([], { bearer: second.accessToken })).status, 200)
      assert.equal((await refresh(second.refreshToken)).status, 200)
    })

    it('a refresh token has 256 random bits and no session id (RFC 6819 §5.1.4.2.2)', async () => {
      const { tokens } = await stage.start()
      const [one, other] = [await tokens('ada'), await tokens('bob')]
      for (const { refreshToken, sessionId, subject } of [one, other]) {
        assert.match(refreshToken, /^[\w-]{22}\.[\w-]{43}$/)
        assert.ok(!refreshToken.includes(sessionId) && !refreshToken.includes(subject))
      }
      assert.notEqual(one.refreshToken.split('.')[1], other.refreshToken.split('.')[1])
    })

    it('repeating a refresh in the grace period returns the same new refresh token', async () => {
      const clock = createTestClock()
      const { tokens, refresh } = await stage.start({ clock })
      const { refreshToken } = await tokens()
      const successor = next(await refresh(refreshToken))
      clock.advance(10)
      assert.equal(next(await refresh(refreshToken)), successor)
      assert.notEqual(next(await refresh(successor)), successor)
    })

    it('in the database, only a session’s newest refresh token can be decrypted', async () => {
      const { tokens, refresh } = await stage.start()
      let { refreshToken } = await tokens()
      for (let i = 0; i < 3; i++) {
        refreshToken = next(await refresh(refreshToken))
        const [{ kept } = {}] = await stage.sql(
          'select count(*) as kept from refresh_token where sealed_successor is not null',
        )
        assert.equal(Number(kept), 1)
      }
    })

    it('a reused refresh token ends the session and its tokens (RFC 9700 §4.14.2)', async () => {
      const started = await stage.start()
      const { tokens, refresh } = started
      const first = await tokens()
      const second = tokensOf((await refresh(first.refreshToken)).json)
      const third = tokensOf((await refresh(second.refreshToken)).json)
      refused(await refresh(first.refreshToken))
      const all = [first, second, third]
      await assertEnded(started, {
        access: all.map(({ accessToken }) => accessToken),
        refresh: all.map(({ refreshToken }) => refreshToken),
      })
    })

    it('a reused refresh token does not end other sessions of the user', async () => {
      const { tokens, login, refresh } = await stage.start()
      const first = await tokens()
      const other = tokensOf((await login()).json)
      const second = next(await refresh(first.refreshToken))
      await refresh(second)
      refused(await refresh(first.refreshToken))
      assert.equal((await refresh(other.refreshToken)).status, 200)
    })

    it('a retry after the grace period is accepted and starts another grace period', async () => {
      const clock = createTestClock()
      const started = await stage.start({ clock })
      const { tokens, refresh } = started
      const { refreshToken, accessToken } = await tokens()
      const successor = next(await refresh(refreshToken))
      clock.advance(300)
      assert.equal(next(await refresh(refreshToken)), successor)
      // A laptop wakes up, and its second browser tab refreshes ten seconds after the first.
      clock.advance(10)
      assert.equal(next(await refresh(refreshToken)), successor)
      clock.advance(11)
      refused(await refresh(refreshToken))
      await assertEnded(started, { access: [accessToken], refresh: [successor] })
    })

    it('a session accepts at most one late retry of a refresh token per 24 hours', async () => {
      const clock = createTestClock()
      const { tokens, refresh } = await stage.start({ clock })
      const { refreshToken } = await tokens()
      const successor = next(await refresh(refreshToken))
      clock.advance(3_600)
      assert.equal(next(await refresh(refreshToken)), successor)
      const third = next(await refresh(successor))
      clock.advance(day)
      assert.equal(next(await refresh(successor)), third)
      const fourth = next(await refresh(third))
      clock.advance(day - 1)
      refused(await refresh(third))
      refused(await refresh(fourth))
    })

    it('with graceSeconds 0, a refresh token works only once', async () => {
      const started = await stage.start({ graceSeconds: 0 })
      const { accessToken, refreshToken } = await started.tokens()
      const successor = next(await started.refresh(refreshToken))
      refused(await started.refresh(refreshToken))
      await assertEnded(started, { access: [accessToken], refresh: [successor] })
    })

    it('repeating a refresh in the grace period does not extend the period', async () => {
      const clock = createTestClock()
      const { tokens, refresh } = await stage.start({ clock })
      const used = (await tokens()).refreshToken
      const successor = next(await refresh(used))
      // The second step is a late retry, which starts another grace period.
      for (let i = 0; i < 3; i++) {
        clock.advance(9)
        assert.equal(next(await refresh(used)), successor)
      }
      clock.advance(9)
      refused(await refresh(used))
    })

    it('only a refresh with a reused token logs a warning', async () => {
      const logged: object[] = []
      const log = (fields: object): void => void logged.push(fields)
      const logger = { debug: log, info: log, warn: log, error: log }
      const { tokens, refresh } = await stage.start({ logger })
      logged.length = 0 // drops the warning that the test's PostgreSQL does not wait for the disk
      const { refreshToken, sessionId, subject } = await tokens()
      next(await refresh(next(await refresh(refreshToken))))
      assert.deepEqual(logged, [])
      refused(await refresh(refreshToken))
      assert.deepEqual(logged, [
        { subject, sessionId, clientId: 'first-party' },
        { reason: 'session_over', route: '/auth/token', status: 400 },
      ])
    })

    it('a wrong refresh token gets invalid_grant and changes nothing', async () => {
      const { tokens, refresh } = await stage.start()
      const { accessToken, refreshToken } = await tokens()
      const used = refreshToken
      const current = next(await refresh(used))
      const [id, secret] = used.split('.') as [string, string]
      const last = secret.at(-1) === 'A' ? 'B' : 'A'
      for (const text of [
        'x',
        'x.y',
        accessToken,
        `${id}.`,
        id,
        `${id}.${secret.slice(0, -1)}${last}`,
        `${id}.${'A'.repeat(43)}`,
        `${'A'.repeat(22)}.${secret}`,
        `${used}.`,
        `${used} `,
        `${current.split('.')[0]}.${secret}`,
      ]) {
        refused(await refresh(text))
      }
      assert.equal((await refresh(current)).status, 200)
    })

    it('a refresh needs the parameter refresh_token and the exact grant type', async () => {
      const { tokens, send } = await stage.start()
      const { refreshToken: refresh_token } = await tokens()
      const post = async (form: Record<string, string>): Promise<readonly unknown[]> => {
        const { status, json } = await send('POST', '/token', { form })
        return [status, json['error']]
      }
      assert.deepEqual(await post({ grant_type: 'refresh_token' }), [400, 'invalid_request'])
      assert.deepEqual(await post({ refresh_token }), [400, 'invalid_request'])
      assert.deepEqual(await post({ grant_type: 'refresh', refresh_token }), [
        400,
        'unsupported_grant_type',
      ])
      assert.deepEqual(
        await post({ grant_type: 'refresh_token', refresh_token, client_id: 'stranger' }),
        [401, 'invalid_client'],
      )
      assert.deepEqual(await post({ grant_type: 'refresh_token', refresh_token }), [200, undefined])
    })

    it('a refresh token is not accepted as an access token (RFC 9068 §2.1)', async () => {
      const { tokens, open } = await stage.start()
      const { refreshToken } = await tokens()
      assert.equal((await open([], { bearer: refreshToken })).status, 401)
    })

    it('a refresh can narrow the scopes of one access token, but never widens them', async () => {
      const { addUser, setScopes, login, refresh } = await stage.start({ scopes })
      await setScopes(await addUser(), ['items:read', 'items:write'])
      const all = await login()
      assert.equal(all.json['scope'], 'items:read items:write')
      const narrow = await refresh(all.json['refresh_token'], { scope: 'items:read users:write' })
      assert.equal(narrow.json['scope'], 'items:read')
      assert.equal(decodeJwtUnsafe(narrow.json['access_token']).claims['scope'], 'items:read')
      const again = await refresh(narrow.json['refresh_token'])
      assert.equal(again.json['scope'], 'items:read items:write')
      const login2 = await login({ scope: 'items:read' })
      const wide = await refresh(login2.json['refresh_token'], { scope: 'items:read items:write' })
      assert.equal(wide.json['scope'], 'items:read')
    })

    it('a refresh with an undeclared scope gets invalid_scope; the token stays valid', async () => {
      const { tokens, refresh } = await stage.start({ scopes })
      const { refreshToken } = await tokens()
      assert.equal(
        (await refresh(refreshToken, { scope: 'items:raed' })).json['error'],
        'invalid_scope',
      )
      assert.equal((await refresh(refreshToken)).status, 200)
    })

    it('a refresh grants only scopes that the login granted and the user still holds', async () => {
      const { addUser, setScopes, login, refresh } = await stage.start({ scopes })
      // Another process has just cached the user.
      const other = await stage.start({ scopes })
      const subject = await addUser()
      await setScopes(subject, ['items:read'])
      const first = await login()
      await other.open([], { bearer: first.json['access_token'] })
      await setScopes(subject, ['items:write'])
      const second = await other.refresh(first.json['refresh_token'])
      assert.equal(second.json['scope'], '')
      await setScopes(subject, ['items:read', 'items:write'])
      assert.equal((await refresh(second.json['refresh_token'])).json['scope'], 'items:read')
    })

    it('a refresh is refused if the user is disabled', async () => {
      const { tokens, refresh, disable } = await stage.start()
      const { refreshToken, subject } = await tokens()
      await disable(subject)
      refused(await refresh(refreshToken))
    })

    it('a refresh does not extend the session (ASVS V7.3.2)', async () => {
      const clock = createTestClock()
      const { tokens, refresh, open } = await stage.start({
        clock,
        sessionSeconds: 3 * day,
        idleSeconds: 2 * day,
      })
      let { refreshToken } = await tokens()
      clock.advance(2 * day - 1)
      refreshToken = next(await refresh(refreshToken))
      clock.advance(day - 99)
      const last = await refresh(refreshToken)
      assert.equal(last.json['expires_in'], 100)
      const { claims } = decodeJwtUnsafe(last.json['access_token'])
      assert.equal(claims.exp! - claims.iat!, 100)
      clock.advance(99)
      assert.equal((await open([], { bearer: last.json['access_token'] })).status, 200)
      // Half a second remains, which is too short for an access token.
      clock.advance(0.5)
      refused(await refresh(next(last)))
    })

    it('a refresh stores the expiry times of its session and its access tokens', async () => {
      const clock = createTestClock()
      const start = clock.now()
      const settings = { clock, sessionSeconds: 3 * day, idleSeconds: 2 * day }
      const { tokens, refresh } = await stage.start(settings)
      const other = await stage.start({ ...settings, accessTokenSeconds: 60 })
      let { refreshToken } = await tokens()
      const times = async (answer: Answer): Promise<readonly number[]> => {
        refreshToken = next(answer)
        const [row = {}] = await stage.sql('select * from session')
        return ['idle_expires_at', 'tokens_expire_at'].map((n) => (Number(row[n]) - start) / 1000)
      }

      clock.advance(1)
      assert.deepEqual(await times(await refresh(refreshToken)), [2 * day + 1, 601])
      // The other server issues shorter tokens, but the first token is still valid.
      assert.deepEqual(await times(await other.refresh(refreshToken)), [2 * day + 1, 601])
      clock.advance(2 * day - 2)
      assert.deepEqual(await times(await refresh(refreshToken)), [3 * day, 2 * day + 599])
      clock.advance(day - 99)
      assert.deepEqual(await times(await refresh(refreshToken)), [3 * day, 3 * day])
    })

    it('a session ends if there is no refresh during the idle time', async () => {
      const clock = createTestClock()
      const { tokens, refresh } = await stage.start({ clock, idleSeconds: day })
      let { refreshToken } = await tokens()
      for (let i = 0; i < 3; i++) {
        clock.advance(day - 1)
        refreshToken = next(await refresh(refreshToken))
      }
      clock.advance(day)
      refused(await refresh(refreshToken))
    })

    it('a process that starts later also refuses the tokens of an ended session', async () => {
      const clock = createTestClock()
      const { tokens, refresh, keystile } = await stage.start({ clock })
      const first = await tokens()
      clock.advance(599)
      const second = tokensOf((await refresh(first.refreshToken)).json)
      await keystile.sessions.revoke(second.sessionId)
      clock.advance(599)
      const late = await stage.start({ clock })
      const { status, json } = await late.open([], { bearer: second.accessToken })
      assert.deepEqual([status, json['detail']], [401, 'Token has been revoked'])
    })

    it(`20 simultaneous refreshes all get the same new token (${rounds} rounds)`, async () => {
      const [one, other] = [await stage.start(), await stage.start()]
      let { refreshToken } = await one.tokens()
      for (let round = 0; round < rounds; round++) {
        const answers = await Promise.all(
          Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? one : other).refresh(refreshToken)),
        )
        const successors = new Set(answers.map(next))
        assert.equal(successors.size, 1)
        refreshToken = [...successors][0]!
      }
      const [{ unused } = {}] = await stage.sql(
        `select count(*) as unused from refresh_token
          where used_at is null
            and session_id in (select id from session where ended_at is null)`,
      )
      assert.equal(Number(unused), 1)
    })

    it(`20 retries after the grace period all get the same token (${rounds} times)`, async () => {
      const clock = createTestClock()
      const [one, other] = [await stage.start({ clock }), await stage.start({ clock })]
      let { refreshToken } = await one.tokens()
      for (let round = 0; round < Math.min(rounds, 25); round++) {
        const successor = next(await one.refresh(refreshToken))
        clock.advance(day)
        const answers = await Promise.all(
          Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? one : other).refresh(refreshToken)),
        )
        assert.deepEqual(new Set(answers.map(next)), new Set([successor]))
        refreshToken = successor
      }
    })

    it(`20 refreshes during a revocation leave no valid token (${rounds} times)`, async () => {
      const [one, other] = [await stage.start(), await stage.start()]
      await one.tokens()
      for (let round = 0; round < rounds; round++) {
        const { refreshToken, accessToken, sessionId, subject } = tokensOf((await one.login()).json)
        const work = Array.from({ length: 20 }, (_, i) =>
          (i % 2 === 0 ? one : other).refresh(refreshToken),
        )
        const revoked = one.send('POST', '/revoke', { form: { token: refreshToken } })
        const answers = await Promise.all(work)
        assert.equal((await revoked).status, 200)
        for (const { status } of answers)
          assert.ok(status === 200 || status === 400, String(status))
        const alive = answers
          .filter(({ status }) => status === 200)
          .map(({ json }) => tokensOf(json))
        await assertEnded(one, {
          access: [accessToken, ...alive.map((tokens) => tokens.accessToken)],
          refresh: [refreshToken, ...alive.map((tokens) => tokens.refreshToken)],
        })
        const living = await other.keystile.sessions.list(subject)
        assert.ok(!living.some(({ id }) => id === sessionId))
      }
    })
  },
  bothDirectories,
)

describeOnBoth('two processes on one database', (stage) => {
  it('two processes share refresh tokens, and both refuse a session after a reuse', async () => {
    const { tokens } = await stage.start()
    const first = await tokens()
    const env = { KEYSTILE_ISSUER: issuer, KEYSTILE_KEY: key, KEYSTILE_DATABASE: stage.database }
    const servers = await Promise.all(
      [1, 2].map(() => startServer({ cwd: import.meta.dirname, env, args: [] })),
    )
    const ask = async (server: number, path: string, init: RequestInit): Promise<Answer> =>
      readAnswer(await fetch(`${servers[server % 2]!.url}/auth${path}`, init))
    const refresh = (server: number, token: string): Promise<Answer> =>
      ask(server, '/token', {
        method: 'POST',
        body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token }),
      })
    try {
      const second = next(await refresh(0, first.refreshToken))
      const third = tokensOf((await refresh(1, second)).json)
      const me = (server: number): Promise<Answer> =>
        ask(server, '/users/me', { headers: { authorization: `Bearer ${third.accessToken}` } })
      assert.equal((await me(1)).status, 200)
      refused(await refresh(0, first.refreshToken))
      assert.equal((await me(0)).status, 401)
      await until(async () => (await me(1)).status === 401)
      refused(await refresh(1, third.refreshToken))
    } finally {
      await Promise.all(servers.map((server) => server.stop()))
    }
  })
})
