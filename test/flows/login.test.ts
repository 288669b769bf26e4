import assert from 'node:assert/strict'
import { it } from 'node:test'
import { hashSync } from '@node-rs/argon2'
import { decodeJwtUnsafe } from 'keystile/jwt'
import { createTestClock, describeOnBoth, issuer, password } from '../support/keystile.ts'

const scopes = { 'items:read': 'Read items', 'items:write': 'Change items' }

describeOnBoth('POST /token', (stage) => {
  it('answers a form of username and password with a bearer token that no cache keeps (RFC 6749 §5.1)', async () => {
    const { register, login } = await stage.start({ scopes, defaultScopes: ['items:read'] })
    await register()
    const { status, headers, json } = await login()
    assert.equal(status, 200)
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.deepEqual(json, {
      access_token: json['access_token'],
      token_type: 'bearer',
      expires_in: 600,
      scope: 'items:read',
    })
  })

  it('issues an access token in the JWT profile, without personal data (RFC 9068 §2.2)', async () => {
    const clock = createTestClock()
    const { register, login, keystile } = await stage.start({
      scopes,
      defaultScopes: ['items:read'],
      clock,
      accessTokenSeconds: 60,
    })
    const { json: user } = await register()
    const { header, claims } = decodeJwtUnsafe((await login()).json['access_token'])
    const now = clock.now() / 1000
    assert.deepEqual(header, { alg: 'ES256', kid: header['kid'], typ: 'at+jwt' })
    assert.deepEqual(claims, {
      iss: issuer,
      sub: user['id'],
      aud: issuer,
      jti: claims.jti,
      client_id: 'first-party',
      sid: claims['sid'],
      scope: 'items:read',
      auth_time: now,
      iat: now,
      exp: now + 60,
    })
    assert.match(claims.jti!, /^[\w-]{22}$/)
    assert.match(claims['sid'] as string, /^[\w-]{22}$/)
    const again = decodeJwtUnsafe((await login()).json['access_token']).claims
    assert.notEqual(again.jti, claims.jti)
    assert.notEqual(again['sid'], claims['sid'])
    assert.equal((await keystile.verifier.verify((await login()).json['access_token'])).subject, user['id'])
  })

  it('takes the e-mail address in place of the user name, and either in any case of letters', async () => {
    const { register, login } = await stage.start()
    await register({ username: 'Ada', email: 'Ada@münchen.example' })
    for (const username of ['ada', 'ADA', 'ada@münchen.example', 'ADA@xn--mnchen-3ya.EXAMPLE']) {
      assert.equal((await login({ username })).status, 200, username)
    }
  })

  it('answers the same bytes for an unknown user, a wrong password and a password of another case', async () => {
    const { register, login } = await stage.start()
    await register()
    const refused = await Promise.all([
      login({ username: 'nobody' }),
      login({ username: 'nobody@example.com' }),
      login({ username: 'not a name at all' }),
      login({ password: 'wrong' }),
      login({ password: password.toUpperCase() }),
      login({ password: `${password} ` }),
      login({ password: 'x'.repeat(2_000) }),
    ])
    for (const { status, text, headers } of refused) {
      assert.equal(status, 400)
      assert.equal(headers.get('cache-control'), 'no-store')
      assert.deepEqual(JSON.parse(text), {
        error: 'invalid_grant',
        error_description: 'Incorrect username or password',
        detail: 'Incorrect username or password',
      })
    }
  })

  it('reads a multipart form like an urlencoded one', async () => {
    const { register, send } = await stage.start()
    await register()
    const body = new FormData()
    body.set('username', 'ada')
    body.set('password', password)
    assert.equal((await send('POST', '/token', { body })).status, 200)
  })

  it('grants what is asked for and held, and says what that is (RFC 6749 §3.3)', async () => {
    const { register, login } = await stage.start({ scopes, defaultScopes: ['items:read'] })
    await register()
    const scopeFor = async (scope: string): Promise<unknown> => (await login({ scope })).json['scope']
    assert.equal(await scopeFor(''), 'items:read')
    assert.equal(await scopeFor('items:read'), 'items:read')
    assert.equal(await scopeFor('items:write items:read'), 'items:read')
    assert.equal(await scopeFor('items:write'), '')
    assert.equal(await scopeFor('users:write'), '')
  })

  it('answers invalid_scope to a scope that is not declared, and to what is no scope (RFC 6749 §5.2)', async () => {
    const { register, login } = await stage.start({ scopes })
    await register()
    for (const scope of [
      'items:raed',
      'items:read constructor',
      '__proto__',
      'a"b',
      'ü',
      'items:read\titems:write',
      'x'.repeat(5_000),
    ]) {
      const { status, json, text } = await login({ scope })
      assert.deepEqual([status, json['error']], [400, 'invalid_scope'], scope)
      assert.doesNotMatch(text, /raed|constructor|ü|xxxx/)
    }
  })

  it('treats a parameter without a value as absent, and ignores an unknown one (RFC 6749 §3.2)', async () => {
    const { register, login } = await stage.start()
    await register()
    assert.equal((await login({ grant_type: '', scope: '', client_id: '', client_secret: '', foo: '1' })).status, 200)
    for (const field of ['username', 'password']) {
      const { status, json } = await login({ [field]: '' })
      assert.deepEqual([status, json['error']], [400, 'invalid_request'])
    }
  })

  it('answers invalid_request to a repeated parameter, known or not (RFC 6749 §3.2)', async () => {
    const { register, send } = await stage.start()
    await register()
    const form = `username=ada&password=${encodeURIComponent(password)}`
    assert.equal((await send('POST', '/token', { form })).status, 200)
    for (const extra of ['&username=ada', '&password=', '&foo=1&foo=1', '&scope=&scope=']) {
      const { status, json } = await send('POST', '/token', {
        body: form + extra,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      })
      assert.deepEqual([status, json['error']], [400, 'invalid_request'], extra)
    }
  })

  it('answers unsupported_grant_type to any other grant (RFC 6749 §5.2)', async () => {
    const { register, login } = await stage.start()
    await register()
    assert.equal((await login({ grant_type: 'password' })).status, 200)
    for (const grant of ['refresh_token', 'client_credentials', 'authorization_code', 'PASSWORD', 'constructor']) {
      const { status, json } = await login({ grant_type: grant })
      assert.deepEqual([status, json['error']], [400, 'unsupported_grant_type'], grant)
    }
  })

  it('takes nothing, an empty Basic, or first-party without a secret for the built-in client', async () => {
    const { register, send } = await stage.start()
    await register()
    const form = { username: 'ada', password }
    const basic = (text: string): Record<string, string> => ({
      authorization: `Basic ${Buffer.from(text).toString('base64')}`,
    })
    const good = [
      { form },
      { form, headers: basic(':') },
      { form, headers: basic('first-party:') },
      { form: { ...form, client_id: 'first-party' } },
      { form: { ...form, client_id: 'first-party', client_secret: '' } },
      { form: { ...form, client_id: 'first-party' }, headers: basic('first-party:') },
      { form, headers: { authorization: 'Bearer an.old.token' } },
    ]
    for (const request of good)
      assert.equal((await send('POST', '/token', request)).status, 200, JSON.stringify(request))
  })

  it('answers 401 invalid_client to an unknown client, or a secret where there is none (RFC 6749 §5.2)', async () => {
    const { register, send } = await stage.start()
    await register()
    const form = { username: 'ada', password }
    const basic = (text: string): Record<string, string> => ({
      authorization: `Basic ${Buffer.from(text).toString('base64')}`,
    })
    const bad = [
      { form, headers: basic('somebody:') },
      { form, headers: basic('first-party:secret') },
      { form, headers: basic('first%2Dparty:%') },
      { form, headers: basic('no colon') },
      { form, headers: { authorization: 'Basic *' } },
      { form: { ...form, client_id: 'somebody' } },
      { form: { ...form, client_id: 'first-party', client_secret: 'x' } },
      { form: { ...form, client_secret: 'x' } },
    ]
    for (const request of bad) {
      const { status, json, headers } = await send('POST', '/token', request)
      assert.deepEqual([status, json['error']], [401, 'invalid_client'], JSON.stringify(request))
      assert.match(headers.get('www-authenticate')!, /^Basic realm=/)
      assert.equal(headers.get('cache-control'), 'no-store')
    }
  })

  it('answers invalid_request to a client that authenticates twice (RFC 6749 §2.3)', async () => {
    const { register, send } = await stage.start()
    await register()
    const headers = { authorization: `Basic ${Buffer.from('first-party:').toString('base64')}` }
    for (const extra of [{ client_id: 'other' }, { client_secret: 'x' }]) {
      const { status, json } = await send('POST', '/token', { form: { username: 'ada', password, ...extra }, headers })
      assert.deepEqual([status, json['error']], [400, 'invalid_request'])
    }
  })

  it('never reads credentials from the query, and answers POST only (RFC 6749 §3.2)', async () => {
    const { register, send } = await stage.start()
    await register()
    const query = `?username=ada&password=${encodeURIComponent(password)}`
    assert.equal((await send('POST', `/token${query}`, { form: '' })).json['error'], 'invalid_request')
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const { status, headers, json } = await send(method, `/token${query}`)
      assert.deepEqual([status, headers.get('allow'), json['error']], [405, 'POST', 'invalid_request'], method)
    }
  })

  it('hashes anew at a login what was hashed with lower parameters', async () => {
    const { register, login } = await stage.start()
    await register()
    const hash = hashSync(password, { memoryCost: 8_192, timeCost: 1, parallelism: 1 })
    await stage.sql(`update "user" set password_hash = '${hash}'`)
    assert.equal((await login({ password: 'wrong' })).status, 400)
    assert.equal((await login()).status, 200)
    const [row] = await stage.sql('select password_hash from "user"')
    assert.match(String(row!['password_hash']), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    assert.equal((await login()).status, 200)
  })
})
