import assert from 'node:assert/strict'
import { it } from 'node:test'
import {
  bothDirectories,
  createTestClock,
  describeOnBoth,
  password,
  serverHashing,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { until } from '../../tools/until.ts'

const realm = 'realm="http://localhost:3000/auth"'

async function idOf({ send }: TestKeystile, bearer: string): Promise<string> {
  return (await send('GET', '/users/me', { bearer })).json['id']
}

describeOnBoth('GET /users/me', (stage) => {
  it('GET /users/me returns the token’s user and the header Cache-Control: no-store', async () => {
    const { accessToken, send } = await stage.start()
    const { status, headers, json } = await send('GET', '/users/me', {
      bearer: await accessToken(),
    })
    assert.equal(status, 200)
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.deepEqual([json['username'], json['email']], ['ada', 'ada@example.com'])
    assert.deepEqual(Object.keys(json).toSorted(), [
      'created_at',
      'email',
      'email_verified',
      'id',
      'roles',
      'scopes',
      'username',
    ])
  })

  it('GET /users/me has the roles and all scopes of the user, whatever the token has', async () => {
    const { login, addUser, keystile, send } = await stage.start({
      scopes: { 'items:read': 'Read', 'items:write': 'Write', 'items:sell': 'Sell', free: 'All' },
      roles: { writer: ['items:write'] },
      defaultScopes: ['free'],
    })
    const id = await addUser()
    await keystile.users?.grant(id, { scopes: ['items:read'], roles: ['writer'] })
    const { json } = await login({ scope: 'free' })
    const bearer = json['access_token'] as string
    const rights = { scopes: ['items:read', 'items:write', 'free'], roles: ['writer'] }
    for (const [method, body] of [
      ['GET', {}],
      ['PATCH', { json: {} }],
    ] as const) {
      const { scopes, roles } = (await send(method, '/users/me', { bearer, ...body })).json
      assert.deepEqual({ scopes, roles }, rights, method)
    }

    await keystile.users?.grant(id, { removeRoles: ['writer'] })
    const { scopes, roles } = (await send('GET', '/users/me', { bearer })).json
    assert.deepEqual({ scopes, roles }, { scopes: ['items:read', 'free'], roles: [] })
  })

  it('without a token, GET /users/me returns 401 and no error code (RFC 6750 §3.1)', async () => {
    const { send } = await stage.start()
    const { status, headers, json } = await send('GET', '/users/me')
    assert.equal(status, 401)
    assert.equal(headers.get('www-authenticate'), `Bearer ${realm}`)
    assert.equal(headers.get('content-type'), 'application/problem+json')
    assert.deepEqual(json, {
      type: 'about:blank',
      title: 'Unauthorized',
      status: 401,
      detail: 'Not authenticated',
    })
  })

  it('GET /users/me returns invalid_token for a changed signature (RFC 6750 §3.1)', async () => {
    const { accessToken, send } = await stage.start()
    const token = await accessToken()
    const changed = token.slice(0, -10) + (token.at(-10) === 'A' ? 'B' : 'A') + token.slice(-9)
    const { status, headers, text } = await send('GET', '/users/me', { bearer: changed })
    assert.equal(status, 401)
    assert.equal(
      headers.get('www-authenticate'),
      `Bearer ${realm}, error="invalid_token", error_description="Invalid token"`,
    )
    assert.ok(!text.includes(changed))
  })

  it('GET /users/me accepts a token that expired less than 5 s ago', async () => {
    const clock = createTestClock()
    const { accessToken, send } = await stage.start({ clock, accessTokenSeconds: 60 })
    const bearer = await accessToken()
    clock.advance(64)
    assert.equal(
      (await send('GET', '/users/me', { bearer })).status,
      200,
      'within the 5 s by which clocks may differ',
    )
    clock.advance(1)
    const { status, json } = await send('GET', '/users/me', { bearer })
    assert.deepEqual([status, json['detail']], [401, 'Token has expired'])
  })

  it('GET /users/me ignores tokens in the query and in cookies (RFC 6750 §5.3)', async () => {
    const { accessToken, send } = await stage.start()
    const token = await accessToken()
    assert.equal((await send('GET', `/users/me?access_token=${token}`)).status, 401)
    assert.equal(
      (await send('GET', '/users/me', { headers: { cookie: `access_token=${token}` } })).status,
      401,
    )
  })

  it('GET /users/me returns 404 for any other spelling of its path', async () => {
    const { accessToken, send } = await stage.start()
    const bearer = await accessToken()
    for (const path of [
      '/users/me/',
      '/users//me',
      '/Users/me',
      '/users/%6De',
      '/users/me;x',
      '/x/../users/me/.',
    ]) {
      const { status, text } = await send('GET', path, { bearer })
      assert.deepEqual([status, text], [404, ''], path)
    }
  })
})

describeOnBoth(
  'a guarded route of the app',
  (stage) => {
    const scopes = { 'items:read': 'Read items', 'items:write': 'Change items' }

    it('a guarded route of the app gets the user and the granted scopes', async () => {
      const { accessToken, open, keystile } = await stage.start({
        scopes,
        defaultScopes: ['items:read'],
      })
      const bearer = await accessToken()
      const { status, json } = await open(['items:read'], { bearer })
      assert.deepEqual(
        [status, json['user'].username, json['scopes']],
        [200, 'ada', ['items:read']],
      )
      assert.equal(json['user'].id, json['subject'])
      const user = await keystile.user(await keystile.verifier.verify(bearer))
      assert.deepEqual(JSON.parse(JSON.stringify(user)), json['user'])
    })

    it('guards send a challenge for a bad, expired or missing token (RFC 6750 §3.1)', async () => {
      const clock = createTestClock()
      const { accessToken, open } = await stage.start({ scopes, clock, accessTokenSeconds: 60 })
      const bearer = await accessToken()
      const changed = bearer.slice(0, -10) + (bearer.at(-10) === 'A' ? 'B' : 'A') + bearer.slice(-9)
      const lacking = await open(['items:write'], { bearer })
      const answers = [await open([]), await open([], { bearer: changed }), lacking]
      clock.advance(65)
      answers.push(await open([], { bearer }))
      assert.deepEqual(
        answers.map(({ status, headers }) => [status, headers.get('www-authenticate')]),
        [
          [401, `Bearer ${realm}`],
          [401, `Bearer ${realm}, error="invalid_token", error_description="Invalid token"`],
          [403, lacking.headers.get('www-authenticate')],
          [401, `Bearer ${realm}, error="invalid_token", error_description="Token has expired"`],
        ],
      )
      assert.match(
        lacking.headers.get('www-authenticate')!,
        /error="insufficient_scope".* scope="items:write"/,
      )
    })

    it('guarded routes and logins refuse a disabled user at once', async () => {
      const { addUser, login, open, disable, keystile } = await stage.start()
      const subject = await addUser()
      const bearer = (await login()).json['access_token']
      const identity = await keystile.verifier.verify(bearer)
      assert.equal((await open([], { bearer })).status, 200)
      const wrong = await login({ password: 'wrong' })
      await disable(subject)
      assert.equal((await open([], { bearer })).status, 401)
      assert.equal(await keystile.user(identity), undefined)
      const { status, text } = await login()
      assert.deepEqual([status, text], [wrong.status, wrong.text])
    })
  },
  bothDirectories,
)

describeOnBoth('a disabled user', (stage) => {
  it('a disabled user is refused at the next request and at the next login', async () => {
    const started = await stage.start()
    const { accessToken, send, login, keystile } = started
    const bearer = await accessToken()
    await send('GET', '/users/me', { bearer })
    await started.disable(await idOf(started, bearer))
    const { status, json } = await send('GET', '/users/me', { bearer })
    assert.deepEqual([status, json['detail']], [401, 'Token has been revoked'])
    await assert.rejects(keystile.verifier.verify(bearer), { code: 'invalid_token' })
    const { status: loginStatus, json: loginJson } = await login()
    assert.deepEqual([loginStatus, loginJson['detail']], [400, 'Incorrect username or password'])
  })

  it('if one process disables a user, other processes refuse the user too', async () => {
    const [one, two] = [await stage.start(), await stage.start()]
    const bearer = await one.accessToken()
    const id = await idOf(two, bearer)
    await two.keystile.verifier.verify(bearer)
    await one.disable(id)
    await until(async () => (await two.send('GET', '/users/me', { bearer })).status === 401)
    // The verifier loads no user, so it learns only from events that the user is disabled.
    await until(() =>
      two.keystile.verifier.verify(bearer).then(
        () => false,
        () => true,
      ),
    )
    assert.equal((await two.login()).status, 400)
  })

  it('a disabled user is also refused after a restart', async () => {
    const first = await stage.start()
    const bearer = await first.accessToken()
    await first.disable(await idOf(first, bearer))
    const second = await stage.start()
    await assert.rejects(second.keystile.verifier.verify(bearer), {
      message: 'Token has been revoked',
    })
  })

  it('a user who is disabled during a login gets no session', async () => {
    const started = await stage.start({ passwordHashing: serverHashing })
    const bearer = await started.accessToken()
    const id = await idOf(started, bearer)
    const logins = Array.from({ length: 4 }, () => started.login())
    await started.disable(id)
    for (const { status, json } of await Promise.all(logins)) {
      if (status === 200)
        await assert.rejects(started.keystile.verifier.verify(json['access_token']), {
          code: 'invalid_token',
        })
      else assert.match(json['error'], /^(invalid_grant|temporarily_unavailable)$/)
    }
    const [row] = await stage.sql('select count(*) as living from session where ended_at is null')
    assert.equal(Number(row!['living']), 0)
  })

  it('disabling a user does not affect other users', async () => {
    const started = await stage.start()
    const [ada, bob] = [await started.accessToken('ada'), await started.accessToken('bob')]
    await started.disable(await idOf(started, ada))
    assert.equal((await started.send('GET', '/users/me', { bearer: bob })).status, 200)
  })
})

describeOnBoth('a deleted user', (stage) => {
  it('the tokens of a deleted user are refused', async () => {
    const started = await stage.start()
    const bearer = await started.accessToken()
    await stage.sql('delete from "user"')
    const other = await stage.start()
    const { status, json } = await other.send('GET', '/users/me', { bearer })
    assert.deepEqual([status, json['detail']], [401, 'Invalid token'])
    assert.equal((await other.login({ password })).json['error'], 'invalid_grant')
  })
})
