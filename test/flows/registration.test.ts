import assert from 'node:assert/strict'
import { it } from 'node:test'
import { z } from 'zod'
import {
  createTestClock,
  describeOnBoth,
  issuer,
  password,
} from '../../packages/server/test-support/keystile.ts'

describeOnBoth('POST /users', (stage) => {
  it('POST /users answers 201 with the public user and its URL, never with a hash', async () => {
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

  it('POST /users answers 409 and names the taken field, in any letter case', async () => {
    const { register } = await stage.start()
    await register({ username: 'Ada', email: 'ada@example.com' })
    const sameName = await register({ username: 'aDA', email: 'other@example.com' })
    assert.deepEqual(
      [sameName.status, sameName.json['detail']],
      [409, 'This username is already taken'],
    )
    const sameEmail = await register({ username: 'other', email: 'ADA@EXAMPLE.com' })
    assert.deepEqual(
      [sameEmail.status, sameEmail.json['detail']],
      [409, 'This email is already taken'],
    )
  })

  it('POST /users gives a name to only one of twenty concurrent requests', async () => {
    const { register } = await stage.start()
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => register({ email: `ada${i}@example.com` })),
    )
    assert.equal(answers.filter(({ status }) => status === 201).length, 1)
    assert.equal(answers.filter(({ status }) => status === 409).length, 19)
  })

  it('POST /users answers 422 with all faults and repeats no input', async () => {
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

  it('POST /users refuses every field that grants rights (mass assignment)', async () => {
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

  it('POST /users stores what the profile schema returns, and refuses other fields', async () => {
    const profile = z.strictObject({ nickname: z.string().trim().min(1), age: z.int().optional() })
    const { register, login, send } = await stage.start({ profile })
    const refused = await register({ nickname: 7, city: 'x' })
    assert.equal(refused.status, 422)
    assert.deepEqual(refused.json['errors'][0].loc, ['body', 'nickname'])
    const { status, json } = await register({ nickname: ' Countess ', age: 36 })
    assert.equal(status, 201)
    assert.deepEqual([json['nickname'], json['age']], ['Countess', 36])
    const token = (await login()).json['access_token']
    assert.equal((await send('GET', '/users/me', { bearer: token })).json['nickname'], 'Countess')
  })

  it('a profile schema with a reserved field stops the start', async () => {
    const profile = z.object({ roles: z.array(z.string()).optional() })
    await assert.rejects(stage.start({ profile }), /profile must not have roles/)
  })

  it('POST /users refuses reserved fields and names of object members', async () => {
    const { register, login, send } = await stage.start({ profile: z.looseObject({}) })
    const names = [
      'id',
      'email_verified',
      'createdAt',
      'roles',
      'scopes',
      'disabled',
      'constructor',
      'toJSON',
    ]
    const fields = names.map((name) => ({ [name]: ['admin'] }))
    for (const field of fields) {
      const { status, json } = await register(field)
      assert.deepEqual([status, json['errors'][0].msg], [422, 'This field is reserved'])
    }
    assert.equal((await register({ city: 'London' })).status, 201)
    const bearer = (await login()).json['access_token']
    const prototype = '{"__proto__":{"roles":["admin"]}}'
    const headers = { 'content-type': 'application/json' }
    for (const body of [
      prototype,
      ...[...fields, { password: 'x' }].map((field) => JSON.stringify(field)),
    ])
      assert.equal((await send('PATCH', '/users/me', { bearer, headers, body })).status, 422, body)
  })

  it('stored profile fields with reserved names are never shown', async () => {
    const { register, login, open, send } = await stage.start({ profile: z.looseObject({}) })
    await register({ city: 'London' })
    await stage.sql(
      `update "user" set profile = '{"city":"London","roles":["admin"],"__proto__":{"disabled":true}}'`,
    )
    const bearer = (await login()).json['access_token']
    const own = ['city', 'createdAt', 'email', 'emailVerified', 'id', 'username']
    assert.deepEqual(Object.keys((await open([], { bearer })).json['user']).toSorted(), own)
    const { json } = await send('PATCH', '/users/me', { bearer, json: { city: 'Paris' } })
    const shown = ['city', 'created_at', 'email', 'email_verified', 'id', 'username']
    assert.deepEqual([json['city'], Object.keys(json).toSorted()], ['Paris', shown])
  })

  it('a profile is limited to 64 KiB, in one change or in several', async () => {
    const { register, login, send } = await stage.start({ profile: z.looseObject({}) })
    await register({ a: 'x'.repeat(40_000) })
    const bearer = (await login()).json['access_token']
    for (const [field, expected] of [
      [{ b: 'x'.repeat(25_000) }, 200],
      [{ c: 'x'.repeat(1_000) }, 422],
      [{ a: 'x', c: 'x'.repeat(30_000) }, 200],
      [{ d: 'é'.repeat(10_000) }, 422],
    ] as const) {
      const { status, json } = await send('PATCH', '/users/me', { bearer, json: field })
      assert.equal(status, expected, json['detail'])
    }
    const [row] = await stage.sql('select length(profile) as length from "user"')
    assert.ok(Number(row!['length']) <= 65_536)
  })

  it('POST /users answers 403 when registration is closed', async () => {
    const { register } = await stage.start({ registration: 'closed' })
    const { status, json } = await register()
    assert.deepEqual([status, json['detail']], [403, 'Registration is closed'])
  })

  it('POST /users takes passwords of 15 characters to 1,024 bytes (ASVS V6.2.8)', async () => {
    const { register, login } = await stage.start()
    const words = Array.from({ length: 300 }, (_, i) => `word ${i} `).join('')
    const most = `${words.slice(0, 1_000)}${'🔑'.repeat(6)}`
    const good = {
      fifteen: words.slice(0, 15),
      emoji: '🔑🗝🚪🏠🌳🐈🐕🌧🌈🚲🛶⛰🌋🗻🦉',
      sixtyfour: words.slice(0, 64),
      thousand: words.slice(0, 1_000),
      most,
      nul: `before\0after and more`,
      spaces: '    two wide margins    ',
      composed: 'Åland in Ångström'.normalize('NFC'),
    }
    for (const [username, secret] of Object.entries(good)) {
      assert.equal(
        (await register({ username, email: `${username}@example.com`, password: secret })).status,
        201,
        username,
      )
      assert.equal((await login({ username, password: secret })).status, 200, username)
    }
    const near = {
      fifteen: words.slice(0, 15).toUpperCase(),
      sixtyfour: `${words.slice(0, 63)}z`,
      thousand: words.slice(0, 999),
      most: `${most.slice(0, -2)}🗝`,
      nul: 'before\0after and mor',
      spaces: 'two wide margins',
      composed: 'Åland in Ångström'.normalize('NFD'),
    }
    for (const [username, secret] of Object.entries(near))
      assert.equal((await login({ username, password: secret })).status, 400, username)
    assert.equal(Buffer.byteLength(most), 1_024)
    const tooLong = `${most}x`
    for (const secret of [words.slice(0, 14), Array.from(good.emoji).slice(1).join(''), tooLong]) {
      assert.equal(
        (await register({ username: 'other', email: 'other@example.com', password: secret }))
          .status,
        422,
      )
    }
    assert.equal(
      (await login({ username: 'most', password: tooLong })).json['error'],
      'invalid_grant',
    )
  })

  it('POST /users requires no digits in a password (NIST SP 800-63B-4 §3.1.1.2)', async () => {
    const { register } = await stage.start()
    assert.equal((await register({ password: 'no signs no digits no capitals' })).status, 201)
  })

  it('POST /users answers 422 to a guessable password, with the reason', async () => {
    const { register } = await stage.start()
    const bad = [
      [
        'passwordPASSWORD',
        /^password: Password should not be one of the most common ones; several words/,
      ],
      ['Dragon-1234567890', /a common word with digits or signs around it/],
      ['qwertyuiop asdfghjkl', /a row of letters, digits or keys/],
      ['zebra5zebra5zebra5', /something short that is repeated/],
      ['the Countess of love', /should not contain your username/],
      ['lovelace on the run', /should not contain your e-mail address/],
      ['Localhost of mine', /should not contain the name of this service/],
    ] as const
    for (const [secret, expected] of bad) {
      const fields = { username: 'Countess', email: 'Lovelace+x@example.com', password: secret }
      const { status, json, text } = await register(fields)
      assert.equal(status, 422, secret)
      assert.match(json['detail'], expected)
      assert.deepEqual(json['errors'][0].loc, ['body', 'password'])
      assert.doesNotMatch(text, /dragon|qwerty|zebra|of love|on the run|of mine/i)
    }
    assert.equal(
      (await register({ username: 'ada', password: 'ada drives an engine' })).status,
      201,
    )
  })

  it('POST /users checks the password policy only if all other fields are valid', async () => {
    const { register } = await stage.start()
    const { json } = await register({
      username: 'Countess',
      email: 'nobody',
      password: 'the Countess of love',
    })
    const found = json['errors'].map(({ loc }: { loc: readonly string[] }) => loc[1])
    assert.deepEqual(found, ['email'])
  })

  it('passwordMinLength sets the minimum, and common passwords stay refused', async () => {
    const { register } = await stage.start({ passwordMinLength: 8 })
    assert.match((await register({ password: 'zk4-ten' })).json['detail'], /at least 8 characters/)
    assert.match((await register({ password: 'iloveyou' })).json['detail'], /most common/)
    assert.equal((await register({ password: 'zk4-tent' })).status, 201)
  })

  it('POST /users refuses a password with a lone surrogate', async () => {
    const { send } = await stage.start()
    const { status } = await send('POST', '/users', {
      headers: { 'content-type': 'application/json' },
      body: `{"username":"ada","email":"ada@example.com","password":"${password}\\ud800"}`,
    })
    assert.equal(status, 400)
  })
})
