import assert from 'node:assert/strict'
import { it } from 'node:test'
import { decodeJwtUnsafe } from 'keystile/jwt'
import { z } from 'zod'
import {
  bothDirectories,
  createTestClock,
  describeOnBoth,
  password,
} from '../../packages/server/test-support/keystile.ts'

const newPassword = 'a new engine of her own'

describeOnBoth('PATCH /users/me', (stage) => {
  const profile = z.strictObject({ city: z.string().min(1).optional(), age: z.int().optional() })

  it('PATCH /users/me returns 422 for a wrong value and for a reserved field', async () => {
    const { register, login, send } = await stage.start({ profile })
    await register({ city: 'London' })
    const bearer = (await login()).json['access_token']
    for (const json of [
      { city: '' },
      { age: 'x' },
      { username: 'other' },
      { email: 'x@example.com' },
      { id: 'x' },
      { roles: ['admin'] },
      { password: newPassword },
    ]) {
      assert.equal(
        (await send('PATCH', '/users/me', { bearer, json })).status,
        422,
        JSON.stringify(json),
      )
    }
    assert.equal((await send('GET', '/users/me', { bearer })).json['city'], 'London')
  })

  it('PATCH /users/me refuses every field if there is no profile schema', async () => {
    const { accessToken, send } = await stage.start()
    const bearer = await accessToken()
    assert.equal(
      (await send('PATCH', '/users/me', { bearer, json: { city: 'Paris' } })).status,
      422,
    )
    assert.equal((await send('PATCH', '/users/me', { bearer, json: {} })).status, 200)
  })
})

describeOnBoth('POST /users/me/password', (stage) => {
  const change = { current_password: password, new_password: newPassword }

  it('POST /users/me/password ends all other sessions of the user (ASVS V7.4.3)', async () => {
    const { accessToken, login, send } = await stage.start()
    const [mine, other] = [await accessToken(), (await login()).json['access_token']]
    const { status, text } = await send('POST', '/users/me/password', {
      bearer: mine,
      json: change,
    })
    assert.deepEqual([status, text], [204, ''])
    assert.equal((await send('GET', '/users/me', { bearer: mine })).status, 200)
    const refused = await send('GET', '/users/me', { bearer: other })
    assert.deepEqual([refused.status, refused.json['detail']], [401, 'Token has been revoked'])
    assert.equal((await login()).status, 400)
    assert.equal((await login({ password: newPassword })).status, 200)
  })

  it('a password change gets 403 for a wrong old password, and 422 for a bad new one', async () => {
    const { accessToken, login, send } = await stage.start()
    const bearer = await accessToken()
    const post = (json: object): Promise<{ status: number }> =>
      send('POST', '/users/me/password', { bearer, json })
    assert.equal((await post({ ...change, current_password: 'wrong' })).status, 403)
    assert.equal((await post({ ...change, current_password: 'x'.repeat(5_000) })).status, 403)
    for (const json of [
      { ...change, new_password: 'short' },
      { ...change, new_password: 'passwordpassword' },
      { ...change, new_password: 'ada has engines' }, // twelve characters without the name `ada`
      { new_password: newPassword },
      { current_password: password },
      { ...change, username: 'x' },
    ]) {
      assert.equal((await post(json)).status, 422, JSON.stringify(json))
    }
    assert.equal((await send('POST', '/users/me/password', { json: change })).status, 401)
    assert.equal((await login()).status, 200)
  })

  it('of two simultaneous POST /users/me/password requests, only one succeeds', async () => {
    const { accessToken, login, send } = await stage.start()
    const bearer = await accessToken()
    const passwords = ['the first of two passwords', 'the second of two passwords']
    const answers = await Promise.all(
      passwords.map((new_password) =>
        send('POST', '/users/me/password', { bearer, json: { ...change, new_password } }),
      ),
    )
    const winners = passwords.filter((_, i) => answers[i]!.status === 204)
    assert.equal(winners.length, 1, answers.map(({ status }) => status).join())
    assert.equal((await login({ password: winners[0]! })).status, 200)
  })

  it('during a password change, a login with the old password gets no valid token', async () => {
    const { accessToken, login, send, keystile } = await stage.start()
    const bearer = await accessToken()
    const logins = Array.from({ length: 6 }, () => login())
    const { status } = await send('POST', '/users/me/password', { bearer, json: change })
    assert.equal(status, 204)
    for (const { status, json } of await Promise.all(logins)) {
      if (status === 200)
        await assert.rejects(keystile.verifier.verify(json['access_token']), {
          code: 'invalid_token',
        })
    }
    assert.equal((await send('GET', '/users/me', { bearer })).status, 200)
  })
})

