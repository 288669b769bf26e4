// Logins in steps: a password, and then a code of an authenticator app or a recovery code.
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'
import { hashSync } from '@node-rs/bcrypt'
import { decodeJwtUnsafe, type Jwk } from 'keystile/jwt'
import { createAuthenticatorApp } from 'keystile/testing'
import pg from 'pg'
import { callCommand } from '../../packages/server/test-support/command.ts'
import {
  bothDirectories,
  createTestClock,
  describeOnBoth,
  issuer,
  key,
  password,
  type Answer,
  type Stage,
  type TestClock,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { countBackends, isWaiting } from '../../packages/server/test-support/postgres.ts'
import {
  enrol,
  giveApps,
  tokensWithFactor,
} from '../../packages/server/test-support/second-factor.ts'
import { until } from '../../tools/until.ts'

describeOnBoth(
  'a login with a second factor',
  (stage) => {
    async function start(
      more: object = {},
      now?: number,
    ): Promise<TestKeystile & { readonly clock: TestClock }> {
      const clock = createTestClock(now)
      const options = { clock, secondFactor: 'optional', cookieSession: true, ...more } as const
      return { ...(await stage.start(options)), clock }
    }
    const step = (
      { send }: TestKeystile,
      first: Answer,
      fields: Readonly<Record<string, string>>,
    ): Promise<Answer> =>
      send('POST', '/token', {
        form: { grant_type: 'password', auth_session: first.json['auth_session'], ...fields },
      })

    it('after the right password, a code of the app ends the login', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      const first = await running.login()
      assert.equal(first.status, 403)
      assert.deepEqual(
        { ...first.json, auth_session: 'S' },
        {
          error: 'insufficient_authorization',
          error_description:
            'The login needs another step: send auth_session with otp or recovery_code',
          detail: 'The login needs another step: send auth_session with otp or recovery_code',
          auth_session: 'S',
          methods: ['otp', 'recovery_code'],
        },
      )
      assert.equal(first.headers.get('cache-control'), 'no-store')

      const provedAt = Math.floor(running.clock.now() / 1000)
      const { status, json, text } = await step(running, first, { otp: ada.nextCode() })
      assert.equal(status, 200, text)
      const { claims } = decodeJwtUnsafe(json['access_token'])
      assert.deepEqual(
        [claims.sub, claims['amr'], claims['acr'], claims['auth_time']],
        [ada.subject, ['pwd', 'otp', 'mfa'], 'mfa', provedAt],
      )
      const again = await running.refresh(json['refresh_token'])
      assert.deepEqual(decodeJwtUnsafe(again.json['access_token']).claims['amr'], claims['amr'])
    })

    it('the password and the code may come in one form', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      assert.equal((await running.login({ otp: ada.nextCode() })).status, 200)
      const wrong = await running.login({ otp: '000000' })
      assert.deepEqual([wrong.status, wrong.json['error']], [400, 'invalid_grant'])
      assert.equal((await step(running, wrong, { otp: ada.nextCode() })).status, 200)
    })

    it('after a wrong password, no code is looked at, and the answer is the usual one', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      const plain = await running.login({ password: 'a wrong password' })
      const withCode = await running.login({ password: 'a wrong password', otp: ada.nextCode() })
      await running.addUser({ username: 'bob', email: 'bob@example.com' })
      const without = await running.login({ username: 'bob', password: 'a wrong password' })
      for (const { status, text, headers } of [withCode, without])
        assert.deepEqual(
          [status, text, [...headers]],
          [plain.status, plain.text, [...plain.headers]],
        )
      assert.deepEqual(Object.keys(plain.json), ['error', 'error_description', 'detail'])
    })

    it('a code works once, and so does a recovery code', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      const code = ada.nextCode()
      assert.equal((await running.login({ otp: code })).status, 200)
      assert.equal((await running.login({ otp: code })).status, 400)

      const [recovery = ''] = ada.recoveryCodes
      const typed = recovery.replaceAll('-', ' ').toUpperCase()
      assert.equal((await running.login({ recovery_code: typed })).status, 200)
      assert.equal((await running.login({ recovery_code: recovery })).status, 400)
      const bearer = (await tokensWithFactor(ada)).accessToken
      const { json } = await running.send('GET', '/users/me/factors', { bearer })
      const made = json['totp'].created_at
      assert.deepEqual([json['recovery_codes'], json['recovery_codes_created_at']], [9, made])
    })

    it('an earlier code than the last one does not work', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      const earlier = ada.nextCode()
      assert.equal((await running.login({ otp: ada.nextCode() })).status, 200)
      assert.equal((await running.login({ otp: earlier })).status, 400)
    })

    it('an attempt is over after five wrong codes, after ten minutes, and once it is used', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      const over = { status: 400, error: 'invalid_session' }
      const outcome = async (
        first: Answer,
        fields: Readonly<Record<string, string>>,
      ): Promise<object> => {
        const { status, json } = await step(running, first, fields)
        return { status, error: json['error'] }
      }

      const guessed = await running.login()
      for (let i = 0; i < 5; i++)
        assert.deepEqual(await outcome(guessed, { otp: '000000' }), {
          status: 400,
          error: 'invalid_grant',
        })
      assert.deepEqual(await outcome(guessed, { otp: ada.nextCode() }), over)

      const late = await running.login()
      running.clock.advance(601)
      assert.deepEqual(await outcome(late, { otp: ada.nextCode() }), over)

      const used = await running.login()
      assert.equal((await step(running, used, { otp: ada.nextCode() })).status, 200)
      assert.deepEqual(await outcome(used, { otp: ada.nextCode() }), over)
      const made = await running.send('POST', '/token', {
        form: { auth_session: 'x'.repeat(43), otp: ada.nextCode() },
      })
      assert.deepEqual([made.status, made.json['error']], [400, 'invalid_session'])
    })

    it('an attempt goes on only at its endpoint and for its client', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      const other = await running.addClient({
        id: 'other',
        grants: ['password'],
        scopes: [],
        confidential: false,
      })
      const first = await running.login()
      const atOther = await step(running, first, { ...other, otp: ada.nextCode() })
      assert.deepEqual([atOther.status, atOther.json['error']], [400, 'invalid_session'])
      const json = { auth_session: first.json['auth_session'], otp: ada.nextCode() }
      const origin = new URL(running.keystile.issuer).origin
      const headers = { origin }
      const atSession = await running.send('POST', '/session', { json, headers })
      assert.deepEqual([atSession.status, atSession.json['error']], [400, 'invalid_session'])
      assert.equal((await step(running, first, { otp: ada.nextCode() })).status, 200)
    })

    it('POST /session has the same steps', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      const headers = { origin: new URL(running.keystile.issuer).origin }
      const post = (json: object): Promise<Answer> =>
        running.send('POST', '/session', { json, headers })
      const first = await post({ username: 'ada', password: 'correct horse battery staple' })
      assert.deepEqual([first.status, first.json['methods']], [403, ['otp', 'recovery_code']])
      assert.equal(first.headers.get('set-cookie'), null)
      const { auth_session } = first.json
      assert.equal((await post({ auth_session, otp: ada.nextCode() })).status, 200)
      assert.equal((await post({ otp: ada.nextCode() })).status, 422)
    })

    it('a malformed code gets a clear answer and is not counted as a guess', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      for (const otp of ['12345678', 'abcdef', '１２３４５６', 'x'.repeat(10_000)]) {
        const { status, json } = await running.login({ otp })
        assert.deepEqual([status, json['detail']], [400, 'The otp must be six digits'], otp)
      }
      const spaced = ada.nextCode().replace(/^.../, '$& ')
      assert.equal((await running.login({ otp: spaced })).status, 200)
      const empty = await running.login({ otp: '' })
      assert.equal(empty.json['error'], 'insufficient_authorization')
    })

    it('whatever ends the sessions of a user ends the attempts too', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      const bearer = (await tokensWithFactor(ada)).accessToken
      const first = await running.login()
      const { status } = await running.send('DELETE', '/users/me/sessions', { bearer })
      assert.equal(status, 204)
      const { json } = await step(running, first, { otp: ada.nextCode() })
      assert.equal(json['error'], 'invalid_session')

      const second = await running.login()
      await running.disable(ada.subject)
      const refused = await step(running, second, { otp: ada.nextCode() })
      assert.equal(refused.json['error'], 'invalid_session')
    })

    it('a new password between two steps ends the attempt', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      const first = await running.login()
      await running.writeHash(
        ada.subject,
        `$argon2id$v=19$m=8,t=1,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`,
      )
      const { json } = await step(running, first, { otp: ada.nextCode() })
      assert.equal(json['error'], 'invalid_session')
    })

    it('the first app ends the other sessions, and its own session goes on', async () => {
      const running = await start()
      let other = ''
      const ada = await enrol(running, running.clock, 'ada', async () => {
        other = (await running.login()).json['access_token']
      })
      const read = async (bearer: string): Promise<number> =>
        (await running.send('GET', '/users/me/factors', { bearer })).status
      assert.equal(await read(other), 401)
      assert.equal(await read(ada.accessToken), 200)
    })

    if (stage.kind === 'PostgreSQL')
      it('the first app ends the session of a login that began before it', async () => {
        const { send, login, tokens, clock } = await start()
        const { accessToken: bearer } = await tokens()
        const begun = await send('POST', '/users/me/factors/totp', { bearer })
        const blocker = new pg.Client({
          connectionString: stage.database,
          options: '-c search_path=keystile',
        })
        await blocker.connect()
        try {
          await blocker.query('begin')
          await blocker.query('lock table refresh_token in share mode')
          // This login has found no factor, and cannot store its session yet.
          const thief = login()
          await isWaiting(stage.database)
          const json = {
            code: createAuthenticatorApp(begun.json['uri']).code(new Date(clock.now())),
          }
          let isDone = false
          const confirmed = send('POST', '/users/me/factors/totp/confirm', {
            bearer,
            json,
          }).finally(() => (isDone = true))
          await until(async () => isDone || (await countBackends(stage.database, 'waiting')) > 1)
          await blocker.query('rollback')

          assert.equal((await confirmed).status, 200)
          const { status, json: stolen } = await thief
          assert.equal(status, 200)
          const read = await send('GET', '/users/me/factors', { bearer: stolen['access_token'] })
          assert.equal(read.status, 401)
        } finally {
          await blocker.end()
        }
      })

    it('a user makes new recovery codes twenty times at once, in all sessions', async () => {
      const running = await start({ rateLimits: 'on' })
      const ada = await enrol(running, running.clock)
      const renew = (bearer: string): Promise<Answer> =>
        running.send('POST', '/users/me/factors/recovery-codes', { bearer })
      for (let i = 0; i < 2; i++) {
        const { accessToken: bearer } = await tokensWithFactor(ada)
        for (let n = 0; n < 10; n++) assert.equal((await renew(bearer)).status, 200)
      }
      const { accessToken: bearer } = await tokensWithFactor(ada)
      assert.equal((await renew(bearer)).status, 429)
    })

    it('factors change only after a recent login with the factor', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      const remove = (bearer: string): Promise<Answer> =>
        running.send('DELETE', '/users/me/factors/totp', { bearer })
      assert.equal((await remove(ada.accessToken)).status, 401)
      const { accessToken: bearer } = await tokensWithFactor(ada)
      const renewed = await running.send('POST', '/users/me/factors/recovery-codes', { bearer })
      assert.equal(renewed.json['recovery_codes'].length, 10)
      running.clock.advance(400)
      assert.equal((await remove(bearer)).status, 401)
      assert.equal((await remove((await tokensWithFactor(ada)).accessToken)).status, 204)
      assert.equal((await running.login()).status, 200)
      const rows = await stage.sql(
        "select event, detail from audit where event in ('factor_added', 'factor_removed') order by event",
      )
      const detail = '{"factor":"otp"}'
      assert.deepEqual(
        rows.map((row) => ({ ...row })),
        [
          { event: 'factor_added', detail },
          { event: 'factor_removed', detail },
        ],
      )
      const [old = ''] = ada.recoveryCodes
      assert.equal((await running.login({ recovery_code: old })).status, 200)
    })

    it('a second app replaces the first one only with its own code', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      const { accessToken: bearer } = await tokensWithFactor(ada)
      const { status } = await running.send('POST', '/users/me/factors/totp', { bearer })
      assert.equal(status, 200)
      const json = { code: ada.nextCode() }
      const refused = await running.send('POST', '/users/me/factors/totp/confirm', { bearer, json })
      assert.equal(refused.status, 403)
      assert.equal((await ada.login()).status, 200)
    })

    it('another session cannot replace the secret that waits for its first code', async () => {
      const running = await start()
      const begin = (bearer: string): Promise<Answer> =>
        running.send('POST', '/users/me/factors/totp', { bearer })
      const confirm = (bearer: string, code: string): Promise<Answer> =>
        running.send('POST', '/users/me/factors/totp/confirm', { bearer, json: { code } })
      let thief = ''
      const ada = await enrol(running, running.clock, 'ada', async () => {
        thief = (await running.login()).json['access_token']
        assert.equal((await confirm(thief, '000000')).status, 409)
        assert.equal((await begin(thief)).status, 200)
      })
      assert.equal((await running.send('GET', '/users/me/factors', { bearer: thief })).status, 401)
      assert.equal((await ada.login()).status, 200)
      assert.equal((await stage.sql('select state from authenticator_app')).length, 1)

      // A secret that was never confirmed does not stay.
      const { accessToken: bearer } = await tokensWithFactor(ada)
      assert.equal((await begin(bearer)).status, 200)
      running.clock.advance(3_600)
      const { accessToken: later } = await tokensWithFactor(ada)
      assert.equal((await begin(later)).status, 200)
      assert.equal((await stage.sql('select state from authenticator_app')).length, 2)
    })

    it('in at most ten sessions of a user, an app waits for its first code', async () => {
      const running = await start()
      const sessions: { readonly bearer: string; readonly uri: string }[] = []
      await running.tokens()
      for (let n = 0; n < 12; n++) {
        running.clock.advance(1)
        const bearer = (await running.login()).json['access_token'] as string
        const { json } = await running.send('POST', '/users/me/factors/totp', { bearer })
        sessions.push({ bearer, uri: json['uri'] })
      }
      assert.equal((await stage.sql('select state from authenticator_app')).length, 10)

      const confirm = async (n: number): Promise<number> => {
        const { bearer, uri } = sessions.at(n)!
        const json = { code: createAuthenticatorApp(uri).code(new Date(running.clock.now())) }
        return (await running.send('POST', '/users/me/factors/totp/confirm', { bearer, json }))
          .status
      }
      assert.equal(await confirm(1), 409)
      assert.equal(await confirm(2), 200)
    })

    it('another app ends the other sessions, and brings new recovery codes', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      const { accessToken: thief } = await tokensWithFactor(ada)
      const { accessToken: bearer } = await tokensWithFactor(ada)
      const begun = await running.send('POST', '/users/me/factors/totp', { bearer })
      const app = createAuthenticatorApp(begun.json['uri'])
      const json = { code: app.code(new Date(running.clock.now())) }
      const { json: confirmed } = await running.send('POST', '/users/me/factors/totp/confirm', {
        bearer,
        json,
      })

      assert.equal((await running.send('GET', '/users/me/factors', { bearer: thief })).status, 401)
      assert.equal((await running.send('GET', '/users/me/factors', { bearer })).status, 200)
      const codeWorks = async (recovery_code = ''): Promise<number> =>
        (await running.login({ recovery_code })).status
      assert.equal(await codeWorks(ada.recoveryCodes[0]), 400)
      assert.equal(await codeWorks(confirmed['recovery_codes'][0]), 200)
    })

    it('a stolen password cannot change an account that has a factor', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      const change = { current_password: password, new_password: 'another engine of hers' }
      const routes = [
        ['POST', '/users/me/factors/totp'],
        ['DELETE', '/users/me/factors/totp'],
        ['POST', '/users/me/factors/recovery-codes'],
        ...(running.keystile.users
          ? ([
              ['POST', '/users/me/password'],
              ['POST', '/users/me/email'],
              ['DELETE', '/users/me'],
            ] as const)
          : []),
      ] as const
      for (const [method, path] of routes) {
        const { status, headers } = await running.send(method, path, {
          bearer: ada.accessToken,
          json: change,
        })
        assert.equal(status, 401, path)
        assert.match(headers.get('www-authenticate') ?? '', /acr_values="mfa"/)
      }
    })

    it('keystile.sessions.create obeys: an account with a factor needs amr with mfa', async () => {
      const running = await start()
      const { subject } = await enrol(running, running.clock)
      const { sessions } = running.keystile
      await assert.rejects(sessions.create({ subject }), { name: 'ProblemError', status: 403 })
      await assert.rejects(sessions.create({ subject, amr: ['pwd'] }), { status: 403 })
      const { accessToken } = await sessions.create({ subject, amr: ['fed', 'mfa'] })
      const { acr, amr } = await running.keystile.verifier.verify(accessToken)
      assert.deepEqual([acr, amr], ['mfa', ['fed', 'mfa']])
    })

    it('keystile.resetFactors removes the factors and ends the sessions', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      const { accessToken: bearer } = await tokensWithFactor(ada)
      const first = await running.login()
      await running.keystile.resetFactors(ada.subject)
      assert.equal((await running.send('GET', '/users/me/factors', { bearer })).status, 401)
      assert.equal(
        (await step(running, first, { otp: ada.nextCode() })).json['error'],
        'invalid_session',
      )
      assert.equal((await running.login()).status, 200)
      const [event] = await stage.sql("select * from audit where event = 'factors_reset'")
      assert.equal(event?.['actor'], 'app')
    })

    it('keystile.resetFactors ends the wait after too many passwords and codes', async () => {
      const running = await start({ rateLimits: 'on' })
      const { subject } = await enrol(running, running.clock)
      // Of an app's own user, Keystile knows only the address.
      const username = 'ada@example.com'
      for (let n = 0; n < 2; n++) {
        const first = await running.login({ username })
        for (let tries = 0; tries < 5; tries++)
          assert.equal((await step(running, first, { otp: '000000' })).status, 400)
      }
      const third = await running.login({ username })
      assert.equal((await step(running, third, { otp: '000000' })).status, 429)
      for (let n = 0; n < 7; n++) await running.login({ username, password: 'wrong' })
      assert.equal((await running.login({ username })).status, 429)

      await running.keystile.resetFactors(subject)
      assert.equal((await running.login({ username })).status, 200)
      await giveApps(stage, [subject])
      assert.equal((await running.login({ username, otp: '000000' })).status, 400)
    })

    it('after a change of the key, codes work, also without the previous key', async () => {
      const before = await start()
      const ada = await enrol(before, before.clock)
      await before.keystile.close()
      const newKey = 'another sealing key for tests: 9876 zyxw'
      const { clock } = before
      const secondFactor = 'optional'
      const both = await stage.start({ clock, secondFactor, key: newKey, previousKey: key })
      assert.equal((await both.login({ otp: ada.nextCode() })).status, 200)
      await both.keystile.close()
      const after = await stage.start({ clock, secondFactor, key: newKey })
      assert.equal((await after.login({ otp: ada.nextCode() })).status, 200)
    })

    it('a server that lost its key starts with another one, an own signing key and no apps', async () => {
      const before = await start({}, Date.now()) // a command uses the real clock
      const ada = await enrol(before, before.clock)
      const { refreshToken } = await before.tokens('bob')
      await before.keystile.close()
      const lost = { clock: before.clock, key: 'another sealing key for tests: 9876 zyxw' }
      const fix = /if it is lost, give another key and a key of your own as signingKey/
      await assert.rejects(stage.start(lost), fix)

      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const signingKey = Object(privateKey.export({ format: 'jwk' })) as Jwk
      const other = { ...lost, signingKey }
      const rule = /key must decrypt .* of 1 app, it cannot decrypt 1 \(factor-key-opens, /
      await assert.rejects(stage.start(other), rule)

      const name = before.keystile.users ? 'ada' : ada.subject
      const env = { KEYSTILE_DATABASE: stage.database }
      const reset = (name: string): ReturnType<typeof callCommand> =>
        callCommand(['user', 'reset-factors', name], { cwd: import.meta.dirname, env })
      const unknown = await reset('unknown')
      assert.equal(unknown.code, 1)
      assert.match(unknown.stderr, /no user unknown|named by their subject/)
      const { code, stderr } = await reset(name)
      assert.deepEqual([code, stderr], [0, ''])
      // Other processes read only events with a number. No server runs that could number them.
      const events = await stage.sql("select seq from event where kind = 'session'")
      assert.ok(events.length > 0 && events.every(({ seq }) => seq !== null))
      const after = await stage.start(other)
      assert.equal((await after.login()).status, 200)
      const form = { grant_type: 'refresh_token', refresh_token: refreshToken }
      assert.equal((await after.send('POST', '/token', { form })).status, 200)
    })

    it('a bcrypt hash that is renewed between two steps does not end the attempt', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      await running.writeHash(ada.subject, hashSync(password, 4))
      const first = await running.login()
      assert.match(await running.readHash(ada.subject), /^\$argon2id\$/)
      assert.equal((await running.login()).status, 403)
      assert.equal((await step(running, first, { otp: ada.nextCode() })).status, 200)

      // Two logins renew the hash at the same time.
      await running.writeHash(ada.subject, hashSync(password, 4))
      const both = await Promise.all([running.login(), running.login()])
      for (const begun of both)
        assert.equal((await step(running, begun, { otp: ada.nextCode() })).status, 200)
    })

    it('after a restore, the app works, and neither recovery codes nor attempts do', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      const first = await running.login()
      const { code } = await callCommand(['finish-restore', '--issuer', issuer], {
        cwd: import.meta.dirname,
        env: { KEYSTILE_DATABASE: stage.database, KEYSTILE_KEY: key },
      })
      assert.equal(code, 0)
      const over = await step(running, first, { otp: ada.nextCode() })
      assert.equal(over.json['error'], 'invalid_session')
      const [recovery = ''] = ada.recoveryCodes
      const refused = await running.login({ recovery_code: recovery })
      assert.deepEqual([refused.status, refused.json['methods']], [403, ['otp']])
      assert.equal((await ada.login()).status, 200)
    })

    it('while second factors are off, a set-up is refused with the name of the setting', async () => {
      const running = await stage.start({ secondFactor: 'off' })
      const { accessToken: bearer } = await running.tokens()
      for (const path of ['/users/me/factors/totp', '/users/me/factors/totp/confirm']) {
        const json = { code: '000000' }
        const { status, json: problem } = await running.send('POST', path, { bearer, json })
        const detail = 'Second factors are off: set secondFactor to optional'
        assert.deepEqual([status, problem['detail']], [403, detail], path)
      }
    })

    it('a hundred wrong codes in a row stop unknown devices, and a recovery code helps', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      await stage.sql('update authenticator_app set wrong_codes = 99')
      assert.equal((await running.login({ otp: '000000' })).status, 400)
      assert.equal((await running.login({ otp: ada.nextCode() })).status, 400)
      const [recovery = ''] = ada.recoveryCodes
      assert.equal((await running.login({ recovery_code: recovery })).status, 200)
      assert.equal((await running.login({ otp: ada.nextCode() })).status, 200)
    })

    it('a device that logged in before the factor is not known for codes', async () => {
      const clock = createTestClock()
      const options = { clock, secondFactor: 'optional', rateLimits: 'on' } as const
      const running = { ...(await stage.start(options)), clock }
      const secrets: string[] = []
      const ada = await enrol(running, clock, 'ada', async () => {
        for (let i = 0; i < 2; i++) secrets.push((await running.login()).json['device_secret'])
      })
      const guess = async (device_secret: string): Promise<number> =>
        (await running.login({ otp: '000000', device_secret })).status
      const outcomes: number[] = []
      for (let i = 0; i < 12; i++) outcomes.push(await guess(secrets[i % 2] ?? ''))
      assert.equal(outcomes.filter((status) => status === 400).length, 10)
      assert.equal(outcomes.at(-1), 429)

      const [recovery = ''] = ada.recoveryCodes
      const fields = { device_secret: secrets[0] ?? '', recovery_code: recovery }
      const { json } = await running.login(fields)
      const known = { device_secret: json['device_secret'] as string }
      assert.equal((await running.login({ ...known, otp: ada.nextCode() })).status, 200)
    })

    it('a copy of the database has neither a secret nor a recovery code', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      const { accessToken: bearer } = await tokensWithFactor(ada)
      const begun = await running.send('POST', '/users/me/factors/totp', { bearer })
      await running.login()
      await running.login({ recovery_code: ada.recoveryCodes[0] ?? '' })
      const copy = await copyOf(stage)
      assert.ok(copy.includes(ada.subject) && copy.includes('factor_added'))
      for (const secret of [ada.secret, begun.json['secret']]) {
        const bytes = Buffer.from(bitsOf(secret, base32).match(/.{8}/g)!.map(fromBits))
        for (const text of spellingsOf(secret, bytes)) assert.ok(!copy.includes(text))
      }
      for (const code of ada.recoveryCodes) {
        const plain = code.replaceAll('-', '')
        const bytes = Buffer.from(bitsOf(plain, crockford).match(/.{8}/g)!.map(fromBits))
        for (const text of [code, ...spellingsOf(plain, bytes)]) assert.ok(!copy.includes(text))
      }
    })
  },
  bothDirectories,
)

/** Returns all bytes of the database as text, with those that only the write-ahead log has. */
async function copyOf({ kind, database, sql }: Stage): Promise<string> {
  if (kind === 'SQLite')
    return ['', '-wal'].map((end) => readFileSync(database + end, 'latin1')).join('')

  const tables = await sql(
    "select table_name from information_schema.tables where table_schema = 'keystile'",
  )
  const texts: string[] = []
  for (const { table_name: name } of tables)
    for (const { text } of await sql(`select t::text as text from keystile."${String(name)}" t`))
      texts.push(String(text))
  return texts.join('\n')
}

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const crockford = '0123456789abcdefghjkmnpqrstvwxyz'
const fromBits = (bits: string): number => parseInt(bits, 2)
const bitsOf = (text: string, alphabet: string): string =>
  Array.from(text, (letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('')

/** How a secret might be stored: as text, as bytes, and in the usual encodings of these. */
function spellingsOf(text: string, bytes: Buffer): readonly string[] {
  const encodings = (['latin1', 'hex', 'base64', 'base64url'] as const).map((encoding) =>
    bytes.toString(encoding).replace(/=+$/, ''),
  )
  return [text, text.toLowerCase(), ...encodings]
}
