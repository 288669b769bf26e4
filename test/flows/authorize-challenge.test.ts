// POST /authorize-challenge, and the grant authorization_code. The sequences are those of
// draft-ietf-oauth-first-party-apps-04, appendix A, with the factors that Keystile has.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { decodeJwtUnsafe } from 'keystile/jwt'
import {
  askForCode,
  codeVerifier,
  exchange,
  pkce,
} from '../../packages/server/test-support/challenge.ts'
import {
  bothDirectories,
  createTestClock,
  describeOnBoth,
  password,
  tokensOf,
  type Answer,
  type TestClock,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { enrol, tokensWithFactor } from '../../packages/server/test-support/second-factor.ts'
import { whileLocked } from '../../packages/server/test-support/while-locked.ts'

const ada = { username: 'ada', password }
const otherVerifier = 'a'.repeat(43)
type Running = TestKeystile & { readonly clock: TestClock }

const outcomeOf = ({ status, json }: Answer): readonly unknown[] => [status, json['error']]

describeOnBoth(
  'the challenge endpoint',
  (stage) => {
    async function start(options: Parameters<typeof stage.start>[0] = {}): Promise<Running> {
      const clock = createTestClock()
      const scopes = { 'items:read': 'Read items', 'items:write': 'Change items' }
      const given = { clock, secondFactor: 'optional', cookieSession: true, scopes } as const
      return { ...(await stage.start({ ...given, ...options })), clock }
    }
    async function startWithUser(options: Parameters<typeof start>[0] = {}): Promise<Running> {
      const running = await start(options)
      await running.addUser()
      return running
    }
    const addApp = (
      running: Running,
      fields: Parameters<Running['addClient']>[0] = {},
    ): Promise<Readonly<Record<string, string>>> =>
      running.addClient({
        id: 'app',
        grants: ['authorization_code', 'refresh_token'],
        confidential: false,
        firstParty: true,
        ...fields,
      })
    const sessions = (end = 'ended_at is null'): ReturnType<typeof stage.sql> =>
      stage.sql(`select * from session where ${end}`)

    it('a right password gives a code, and the code gives tokens', async () => {
      const running = await startWithUser()
      const first = await askForCode(running, ada)
      assert.equal(first.status, 200, first.text)
      assert.deepEqual(Object.keys(first.json), ['authorization_code'])
      assert.match(first.json['authorization_code'], /^[\w-]{43}$/)
      assert.equal(first.headers.get('cache-control'), 'no-store')
      assert.deepEqual(await sessions('1 = 1'), [])

      const loggedInAt = Math.floor(running.clock.now() / 1000)
      running.clock.advance(59)
      const { status, json, text } = await exchange(running, first)
      assert.equal(status, 200, text)
      const { claims } = decodeJwtUnsafe(json['access_token'])
      assert.deepEqual(
        [claims['client_id'], claims['amr'], claims['acr'], claims['auth_time'], claims.iat],
        ['first-party', ['pwd'], 'pwd', loggedInAt, loggedInAt + 59],
      )
      const renewed = await running.refresh(json['refresh_token'])
      assert.equal(decodeJwtUnsafe(renewed.json['access_token']).claims['auth_time'], loggedInAt)
      const events = await stage.sql("select * from audit where event in ('code_issued', 'login')")
      assert.equal(events.length, 2)
    })

    it('an account with a factor proves it in the next step (A.5: a confirmation code)', async () => {
      const running = await start()
      const person = await enrol(running, running.clock)
      const first = await askForCode(running, ada)
      assert.deepEqual(
        { ...first.json, status: first.status, auth_session: 'S' },
        {
          ...(await running.login()).json,
          status: 403,
          error: 'insufficient_authorization',
          auth_session: 'S',
          methods: ['otp', 'recovery_code'],
        },
      )
      const { auth_session } = first.json
      const wrong = await askForCode(running, { auth_session, otp: '000000' })
      assert.deepEqual(outcomeOf(wrong), [400, 'invalid_grant'])
      // A later step needs no other parameters: they are those of the first one.
      const form = { auth_session, otp: person.nextCode() }
      const last = await running.send('POST', '/authorize-challenge', { form })
      assert.equal(last.status, 200, last.text)
      const { claims } = decodeJwtUnsafe((await exchange(running, last)).json['access_token'])
      assert.deepEqual([claims['amr'], claims['acr']], [['pwd', 'otp', 'mfa'], 'mfa'])
      assert.deepEqual(outcomeOf(await askForCode(running, form)), [400, 'invalid_session'])
    })

    it('the factor may come with the password (A.3: a one-time password)', async () => {
      const running = await start()
      const person = await enrol(running, running.clock)
      const code = await askForCode(running, { ...ada, otp: person.nextCode() })
      const { claims } = decodeJwtUnsafe((await exchange(running, code)).json['access_token'])
      assert.equal(claims['acr'], 'mfa')
      const [recovery_code = ''] = person.recoveryCodes
      const other = await askForCode(running, { ...ada, recovery_code })
      assert.equal((await exchange(running, other)).status, 200)
      const again = await askForCode(running, { ...ada, recovery_code })
      assert.deepEqual(outcomeOf(again), [400, 'invalid_grant'])
    })

    it('after the end of a session, the app logs in again (A.6: a week later)', async () => {
      const running = await start()
      const person = await enrol(running, running.clock)
      const { refreshToken } = tokensOf(
        (await exchange(running, await askForCode(running, { ...ada, otp: person.nextCode() })))
          .json,
      )
      running.clock.advance(60 * 24 * 3600)
      assert.deepEqual(outcomeOf(await running.refresh(refreshToken)), [400, 'invalid_grant'])
      const { auth_session } = (await askForCode(running, ada)).json
      const code = await askForCode(running, { auth_session, otp: person.nextCode() })
      assert.equal((await exchange(running, code)).status, 200)
    })

    it('the scopes are those of the first step, and never more than the user has', async () => {
      const running = await start({ defaultScopes: ['items:read', 'items:write'] })
      const person = await enrol(running, running.clock)
      const { auth_session } = (await askForCode(running, { ...ada, scope: 'items:read' })).json
      const step = { auth_session, otp: person.nextCode(), scope: 'items:write', ...pkce }
      const { json } = await exchange(running, await askForCode(running, step))
      assert.equal(json['scope'], 'items:read')
      const unknown = await askForCode(running, { ...ada, scope: 'items:none' })
      assert.deepEqual(outcomeOf(unknown), [400, 'invalid_scope'])
    })

    it('only first-party clients with the grant log people in there', async () => {
      const running = await startWithUser()
      const outcome = async (client: Readonly<Record<string, string>>): Promise<unknown> => {
        const code = await askForCode(running, { ...ada, ...client })
        return code.json['error'] ?? (await exchange(running, code, client)).status
      }
      const own = await addApp(running)
      assert.equal(await outcome(own), 200)
      const withPassword = ['password', 'authorization_code']
      const old = await addApp(running, { id: 'old', grants: withPassword, firstParty: false })
      assert.equal(await outcome(old), 200)
      const foreign = await addApp(running, { id: 'foreign', firstParty: false })
      assert.equal(await outcome(foreign), 'unauthorized_client')
      const without = await addApp(running, { id: 'without', grants: ['password'] })
      assert.equal(await outcome(without), 'unauthorized_client')
      assert.equal(await outcome({ client_id: 'unknown' }), 'invalid_client')
      const service = await addApp(running, { id: 'service', confidential: true })
      assert.equal(await outcome(service), 200)
      assert.equal(await outcome({ client_id: 'service' }), 'invalid_client')
    })

    it('a first step needs a code challenge with S256, and a password', async () => {
      const running = await startWithUser()
      const { code_challenge, code_challenge_method } = pkce
      const right = { ...ada, response_type: 'code', code_challenge, code_challenge_method }
      for (const wrong of [
        { response_type: '' },
        { response_type: 'token' },
        { code_challenge: '' },
        { code_challenge: codeVerifier.slice(1) },
        { code_challenge: `${code_challenge}=` },
        { code_challenge: 'x'.repeat(100_000) },
        { code_challenge_method: '' },
        { code_challenge_method: 'plain' },
        { password: '' },
        { username: '', otp: '123456' },
      ]) {
        const form = { ...right, ...wrong }
        const { status, json } = await running.send('POST', '/authorize-challenge', { form })
        const isLong = status === 413
        assert.deepEqual([status, json['error']], [isLong ? 413 : 400, 'invalid_request'])
      }
      assert.equal(
        (await running.send('POST', '/authorize-challenge', { form: right })).status,
        200,
      )
    })

    it('a refused password tells no more than at POST /token', async () => {
      const running = await startWithUser()
      const wrong = { password: 'a wrong password' }
      const { text, status } = await running.login(wrong)
      for (const fields of [wrong, { username: 'unknown' }]) {
        const answer = await askForCode(running, { ...ada, ...fields })
        assert.deepEqual([answer.status, answer.text], [status, text])
      }
    })

    it('guesses count as those at POST /token do, and right passwords do not', async () => {
      const running = await startWithUser({ rateLimits: 'on' })
      for (let i = 0; i < 12; i++) assert.equal((await askForCode(running, ada)).status, 200)
      for (let i = 0; i < 10; i++)
        assert.equal((await askForCode(running, { ...ada, password: 'wrong' })).status, 400)
      assert.equal((await askForCode(running, ada)).status, 429)
      assert.equal((await running.login()).status, 429)
    })

    it('the exchange gives the secret of a device, which the next login sends', async () => {
      const running = await startWithUser({ rateLimits: 'on' })
      const { json } = await exchange(running, await askForCode(running, ada))
      for (let i = 0; i < 11; i++) await askForCode(running, { ...ada, password: 'wrong' })
      assert.equal((await askForCode(running, ada)).status, 429)
      const { device_secret } = json
      assert.equal((await askForCode(running, { ...ada, device_secret })).status, 200)
    })

    it('after a login with an authenticator app, the exchange makes the device known for its codes', async () => {
      const running = await start({ rateLimits: 'on' })
      const person = await enrol(running, running.clock)
      const code = await askForCode(running, { ...ada, otp: person.nextCode() })
      const { device_secret } = (await exchange(running, code)).json
      for (let i = 0; i < 10; i++) await running.login({ otp: '000000' })
      assert.equal((await running.login({ otp: person.nextCode() })).status, 429)
      assert.equal((await running.login({ device_secret, otp: person.nextCode() })).status, 200)
    })

    it('an attempt goes on only at its endpoint and for its client', async () => {
      const running = await start()
      const person = await enrol(running, running.clock)
      const app = await addApp(running)
      const { auth_session } = (await askForCode(running, ada)).json
      const otp = person.nextCode()
      const headers = { origin: new URL(running.keystile.issuer).origin }
      const json = { auth_session, otp }
      const elsewhere = [
        askForCode(running, { ...json, ...app }),
        running.send('POST', '/token', { form: { grant_type: 'password', ...json } }),
        running.send('POST', '/session', { json, headers }),
        askForCode(running, { auth_session: (await running.login()).json['auth_session'], otp }),
      ]
      for (const answer of await Promise.all(elsewhere))
        assert.deepEqual(outcomeOf(answer), [400, 'invalid_session'])
      assert.equal((await askForCode(running, json)).status, 200)
    })

    it('a code works only for its client and with its verifier', async () => {
      const running = await startWithUser()
      const app = await addApp(running)
      const code = await askForCode(running, ada)
      const refused = [
        await exchange(running, code, app),
        await exchange(running, code, { code_verifier: otherVerifier }),
        await exchange(running, code, { code_verifier: pkce.code_challenge }),
        await exchange(running, code, { code: otherVerifier }),
      ]
      for (const { text } of refused) assert.equal(text, refused[0]?.text)
      assert.deepEqual(outcomeOf(refused[0]!), [400, 'invalid_grant'])
      for (const code_verifier of [
        '',
        'a'.repeat(42),
        'a'.repeat(129),
        `${codeVerifier.slice(1)}=`,
      ])
        assert.deepEqual(outcomeOf(await exchange(running, code, { code_verifier })), [
          400,
          'invalid_request',
        ])
      assert.deepEqual(await sessions('1 = 1'), [])
      assert.equal((await exchange(running, code)).status, 200)
      const [entry, ...more] = await stage.sql(`select * from audit where event = 'code_refused'`)
      assert.deepEqual([entry?.['client_id'], more], ['app', []])
    })

    it('a code works once; a repetition ends the session that it gave', async () => {
      const running = await startWithUser()
      const app = await addApp(running)
      const code = await askForCode(running, ada)
      const { accessToken, refreshToken } = tokensOf((await exchange(running, code)).json)

      // Who has not the client and the verifier ends nothing.
      const wrong = [
        await exchange(running, code, { code_verifier: otherVerifier }),
        await exchange(running, code, app),
      ]
      for (const answer of wrong) assert.deepEqual(outcomeOf(answer), [400, 'invalid_grant'])
      assert.equal((await running.open([], { bearer: accessToken })).status, 200)

      const again = await exchange(running, code)
      assert.equal(again.text, wrong[0]?.text)
      assert.equal((await running.open([], { bearer: accessToken })).status, 401)
      assert.deepEqual(outcomeOf(await running.refresh(refreshToken)), [400, 'invalid_grant'])
      assert.deepEqual(outcomeOf(await exchange(running, code)), [400, 'invalid_grant'])
      const entries = await stage.sql(`select * from audit where event = 'code_reused'`)
      const [{ id } = {}] = await sessions('1 = 1')
      assert.deepEqual(
        entries.map((entry) => [entry['session_id'], entry['actor']]),
        [[id, 'nobody']],
      )
    })

    it('a code expires after a minute', async () => {
      const running = await startWithUser()
      const code = await askForCode(running, ada)
      running.clock.advance(60)
      assert.deepEqual(outcomeOf(await exchange(running, code)), [400, 'invalid_grant'])
      assert.deepEqual(await sessions('1 = 1'), [])
    })

    it('of 20 exchanges of one code at the same time, one gets a session', async () => {
      const running = await startWithUser()
      const others = [await stage.start({ clock: running.clock })]
      const code = await askForCode(running, ada)
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) => exchange([running, ...others][i % 2]!, code)),
      )
      assert.equal(answers.filter(({ status }) => status === 200).length, 1)
      for (const answer of answers.filter(({ status }) => status !== 200))
        assert.deepEqual(outcomeOf(answer), [400, 'invalid_grant'])
      assert.equal((await sessions('1 = 1')).length, 1)
      assert.deepEqual(await sessions(), [])
    })

    it('whatever ends the sessions of a user ends the unused codes', async () => {
      const running = await start()
      const person = await enrol(running, running.clock)
      const outcome = async (
        end: (bearer: string) => Promise<unknown>,
      ): Promise<readonly unknown[]> => {
        const { accessToken } = await tokensWithFactor(person)
        const code = await askForCode(running, { ...ada, otp: person.nextCode() })
        assert.equal(code.status, 200, code.text)
        await end(accessToken)
        return outcomeOf(await exchange(running, code))
      }
      const refused = [400, 'invalid_grant']
      const everywhere = (bearer: string): Promise<Answer> =>
        running.send('DELETE', '/users/me/sessions', { bearer })
      assert.deepEqual(await outcome(everywhere), refused)
      const disabled = await outcome(() => running.keystile.sessions.revokeAll(person.subject))
      assert.deepEqual(disabled, refused)
      const { users } = running.keystile
      if (users) {
        const change = { current_password: password, new_password: 'another engine of hers' }
        const changed = await outcome((bearer) =>
          running.send('POST', '/users/me/password', { bearer, json: change }),
        )
        assert.deepEqual(changed, refused)
        assert.equal((await running.login({ password: change.new_password })).status, 403)
      }
    })

    it('a code is void after a new password, a reset of the factors, and for a disabled user', async () => {
      const running = await start()
      const person = await enrol(running, running.clock)
      const codeOf = async (): Promise<Answer> =>
        askForCode(running, { ...ada, otp: person.nextCode() })
      const refused = [400, 'invalid_grant']

      // The hash changes without an end of sessions, as it may in the table of an app.
      const hash = await running.readHash(person.subject)
      const first = await codeOf()
      const other = `$argon2id$v=19$m=8,t=1,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`
      await running.writeHash(person.subject, other)
      assert.deepEqual(outcomeOf(await exchange(running, first)), refused)
      await running.writeHash(person.subject, hash)

      const second = await codeOf()
      await running.keystile.resetFactors(person.subject)
      assert.deepEqual(outcomeOf(await exchange(running, second)), refused)

      const third = await askForCode(running, ada)
      await running.disable(person.subject)
      assert.deepEqual(outcomeOf(await exchange(running, third)), refused)
    })

    it('a code from before the first factor is void', async () => {
      const running = await start()
      let code: Answer | undefined
      await enrol(running, running.clock, 'ada', async () => {
        code = await askForCode(running, ada)
      })
      assert.equal(code?.status, 200)
      assert.deepEqual(outcomeOf(await exchange(running, code)), [400, 'invalid_grant'])
    })

    it('no login survives a log-out everywhere at the same moment', async () => {
      const running = await start()
      const person = await enrol(running, running.clock)
      const { accessToken: bearer } = await tokensWithFactor(person)
      const withFactor = (recovery_code: string): Promise<Answer> =>
        askForCode(running, { ...ada, recovery_code })
      const codes = await Promise.all(person.recoveryCodes.slice(0, 5).map(withFactor))
      const attempts = await Promise.all(Array.from({ length: 5 }, () => askForCode(running, ada)))

      const steps = attempts.map(({ json: { auth_session } }, i) =>
        askForCode(running, { auth_session, recovery_code: person.recoveryCodes[5 + i]! }),
      )
      const exchanges = codes.map((code) => exchange(running, code))
      const end = running.send('DELETE', '/users/me/sessions', { bearer })
      await Promise.all([...exchanges, end])
      for (const answer of await Promise.all(steps))
        if (answer.status === 200) assert.equal((await exchange(running, answer)).status, 400)
      assert.deepEqual(await sessions(), [])
    })

    const skip = stage.kind !== 'PostgreSQL' && 'SQLite runs one transaction after another'
    it(
      'a log-out everywhere ends the session of an exchange that it waits for',
      { skip },
      async () => {
        const running = await start()
        const { accessToken: bearer } = await running.tokens()
        const code = await askForCode(running, ada)
        const answers = await whileLocked(stage, [
          // The exchange has used the code when it waits for the lock.
          () => exchange(running, code),
          () => running.send('DELETE', '/users/me/sessions', { bearer }),
        ])
        assert.deepEqual(
          answers.map(({ status }) => status),
          [200, 204],
        )
        assert.deepEqual(await sessions(), [])
      },
    )

    it('POST /session exchanges a code for the session of a browser', async () => {
      const running = await startWithUser()
      const headers = { origin: new URL(running.keystile.issuer).origin }
      const post = (json: object, from: Readonly<Record<string, string>> = headers) =>
        running.send('POST', '/session', { json, headers: from })
      const { authorization_code: code } = (await askForCode(running, ada)).json
      const right = { code, code_verifier: codeVerifier }
      assert.equal((await post(right, {})).status, 403)
      assert.equal((await post({ code })).status, 422)
      const wrong = await post({ ...right, code_verifier: otherVerifier })
      assert.deepEqual(outcomeOf(wrong), [400, 'invalid_grant'])
      const { status, json, headers: received } = await post(right)
      assert.equal(status, 200)
      assert.match(received.getSetCookie()[0] ?? '', /^__Secure-keystile=[\w-]+\.?/)
      assert.equal(json['refresh_token'], undefined)
      assert.equal((await running.open([], { bearer: json['access_token'] })).status, 200)
      assert.deepEqual(outcomeOf(await post(right)), [400, 'invalid_grant'])
      assert.deepEqual(await sessions(), [])

      const app = await addApp(running)
      const foreign = (await askForCode(running, { ...ada, ...app })).json['authorization_code']
      assert.deepEqual(outcomeOf(await post({ ...right, code: foreign })), [400, 'invalid_grant'])
    })

    it('the database has no code', async () => {
      const running = await startWithUser()
      const used = await askForCode(running, ada)
      await exchange(running, used)
      const unused = await askForCode(running, ada)
      const rows = await stage.sql('select * from authorization_code')
      assert.equal(rows.length, 2)
      const text = JSON.stringify([rows, await stage.sql('select * from audit')])
      for (const { json } of [used, unused]) assert.ok(!text.includes(json['authorization_code']))
      assert.ok(!text.includes(codeVerifier))
    })
  },
  bothDirectories,
)
