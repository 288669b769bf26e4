import assert from 'node:assert/strict'
import { it } from 'node:test'
import { hashSync } from '@node-rs/argon2'
import { decodeJwtUnsafe } from 'keystile/jwt'
import {
  bothDirectories,
  createTestClock,
  describeOnBoth,
  issuer,
  password,
  serverHashing,
} from '../../packages/server/test-support/keystile.ts'

const scopes = { 'items:read': 'Read items', 'items:write': 'Change items' }

/** Hashes of `password`, made by libxcrypt 4.4.38 and by passlib 1.7.4. */
const importedHashes = {
  bcrypt: '$2b$04$O7mIJu7a20kBB/zzQ75YOOmS5yPv2DF40upBUL9UO1Qsq1H0xd4Cq',
  scrypt: '$scrypt$ln=7,r=8,p=2$H8NYa20NgTDG+L8XYgwBoA$jjx9hbzgI+GWTTfpX18bYWnZAh5w0sotR6q1aQIPxAg',
}

describeOnBoth(
  'POST /token',
  (stage) => {
    it('a login with the right password gets a token with `no-store` (RFC 6749 §5.1)', async () => {
      const { addUser, login } = await stage.start({ scopes, defaultScopes: ['items:read'] })
      await addUser()
      const { status, headers, json } = await login()
      assert.equal(status, 200)
      assert.equal(headers.get('cache-control'), 'no-store')
      assert.deepEqual(json, {
        access_token: json['access_token'],
        token_type: 'bearer',
        expires_in: 600,
        refresh_token: json['refresh_token'],
        scope: 'items:read',
      })
      assert.match(String(json['refresh_token']), /^[\w-]{22}\.[\w-]{43}$/)
    })

    it('POST /token issues an access token without personal data (RFC 9068 §2.2)', async () => {
      const clock = createTestClock()
      const { addUser, login, keystile } = await stage.start({
        scopes,
        defaultScopes: ['items:read'],
        clock,
        accessTokenSeconds: 60,
      })
      const subject = await addUser()
      const { header, claims } = decodeJwtUnsafe((await login()).json['access_token'])
      const now = clock.now() / 1000
      assert.deepEqual(header, { alg: 'ES256', kid: header['kid'], typ: 'at+jwt' })
      assert.deepEqual(claims, {
        iss: issuer,
        sub: subject,
        aud: issuer,
        jti: claims.jti,
        client_id: 'first-party',
        sid: claims['sid'],
        scope: 'items:read',
        auth_time: now,
        amr: ['pwd'],
        acr: 'pwd',
        iat: now,
        exp: now + 60,
      })
      assert.match(claims.jti!, /^[\w-]{22}$/)
      assert.match(claims['sid'] as string, /^[\w-]{22}$/)
      const again = decodeJwtUnsafe((await login()).json['access_token']).claims
      assert.notEqual(again.jti, claims.jti)
      assert.notEqual(again['sid'], claims['sid'])
      assert.equal(
        (await keystile.verifier.verify((await login()).json['access_token'])).subject,
        subject,
      )
    })

    it('POST /token gives the same answer for an unknown user and a wrong password', async () => {
      const { addUser, login } = await stage.start()
      await addUser()
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

    it('POST /token reads a multipart form like a urlencoded form', async () => {
      const { addUser, send } = await stage.start()
      await addUser()
      const body = new FormData()
      body.set('username', 'ada')
      body.set('password', password)
      assert.equal((await send('POST', '/token', { body })).status, 200)
    })

    it('POST /token grants the requested scopes that the user holds (RFC 6749 §3.3)', async () => {
      const { addUser, login } = await stage.start({ scopes, defaultScopes: ['items:read'] })
      await addUser()
      const scopeFor = async (scope: string): Promise<unknown> =>
        (await login({ scope })).json['scope']
      assert.equal(await scopeFor(''), 'items:read')
      assert.equal(await scopeFor('items:read'), 'items:read')
      assert.equal(await scopeFor('items:write items:read'), 'items:read')
      assert.equal(await scopeFor('items:write'), '')
      assert.equal(await scopeFor('users:write'), '')
    })

    it('POST /token returns invalid_scope for an undeclared scope (RFC 6749 §5.2)', async () => {
      const { addUser, login } = await stage.start({ scopes })
      await addUser()
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

    it('POST /token ignores empty and unknown parameters (RFC 6749 §3.2)', async () => {
      const { addUser, login } = await stage.start()
      await addUser()
      assert.equal(
        (await login({ grant_type: '', scope: '', client_id: '', client_secret: '', foo: '1' }))
          .status,
        200,
      )
      for (const field of ['username', 'password']) {
        const { status, json } = await login({ [field]: '' })
        assert.deepEqual([status, json['error']], [400, 'invalid_request'])
      }
    })

    it('POST /token returns invalid_request for a repeated parameter (RFC 6749 §3.2)', async () => {
      const { addUser, send } = await stage.start()
      await addUser()
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

    it('an unknown grant gets unsupported_grant_type at POST /token (RFC 6749 §5.2)', async () => {
      const { addUser, login } = await stage.start()
      await addUser()
      assert.equal((await login({ grant_type: 'password' })).status, 200)
      for (const grant of ['implicit', 'PASSWORD', 'constructor']) {
        const { status, json } = await login({ grant_type: grant })
        assert.deepEqual([status, json['error']], [400, 'unsupported_grant_type'], grant)
        assert.match(
          json['error_description'],
          /must be password or authorization_code or refresh_token/,
        )
      }
    })

    it('POST /token accepts the client `first-party` by id or without credentials', async () => {
      const { addUser, send } = await stage.start()
      await addUser()
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

    it('POST /token returns 401 invalid_client for a wrong client (RFC 6749 §5.2)', async () => {
      const { addUser, send } = await stage.start()
      await addUser()
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

    it('POST /token refuses a client that sends two credentials (RFC 6749 §2.3)', async () => {
      const { addUser, send } = await stage.start()
      await addUser()
      const headers = { authorization: `Basic ${Buffer.from('first-party:').toString('base64')}` }
      for (const extra of [{ client_id: 'other' }, { client_secret: 'x' }]) {
        const { status, json } = await send('POST', '/token', {
          form: { username: 'ada', password, ...extra },
          headers,
        })
        assert.deepEqual([status, json['error']], [400, 'invalid_request'])
      }
    })

    it('/token ignores the query and allows only the method POST (RFC 6749 §3.2)', async () => {
      const { addUser, send } = await stage.start()
      await addUser()
      const query = `?username=ada&password=${encodeURIComponent(password)}`
      assert.equal(
        (await send('POST', `/token${query}`, { form: '' })).json['error'],
        'invalid_request',
      )
      for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
        const { status, headers, json } = await send(method, `/token${query}`)
        assert.deepEqual(
          [status, headers.get('allow'), json['error']],
          [405, 'POST', 'invalid_request'],
          method,
        )
      }
    })

    it('a login renews a password hash that was made at a lower cost', async () => {
      const { addUser, login, readHash, writeHash } = await stage.start({
        passwordHashing: serverHashing,
      })
      const subject = await addUser()
      const hash = hashSync(password, { memoryCost: 8_192, timeCost: 1, parallelism: 1 })
      await writeHash(subject, hash)
      assert.equal((await login({ password: 'wrong' })).status, 400)
      assert.equal(await readHash(subject), hash)
      assert.equal((await login()).status, 200)
      assert.match(await readHash(subject), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
      assert.equal((await login()).status, 200)
    })

    it('a login renews a password hash if the cost was raised, but not if lowered', async () => {
      const { addUser, readHash } = await stage.start()
      const subject = await addUser()
      const before = await readHash(subject)
      const raised = await stage.start({ passwordHashing: { memoryKiB: 20_480, passes: 3 } })
      assert.equal((await raised.login({ password: 'wrong' })).status, 400)
      assert.equal(await readHash(subject), before)
      assert.equal((await raised.login()).status, 200)
      const after = await readHash(subject)
      assert.match(after, /^\$argon2id\$v=19\$m=20480,t=3,p=1\$/)
      const lowered = await stage.start()
      for (const { login } of [raised, lowered]) assert.equal((await login()).status, 200)
      assert.equal(await readHash(subject), after)
    })

    for (const [kind, hash] of Object.entries(importedHashes)) {
      it(`a login accepts a ${kind} hash from another library and replaces it`, async () => {
        const { addUser, login, readHash, writeHash } = await stage.start()
        const subject = await addUser()
        await writeHash(subject, hash)
        for (const wrong of ['wrong', `${password}\0`, password.slice(0, -1)])
          assert.equal((await login({ password: wrong })).json['error'], 'invalid_grant')
        for (const { status } of await Promise.all([login(), login(), login()]))
          assert.equal(status, 200)
        const renewed = await readHash(subject)
        assert.match(renewed, /^\$argon2id\$v=19\$m=8,t=1,p=1\$/)
        assert.equal((await login()).status, 200)
        assert.equal(await readHash(subject), renewed)
      })
    }

    it('if the stored hash is unusable, a login fails as for a wrong password', async () => {
      const logged: unknown[] = []
      const logger = {
        debug() {},
        info() {},
        error() {},
        warn: (fields: object) => logged.push(fields),
      }
      const { addUser, login, writeHash } = await stage.start({ logger })
      logged.length = 0 // drops the warning that the test's PostgreSQL does not wait for the disk
      const subject = await addUser()
      const wrong = await login({ password: 'wrong' })
      const bad = [
        importedHashes.bcrypt.replace('$04$', '$31$'),
        importedHashes.scrypt.replace('ln=7', 'ln=40'),
        '$argon2id$v=19$m=4194304,t=9999,p=1$MkM4d05KQk52c1Jj$cLp8GBnSSRrjoVP4EPeIQa4G9+Et2roWFSPwl83AQVk',
        '$1$abc$def',
      ]
      for (const hash of bad) {
        await writeHash(subject, hash)
        const { status, text } = await login()
        assert.deepEqual([status, text], [wrong.status, wrong.text], hash)
      }
      assert.deepEqual(
        logged,
        bad.map(() => ({ subject })),
      )
    })

    it('a login keeps a bcrypt hash if the password has more than 72 bytes', async () => {
      const { addUser, login, readHash, writeHash } = await stage.start()
      const subject = await addUser()
      // The hash of ninety digits, made by libxcrypt 4.4.38.
      const hash = '$2b$04$zURFbW97rGSFPw//GZTsJOxRlNvc2Th5VA.9AGZB/QVL74TtqLoHa'
      await writeHash(subject, hash)
      const typed = '0123456789'.repeat(9)
      for (const secret of [typed, `${typed.slice(0, 72)} mistyped`]) {
        assert.equal((await login({ password: secret })).status, 200)
        assert.equal(await readHash(subject), hash)
      }
    })
  },
  bothDirectories,
)

describeOnBoth('POST /token for an account', (stage) => {
  it('POST /token accepts a user name or an e-mail address, in upper or lower case', async () => {
    const { register, login } = await stage.start()
    await register({ username: 'Ada', email: 'Ada@münchen.example' })
    for (const username of ['ada', 'ADA', 'ada@münchen.example', 'ADA@xn--mnchen-3ya.EXAMPLE']) {
      assert.equal((await login({ username })).status, 200, username)
    }
  })
})
