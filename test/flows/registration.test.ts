import assert from 'node:assert/strict'
import { it } from 'node:test'
import { z } from 'zod'
import {
  createTestClock,
  describeOnOne,
  issuer,
  password,
} from '../../packages/server/test-support/keystile.ts'

describeOnOne('PostgreSQL', 'POST /users', (stage) => {
  it('POST /users returns 201 with the user and the user’s URL, but no password hash', async () => {
    const { register } = await stage.start({
      clock: createTestClock(Date.UTC(2026, 0, 2, 3, 4, 5, 6)),
    })
    const { status, headers, json, text } = await register({
      username: 'Ada.L',
      email: 'Ada@Example.COM',
    })
    assert.equal(status, 201)
    assert.equal(headers.get('location'), `${issuer}/users/${json['id']}`)
    assert.match(json['id'], /^[\w-]{22}$/)
    assert.deepEqual(json, {
      id: json['id'],
      username: 'Ada.L',
      email: 'Ada@example.com',
      email_verified: false,
      created_at: '2026-01-02T03:04:05.006Z',
    })
    assert.doesNotMatch(text, /argon2|hash|password/)
  })

  it('POST /users returns 422 with all faults, without the values the client sent', async () => {
    const { send } = await stage.start()
    const { status, headers, json, text } = await send('POST', '/users', {
      json: { username: '_secret-name', password: 7, role: 'admin' },
    })
    assert.equal(status, 422)
    assert.equal(headers.get('content-type'), 'application/problem+json')
    assert.deepEqual(
      json['errors'].map(({ loc, type }: { loc: unknown; type: string }) => [loc, type]),
      [
        [['body', 'username'], 'value_error'],
        [['body', 'email'], 'missing'],
        [['body', 'password'], 'string_type'],
        [['body'], 'extra_forbidden'],
      ],
    )
    assert.doesNotMatch(text, /secret|admin|role/)
  })

  it('POST /users refuses every field that gives rights (mass assignment)', async () => {
    const { register, login } = await stage.start({ scopes: { 'items:read': 'Read items' } })
    for (const extra of [
      { scopes: ['users:write'] },
      { roles: ['admin'] },
      { id: 'x' },
      { email_verified: true },
      { disabled_at: null },
    ]) {
      assert.equal((await register(extra)).status, 422, JSON.stringify(extra))
    }
    await register()
    assert.equal((await login()).json['scope'], '')
  })

  it('Keystile does not start if the profile schema has a reserved field', async () => {
    const profile = z.object({ roles: z.array(z.string()).optional() })
    await assert.rejects(stage.start({ profile }), /profile must not have roles/)
  })

  it('profile fields with reserved names are never shown', async () => {
    const { register, login, open, send } = await stage.start({ profile: z.looseObject({}) })
    await register({ city: 'London' })
    await stage.sql(
      `update "user" set profile = '{"city":"London","roles":["admin"],"__proto__":{"disabled":true}}'`,
    )
    const bearer = (await login()).json['access_token']
    const own = ['city', 'createdAt', 'email', 'emailVerified', 'id', 'username']
    assert.deepEqual(Object.keys((await open([], { bearer })).json['user']).toSorted(), own)
    const { json } = await send('PATCH', '/users/me', { bearer, json: { city: 'Paris' } })
    const shown = ['city', 'created_at', 'email', 'email_verified', 'id', 'roles', 'scopes']
    assert.deepEqual(Object.keys(json).toSorted(), [...shown, 'username'])
    assert.deepEqual([json['city'], json['roles']], ['Paris', []])
  })

  it('POST /users returns 403 if registration is closed', async () => {
    const { register } = await stage.start({ registration: 'closed' })
    const { status, json } = await register()
    assert.deepEqual([status, json['detail']], [403, 'Registration is closed'])
  })

  it('POST /users looks for names in the password only if all other fields are valid', async () => {
    const { register } = await stage.start()
    const faultsWith = async (word: string): Promise<readonly (readonly string[])[]> => {
      const fields = { username: 'Countess', email: 'nobody', password: word }
      const { json } = await register(fields)
      return json['errors'].map((one: Fault) => [one.loc[1], one.type])
    }
    const ofEmail = ['email', 'value_error']
    assert.deepEqual(await faultsWith('the Countess of love'), [ofEmail])
    assert.deepEqual(await faultsWith('short'), [ofEmail, ['password', 'password_too_short']])
    const long = await faultsWith('x'.repeat(1025))
    assert.deepEqual(long, [ofEmail, ['password', 'password_too_long']])
  })

  it('a password that is too short does not use up the limit of registrations', async () => {
    const { send } = await stage.start({ rateLimits: 'on', trustedProxies: [] })
    const json = { username: 'ada', email: 'ada@example.com', password: 'short' }
    for (let tries = 0; tries < 60; tries++) {
      const { status } = await send('POST', '/users', { json, remoteAddress: '192.0.2.1' })
      assert.equal(status, 422)
    }
  })

  it('POST /users refuses a password with half of a surrogate pair', async () => {
    const { send } = await stage.start()
    const { status } = await send('POST', '/users', {
      headers: { 'content-type': 'application/json' },
      body: `{"username":"ada","email":"ada@example.com","password":"${password}\\ud800"}`,
    })
    assert.equal(status, 400)
  })
})

interface Fault {
  readonly loc: readonly [string, string]
  readonly type: string
}
