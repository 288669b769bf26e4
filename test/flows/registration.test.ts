import assert from 'node:assert/strict'
import { it } from 'node:test'
import { z } from 'zod'
import { createTestClock, describeOnBoth, issuer, password } from '../support/keystile.ts'

describeOnBoth('POST /users', (stage) => {
  it('answers 201 with the public user and where it is, and never a hash', async () => {
    const { register } = await stage.start({ clock: createTestClock(Date.UTC(2026, 0, 2, 3, 4, 5, 6)) })
    const { status, headers, json, text } = await register({ username: 'Ada.L', email: 'Ada@Example.COM' })
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

  it('answers 409 naming the field that somebody has, in any case of letters', async () => {
    const { register } = await stage.start()
    await register({ username: 'Ada', email: 'ada@example.com' })
    const sameName = await register({ username: 'aDA', email: 'other@example.com' })
    assert.deepEqual([sameName.status, sameName.json['detail']], [409, 'This username is already taken'])
    const sameEmail = await register({ username: 'other', email: 'ADA@EXAMPLE.com' })
    assert.deepEqual([sameEmail.status, sameEmail.json['detail']], [409, 'This email is already taken'])
  })

  it('lets one of twenty who want the same name at once have it', async () => {
    const { register } = await stage.start()
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => register({ email: `ada${i}@example.com` })))
    assert.equal(answers.filter(({ status }) => status === 201).length, 1)
    assert.equal(answers.filter(({ status }) => status === 409).length, 19)
  })

  it('answers 422 with every fault at once, and repeats nothing that was sent', async () => {
    const { send } = await stage.start()
    const { status, headers, json, text } = await send('POST', '/users', {
      json: { username: '_secret-name', password: 'secret-pass', role: 'admin' },
    })
    assert.equal(status, 422)
    assert.equal(headers.get('content-type'), 'application/problem+json')
    assert.deepEqual(
      json['errors'].map(({ loc, type }: { loc: unknown; type: string }) => [loc, type]),
      [
        [['body', 'username'], 'value_error'],
        [['body', 'email'], 'missing'],
        [['body', 'password'], 'value_error'],
        [['body'], 'extra_forbidden'],
      ],
    )
    assert.doesNotMatch(text, /secret|admin|role/)
  })

  it('takes no field that grants anything (mass assignment)', async () => {
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

  it('keeps what the profile schema makes of the other fields, and refuses what it refuses', async () => {
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

  it('lets no profile field stand in for a field of ours', async () => {
    const profile = z.object({ id: z.string().optional(), email_verified: z.boolean().optional() })
    const { register } = await stage.start({ profile })
    const { json } = await register({ id: 'chosen', email_verified: true })
    assert.notEqual(json['id'], 'chosen')
    assert.equal(json['email_verified'], false)
  })

  it('answers 403 when registration is closed', async () => {
    const { register } = await stage.start({ registration: 'closed' })
    const { status, json } = await register()
    assert.deepEqual([status, json['detail']], [403, 'Registration is closed'])
  })

  it('takes passwords of 15 code points to 1,024 bytes, whatever is in them, and counts every byte (ASVS V6.2.8)', async () => {
    const { register, login } = await stage.start()
    const good = {
      fifteen: 'x'.repeat(15),
      emoji: '🔑'.repeat(15),
      sixtyfour: 'y'.repeat(64),
      thousand: 'z'.repeat(1_000),
      most: '🔑'.repeat(256),
      nul: `before\0after and more`,
      spaces: ' '.repeat(20),
      composed: 'ÅÅÅÅÅÅÅÅÅÅÅÅÅÅÅ'.normalize('NFC'),
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
      fifteen: 'X'.repeat(15),
      sixtyfour: `${'y'.repeat(63)}z`,
      thousand: 'z'.repeat(999),
      most: '🔑'.repeat(255),
      nul: 'before\0after and mor',
      spaces: ' '.repeat(19),
      composed: 'ÅÅÅÅÅÅÅÅÅÅÅÅÅÅÅ'.normalize('NFD'),
    }
    for (const [username, secret] of Object.entries(near))
      assert.equal((await login({ username, password: secret })).status, 400, username)
    const tooLong = '🔑'.repeat(257)
    for (const secret of ['x'.repeat(14), '🔑'.repeat(14), tooLong]) {
      assert.equal((await register({ username: 'other', email: 'other@example.com', password: secret })).status, 422)
    }
    assert.equal((await login({ username: 'most', password: tooLong })).json['error'], 'invalid_grant')
  })

  it('has no rule on what a password is made of (NIST SP 800-63B-4 §3.1.1.2)', async () => {
    const { register } = await stage.start()
    assert.equal((await register({ password: 'a'.repeat(15) })).status, 201)
  })

  it('refuses a password with a lone surrogate, which no form can send', async () => {
    const { send } = await stage.start()
    const { status } = await send('POST', '/users', {
      headers: { 'content-type': 'application/json' },
      body: `{"username":"ada","email":"ada@example.com","password":"${password}\\ud800"}`,
    })
    assert.equal(status, 400)
  })
})