describeOnBoth('POST /users/me/email', (stage) => {
  const change = { current_password: password, new_email: 'Countess@Example.com' }

  it('POST /users/me/email sets an unverified address and ends no session', async () => {
    const { accessToken, login, send } = await stage.start()
    const bearer = await accessToken()
    await stage.sql('update "user" set email_verified_at = 1')
    const { status, text } = await send('POST', '/users/me/email', { bearer, json: change })
    assert.deepEqual([status, text], [204, ''])
    const { json } = await send('GET', '/users/me', { bearer })
    assert.deepEqual([json['email'], json['email_verified']], ['Countess@example.com', false])
    assert.equal((await login({ username: 'countess@EXAMPLE.com' })).status, 200)
    assert.equal((await login({ username: 'ada@example.com' })).status, 400)
  })

  it('POST /users/me/email needs the current password (ASVS V7.5.1) and an address', async () => {
    const { accessToken, send } = await stage.start()
    const bearer = await accessToken()
    const post = async (json: object): Promise<number> =>
      (await send('POST', '/users/me/email', { bearer, json })).status
    assert.equal(await post({ ...change, current_password: 'wrong' }), 403)
    for (const json of [
      { ...change, new_email: 'countess' },
      { new_email: change.new_email },
      { current_password: password },
      { ...change, email_verified: true },
    ])
      assert.equal(await post(json), 422, JSON.stringify(json))
    assert.equal((await send('POST', '/users/me/email', { json: change })).status, 401)
    assert.equal((await send('GET', '/users/me', { bearer })).json['email'], 'ada@example.com')
  })

  it('POST /users/me/email returns 409 for a taken address, even for parallel calls', async () => {
    const { tokens, send } = await stage.start()
    const [ada, bob] = [await tokens('ada'), await tokens('bob')]
    const post = async (bearer: string, new_email: string): Promise<number> =>
      (await send('POST', '/users/me/email', { bearer, json: { ...change, new_email } })).status
    assert.equal(await post(ada.accessToken, 'BOB@example.com'), 409)
    assert.equal(await post(ada.accessToken, 'ADA@example.com'), 204)
    for (let round = 0; round < 5; round++) {
      const both = [ada, bob].map(({ accessToken }) =>
        post(accessToken, `one-${round}@example.com`),
      )
      assert.deepEqual(
        (await Promise.all(both)).toSorted((a, b) => a - b),
        [204, 409],
      )
    }
  })
})

describeOnBoth('an account, for a client other than first-party', (stage) => {
  it('only the client `first-party` can change an account; other clients can read it', async () => {
    const { addUser, addClient, send, login } = await stage.start()
    await addUser()
    const kiosk = await addClient({ id: 'kiosk', grants: ['password'] })
    const bearer = (await login(kiosk)).json['access_token'] as string
    assert.equal((await send('GET', '/users/me', { bearer })).json['username'], 'ada')
    const changes: readonly (readonly [string, string, object])[] = [
      ['PATCH', '/users/me', {}],
      ['POST', '/users/me/password', { current_password: password, new_password: newPassword }],
      ['POST', '/users/me/email', { current_password: password, new_email: 'a@example.com' }],
    ]
    for (const [method, path, json] of changes)
      assert.equal((await send(method, path, { bearer, json })).status, 403, path)
    assert.equal((await send('DELETE', '/users/me', { bearer })).status, 403)
    assert.equal((await login()).status, 200)
  })
})

describeOnBoth('DELETE /users/me', (stage) => {
  it('DELETE /users/me deletes data and ends all tokens, but the name stays taken', async () => {
    const { accessToken, login, register, send } = await stage.start()
    const bearer = await accessToken()
    const hers = ['example.com', 'argon2', decodeJwtUnsafe(bearer).claims['sid'] as string]
    const stored = async (): Promise<readonly string[]> => {
      const rows = JSON.stringify(await stage.sql('select * from "user"'))
      return hers.filter((text) => rows.includes(text))
    }
    const json = { current_password: password, new_password: newPassword }
    assert.equal((await send('POST', '/users/me/password', { bearer, json })).status, 204)
    assert.deepEqual(await stored(), hers)
    assert.equal((await send('DELETE', '/users/me', { bearer })).status, 204)
    assert.equal((await send('GET', '/users/me', { bearer })).status, 401)
    assert.equal((await login()).json['error'], 'invalid_grant')
    assert.deepEqual(await stored(), [])
    const again = await register({ email: 'ada@example.com' })
    assert.deepEqual([again.status, again.json['detail']], [409, 'This username is already taken'])
    assert.equal(
      (await register({ username: 'ada2', email: 'ada@example.com' })).status,
      201,
      'the e-mail is free again',
    )
  })

  it('DELETE /users/me needs a login in the last 300 s (RFC 9470 §3)', async () => {
    const clock = createTestClock()
    const { accessToken, send } = await stage.start({ clock })
    const bearer = await accessToken()
    clock.advance(306)
    const { status, headers } = await send('DELETE', '/users/me', { bearer })
    assert.equal(status, 401)
    assert.match(
      headers.get('www-authenticate')!,
      /error="insufficient_user_authentication".*max_age="300"/,
    )
    assert.equal((await send('GET', '/users/me', { bearer })).status, 200)
  })
})

describeOnBoth(
  'keystile.sessions.create',
  (stage) => {
    it('keystile.sessions.create returns tokens for a user id, without a password', async () => {
      const scopes = { a: 'A', b: 'B' }
      const { addUser, open, keystile } = await stage.start({ scopes, defaultScopes: ['a', 'b'] })
      const subject = await addUser()
      const all = await keystile.sessions.create({ subject })
      assert.deepEqual(
        { ...all, accessToken: '', refreshToken: '' },
        {
          accessToken: '',
          refreshToken: '',
          tokenType: 'bearer',
          expiresIn: 600,
          scopes: ['a', 'b'],
        },
      )
      assert.equal((await open(['a', 'b'], { bearer: all.accessToken })).json['subject'], subject)
      assert.deepEqual(
        (await keystile.sessions.create({ subject, scopes: ['b', 'users:read'] })).scopes,
        ['b'],
      )
    })

    it('keystile.sessions.create refuses unknown or disabled users and wrong scopes', async () => {
      const { addUser, keystile, disable } = await stage.start()
      const subject = await addUser()
      await assert.rejects(keystile.sessions.create({ subject, scopes: ['x'] }), TypeError)
      await assert.rejects(keystile.sessions.create({ subject: 'nobody' }), { code: 'not_found' })
      await disable(subject)
      await assert.rejects(keystile.sessions.create({ subject }), { code: 'not_found' })
    })
  },
  bothDirectories,
)
