// Step-ups: a login that names a session of its user and replaces it, because a guard demands more
// than the session has (RFC 9470).
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Hono } from 'hono'
import { createGuard } from 'keystile/hono'
import { decodeJwtUnsafe } from 'keystile/jwt'
import { askForCode } from '../../packages/server/test-support/challenge.ts'
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
import {
  enrol,
  tokensWithFactor,
  type Enrolled,
} from '../../packages/server/test-support/second-factor.ts'
import { whileLocked } from '../../packages/server/test-support/while-locked.ts'

type Running = TestKeystile & { readonly clock: TestClock }
type Fields = Readonly<Record<string, string>>

describeOnBoth(
  'a step-up',
  (stage) => {
    async function start(options: Parameters<typeof stage.start>[0] = {}): Promise<Running> {
      const clock = createTestClock()
      const given = { clock, secondFactor: 'optional', cookieSession: true, ...options } as const
      return { ...(await stage.start(given)), clock }
    }
    const stepUp = (
      { send }: TestKeystile,
      accessToken: string,
      fields: Fields = {},
    ): Promise<Answer> =>
      send('POST', '/token', {
        form: { grant_type: 'password', access_token: accessToken, acr_values: 'mfa', ...fields },
      })
    const credentials = { username: 'ada', password }
    const outcomeOf = ({ status, json }: Answer): readonly unknown[] => [status, json['error']]
    const claimsOf = (token: string): Readonly<Record<string, unknown>> =>
      decodeJwtUnsafe(token).claims
    const secondsOf = ({ clock }: Running): number => Math.floor(clock.now() / 1000)

    /** The answer of a route of the app that demands a second factor. */
    async function openStrong({ keystile }: Running, bearer: string): Promise<Response> {
      const guard = createGuard(keystile)
      const app = new Hono().get('/', guard({ acr: 'mfa' }), (c) => c.body(null, 204))
      return app.request('/', { headers: { authorization: `Bearer ${bearer}` } })
    }
    const openSessions = (): Promise<readonly Readonly<Record<string, unknown>>[]> =>
      stage.sql('select * from session where ended_at is null order by created_at, id')

    it('after a step-up with a factor alone, a guard with acr admits the user', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      const [before] = await openSessions()
      const refused = await openStrong(running, ada.accessToken)
      assert.equal(refused.status, 401)
      assert.match(
        refused.headers.get('www-authenticate') ?? '',
        /error="insufficient_user_authentication".* acr_values="mfa"/,
      )

      const { status, json, text } = await stepUp(running, ada.accessToken, { otp: ada.nextCode() })
      assert.equal(status, 200, text)
      assert.equal((await openStrong(running, json['access_token'])).status, 204)
      const [old, claims] = [claimsOf(ada.accessToken), claimsOf(json['access_token'])]
      assert.deepEqual([claims['sub'], claims['acr']], [ada.subject, 'mfa'])
      assert.deepEqual(claims['amr'], ['pwd', 'otp', 'mfa'])
      assert.equal(claims['auth_time'], old['auth_time'], 'a factor alone renews no auth_time')
      assert.notEqual(claims['sid'], old['sid'])

      assert.equal((await openStrong(running, ada.accessToken)).status, 401)
      assert.equal((await running.open([], { bearer: ada.accessToken })).status, 401)
      assert.equal((await running.refresh(ada.refreshToken)).status, 400)
      const sessions = await openSessions()
      assert.deepEqual(
        sessions.map((row) => [row['id'], Number(row['expires_at'])]),
        [[claims['sid'], Number(before?.['expires_at'])]],
        'a factor alone does not renew the end of the session',
      )
      const again = claimsOf((await running.refresh(json['refresh_token'])).json['access_token'])
      assert.deepEqual([again['auth_time'], again['amr']], [claims['auth_time'], claims['amr']])
    })

    it('auth_time is the time of the password, which a step-up renews with the end of the session', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      const [before] = await openSessions()
      running.clock.advance(100)
      const fields = { max_age: '60', ...credentials }
      const first = await stepUp(running, ada.accessToken, fields)
      assert.deepEqual(outcomeOf(first), [403, 'insufficient_authorization'])
      assert.deepEqual(first.json['methods'], ['otp', 'recovery_code'])
      const provedAt = secondsOf(running)
      running.clock.advance(500)
      const second = await running.send('POST', '/token', {
        form: { auth_session: first.json['auth_session'], otp: ada.nextCode() },
      })
      assert.equal(second.status, 200, second.text)
      const claims = claimsOf(second.json['access_token'])
      assert.deepEqual([claims['auth_time'], claims['acr']], [provedAt, 'mfa'])
      const [after, ...others] = await openSessions()
      assert.equal(others.length, 0)
      assert.ok(Number(after?.['expires_at']) > Number(before?.['expires_at']))

      running.clock.advance(100)
      const bearer = second.json['access_token'] as string
      const one = await stepUp(running, bearer, { ...fields, otp: ada.nextCode() })
      assert.equal(claimsOf(one.json['access_token'])['auth_time'], secondsOf(running))
      assert.equal((await openSessions()).length, 1)
    })

    it('if the password is older than max_age, a factor alone is not enough', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      const otp = ada.nextCode()
      for (const max_age of ['29', '0']) {
        const { status, json } = await stepUp(running, ada.accessToken, { otp, max_age })
        assert.deepEqual([status, json['methods']], [403, ['password']])
        assert.equal(json['auth_session'], undefined)
      }
      assert.equal((await stepUp(running, ada.accessToken, { otp, max_age: '30' })).status, 200)
    })

    it('a login time in the future meets no max_age (RFC 9470 §4)', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      const step = (fields: Fields): Promise<Answer> =>
        stepUp(running, ada.accessToken, { recovery_code: ada.recoveryCodes[0]!, ...fields })
      running.clock.advance(-6)
      assert.deepEqual((await step({ max_age: '300' })).json['methods'], ['password'])
      running.clock.advance(1)
      assert.equal((await step({ max_age: '300' })).status, 200, 'five seconds are tolerated')
    })

    it('a login time in the future does not matter without max_age', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      running.clock.advance(-6)
      const fields = { recovery_code: ada.recoveryCodes[0]! }
      assert.equal((await stepUp(running, ada.accessToken, fields)).status, 200)
    })

    it('a session that becomes older than max_age during the step-up gets a usual answer', async () => {
      const clock = createTestClock()
      let readings = Infinity
      const running = await start({
        clock: { now: () => clock.now() + (readings-- <= 0 ? 1000 : 0) },
      })
      const ada = await enrol(running, clock)
      let { accessToken } = await tokensWithFactor(ada)
      const statuses = new Set<number>()
      // The session is exactly as old as allowed until the clock was read so many times.
      for (let until = 0; until < 20; until++) {
        const otp = ada.nextCode()
        readings = until
        const { status, json } = await stepUp(running, accessToken, { otp, max_age: '30' })
        readings = Infinity
        statuses.add(status)
        if (status === 403) assert.deepEqual(json['methods'], ['password'])
        accessToken = tokensOf((await running.login({ otp: ada.nextCode() })).json).accessToken
      }
      assert.deepEqual(statuses, new Set([403, 200]))
    })

    it('an access token alone starts no session, also if the session has the factor', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      const strong = await tokensWithFactor(ada)
      for (const token of [ada.accessToken, strong.accessToken])
        for (const acr_values of ['mfa', 'pwd']) {
          const { status, json } = await stepUp(running, token, { acr_values, max_age: '600' })
          assert.deepEqual([status, json['methods']], [403, ['otp', 'recovery_code']])
        }
      assert.equal((await openSessions()).length, 2)

      const { accessToken } = await running.tokens('eve')
      const weak = await stepUp(running, accessToken, { acr_values: 'pwd' })
      assert.deepEqual([weak.status, weak.json['methods']], [403, ['password']])
    })

    it('a factor that is newer than the login needs the password beside its code', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock, 'ada', async () => running.clock.advance(1))
      const [recovery_code = ''] = ada.recoveryCodes
      const proofs: Fields[] = [{}, { otp: ada.nextCode() }, { recovery_code }]
      for (const fields of proofs) {
        const { status, json } = await stepUp(running, ada.accessToken, fields)
        assert.deepEqual([status, json['methods']], [403, ['password']])
      }
      assert.equal((await openSessions()).length, 1)
      const both = { ...credentials, otp: ada.nextCode() }
      const { json } = await stepUp(running, ada.accessToken, both)
      const alone = await stepUp(running, json['access_token'], { otp: ada.nextCode() })
      assert.equal(alone.status, 200, alone.text)

      // The same is true for new recovery codes, whatever the session has proved.
      running.clock.advance(1)
      const bearer = alone.json['access_token'] as string
      const path = '/users/me/factors/recovery-codes'
      const renewed = await running.send('POST', path, { bearer })
      const [newCode = ''] = renewed.json['recovery_codes'] as readonly string[]
      for (const fields of [{ recovery_code: newCode }, { otp: ada.nextCode() }] as Fields[]) {
        const refused = await stepUp(running, bearer, fields)
        assert.deepEqual([refused.status, refused.json['methods']], [403, ['password']])
      }
      const again = { ...credentials, recovery_code: newCode }
      assert.equal((await stepUp(running, bearer, again)).status, 200)
    })

    it('a step-up without the password does not renew the limits of wrong passwords', async () => {
      const running = await start({ rateLimits: 'on' })
      const ada = await enrol(running, running.clock)
      let tokens = (await running.login({ otp: ada.nextCode() })).json
      const wrong = 'a wrong password'
      /** Changes the password, or tries to. An app's own users have no such endpoint. */
      const change = async (): Promise<number | undefined> => {
        const json = { current_password: wrong, new_password: password }
        const sent = { bearer: tokens['access_token'] as string, json }
        const { status } = await running.send('POST', '/users/me/password', sent)
        return status === 404 ? undefined : status
      }
      const guess = async (): Promise<void> => {
        const { device_secret } = tokens
        assert.equal((await change()) ?? 403, 403)
        assert.equal((await running.login({ password: wrong, device_secret })).status, 400)
      }
      // The last attempt of the device is for the step-up, which gets it back.
      for (let n = 0; n < 9; n++) await guess()
      for (let n = 0; n < 3; n++) {
        const { access_token, device_secret } = tokens
        const fields = { otp: ada.nextCode(), device_secret }
        tokens = (await stepUp(running, access_token, fields)).json
        assert.ok(tokens['access_token'] && tokens['device_secret'])
      }
      await guess()
      assert.equal((await change()) ?? 429, 429)

      // The next logins count for the name, as those of an unknown device do.
      const { device_secret } = tokens
      const statuses: number[] = []
      for (let n = 0; n < 11; n++)
        statuses.push((await running.login({ password: wrong, device_secret })).status)
      assert.deepEqual(statuses, [...Array.from({ length: 10 }, () => 400), 429])
    })

    it('a thief with a session and no factor starts no session, and fills no table', async () => {
      const running = await start({ rateLimits: 'on' })
      const ada = await enrol(running, running.clock)
      const countRates = async (): Promise<number> =>
        (await stage.sql('select tat from rate')).length
      const before = await countRates()
      const outcomes: number[] = []
      for (let i = 0; i < 12; i++)
        outcomes.push((await stepUp(running, ada.accessToken, { otp: '000000' })).status)
      assert.deepEqual(outcomes, [...Array.from({ length: 10 }, () => 400), 429, 429])
      assert.equal(await countRates(), before + 2, 'the codes and the session')
      const guessed = await stepUp(running, ada.accessToken, { recovery_code: 'aaaa-bbbb' })
      assert.deepEqual(outcomeOf(guessed), [400, 'invalid_grant'])
      const stolen = await stepUp(running, ada.accessToken, credentials)
      assert.equal(stolen.status, 403)
      assert.equal((await openSessions()).length, 1)
      assert.equal((await stage.sql('select id from login_flow')).length, 1)
      const entries = await stage.sql("select event from audit where event = 'factor_refused'")
      assert.equal(entries.length, 11)

      const [recovery_code = ''] = ada.recoveryCodes
      assert.equal((await stepUp(running, ada.accessToken, { recovery_code })).status, 200)
    })

    it('recovery codes of a step-up count for the session, and for the IP address', async () => {
      const running = await start({ rateLimits: 'on', trustedProxies: ['127.0.0.1'] })
      const ada = await enrol(running, running.clock)
      const sessions: string[] = []
      for (let i = 0; i < 2; i++) sessions.push((await tokensWithFactor(ada)).accessToken)
      const guess = async (access_token = '', address = ''): Promise<number> => {
        const recovery_code = 'aaaa-bbbb-cccc-dddd'
        const form = { grant_type: 'password', access_token, acr_values: 'mfa', recovery_code }
        const headers = { 'x-forwarded-for': address }
        const sent = { form, headers, remoteAddress: '127.0.0.1' }
        return (await running.send('POST', '/token', sent)).status
      }
      const statuses = new Set<number>()
      for (let i = 0; i < 100; i++) statuses.add(await guess(sessions[0], '192.0.2.7'))
      assert.deepEqual([...statuses], [400])
      assert.equal(await guess(sessions[0], '198.51.100.7'), 429, 'the session')
      assert.equal(await guess(sessions[1], '192.0.2.7'), 429, 'the IP address')
      assert.equal(await guess(sessions[1], '198.51.100.7'), 400)
      const entries = await stage.sql("select id from audit where event = 'factor_refused'")
      assert.equal(entries.length, 101)
    })

    it('a right code of a step-up is refunded', async () => {
      const running = await start({ rateLimits: 'on' })
      const ada = await enrol(running, running.clock)
      let token = ada.accessToken
      for (let i = 0; i < 12; i++) {
        const { json, text } = await stepUp(running, token, { otp: ada.nextCode() })
        assert.ok(json['access_token'], text)
        token = json['access_token'] as string
      }
    })

    it('whatever is wrong with the session, the answer is the same', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      const eve = await running.tokens('eve')
      const machine = await running.addClient({ id: 'machine' })
      const other = await running.addClient({
        id: 'other',
        grants: ['password'],
        scopes: [],
        confidential: false,
      })
      const login = { ...credentials, otp: ada.nextCode() }
      const ofOther = (await running.login({ ...other, ...login })).json['access_token']
      const revoked = (await tokensWithFactor(ada)).accessToken
      await running.keystile.sessions.revoke(String(claimsOf(revoked)['sid']))
      const { json } = await running.send('POST', '/token', {
        form: { grant_type: 'client_credentials', ...machine },
      })
      const tokens = [ofOther, revoked, json['access_token'], 'x', ada.refreshToken]
      const answers: Answer[] = []
      for (const token of tokens)
        for (const fields of [{}, { otp: ada.nextCode() }, credentials])
          answers.push(await stepUp(running, token, fields))
      answers.push(await stepUp(running, eve.accessToken, credentials))
      answers.push(await stepUp(running, ada.accessToken, { ...other, otp: ada.nextCode() }))
      running.clock.advance(700)
      answers.push(await stepUp(running, ada.accessToken, { otp: ada.nextCode() }))
      assert.deepEqual(outcomeOf(answers[0]!), [400, 'invalid_session'])
      for (const { status, text } of answers)
        assert.deepEqual([status, text], [400, answers[0]!.text])
      const wrong = await stepUp(running, eve.accessToken, { ...credentials, password: 'wrong' })
      assert.equal(wrong.json['error'], 'invalid_session', 'the token has expired')
    })

    it('a wrong password in a step-up gets the usual answer', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      const wrong = { ...credentials, password: 'a wrong password' }
      const otp = ada.nextCode()
      const plain = await running.login(wrong)
      assert.equal((await stepUp(running, ada.accessToken, { ...wrong, otp })).text, plain.text)
      assert.equal((await stepUp(running, ada.accessToken, { otp })).status, 200)
    })

    it('a login without a session must reach what it demands', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      await running.tokens('eve')
      const demand = (fields: Fields): Promise<Answer> =>
        running.login({ acr_values: 'mfa', ...fields })
      const unmet = [400, 'unmet_authentication_requirements']
      assert.deepEqual(outcomeOf(await demand({ username: 'eve' })), unmet)
      assert.deepEqual(outcomeOf(await demand({ acr_values: 'phr' })), unmet)
      const challenged = { username: 'eve', password, acr_values: 'mfa' }
      assert.deepEqual(outcomeOf(await askForCode(running, challenged)), unmet)
      assert.equal((await demand({ username: 'eve', acr_values: 'phr pwd' })).status, 200)
      const wrong = { password: 'a wrong password' }
      for (const username of ['ada', 'eve', 'unknown'])
        assert.equal((await demand({ username, ...wrong })).text, (await running.login(wrong)).text)
      assert.equal((await demand({ username: 'ada', max_age: '0' })).status, 403)
      assert.equal((await demand({ otp: ada.nextCode() })).status, 200)
      const countOfEve = async (event: string): Promise<number> => {
        const rows = await stage.sql(`select subject from audit where event = '${event}'`)
        return rows.filter(({ subject }) => subject !== null && subject !== ada.subject).length
      }
      assert.equal(await countOfEve('factor_required'), 2, 'her password was right')
      assert.equal(await countOfEve('login_refused'), 1)
    })

    it('without a factor, the password meets max_age, and nothing meets acr_values mfa', async () => {
      const running = await start()
      const eve = await running.tokens('eve')
      running.clock.advance(100)
      const fields = { username: 'eve', password, acr_values: '', max_age: '60' }
      const { status, json } = await stepUp(running, eve.accessToken, fields)
      assert.equal(status, 200)
      const claims = claimsOf(json['access_token'])
      assert.deepEqual([claims['auth_time'], claims['amr']], [secondsOf(running), ['pwd']])
      assert.equal((await openSessions()).length, 1)
      const strong = await stepUp(running, json['access_token'])
      assert.deepEqual(outcomeOf(strong), [400, 'unmet_authentication_requirements'])
      assert.deepEqual(await stage.sql("select id from audit where event = 'login_refused'"), [])

      const again = json['access_token'] as string
      const answers = await Promise.all([1, 2, 3].map(() => stepUp(running, again, fields)))
      const refused = answers.filter((answer) => answer.status !== 200).map(outcomeOf)
      assert.deepEqual(refused, [
        [400, 'invalid_session'],
        [400, 'invalid_session'],
      ])
    })

    const skip = stage.kind !== 'PostgreSQL' && 'SQLite runs one transaction after another'
    it(
      'a log-out everywhere ends the session of a step-up that it waits for',
      { skip },
      async () => {
        const running = await start()
        const ada = await enrol(running, running.clock)
        const { accessToken: bearer } = await tokensWithFactor(ada)
        const answers = await whileLocked(stage, [
          () => stepUp(running, ada.accessToken, { otp: ada.nextCode() }),
          () => running.send('DELETE', '/users/me/sessions', { bearer }),
        ])
        assert.deepEqual(
          answers.map(({ status }) => status),
          [200, 204],
        )
        assert.deepEqual(await openSessions(), [])
        const { access_token } = answers[0]!.json
        assert.equal((await running.open([], { bearer: access_token })).status, 401)
      },
    )

    it('of many step-ups of one session at the same time, one starts a session', async () => {
      const running = await start()
      const others = await Promise.all([1, 2].map(() => stage.start({ clock: running.clock })))
      const ada = await enrol(running, running.clock)
      const values = [
        { otp: ada.nextCode() },
        ...ada.recoveryCodes.map((recovery_code) => ({ recovery_code })),
      ]
      const answers = await Promise.all(
        values.map((fields, i) =>
          stepUp([running, ...others][i % 3]!, ada.accessToken, fields as Fields),
        ),
      )
      assert.equal(answers.filter(({ status }) => status === 200).length, 1)
      assert.equal((await openSessions()).length, 1)
      const left = await stage.sql('select id from recovery_code')
      assert.ok(left.length >= 9, 'a refused step-up must spend no recovery code')
    })

    for (const [change, make] of Object.entries<
      (running: Running, ada: Enrolled) => Promise<unknown>
    >({
      'a new password': async ({ writeHash, keystile }, { subject }) =>
        writeHash(subject, await keystile.hashPassword('another engine of hers')),
      'a disabled user': ({ disable }, { subject }) => disable(subject),
      'a reset of the factors': ({ keystile }, { subject }) => keystile.resetFactors(subject),
      'the end of the session': ({ keystile }, { accessToken }) =>
        keystile.sessions.revoke(String(claimsOf(accessToken)['sid'])),
    }))
      it(`between two steps of a step-up, ${change} ends it`, async () => {
        const running = await start()
        const ada = await enrol(running, running.clock)
        const first = await stepUp(running, ada.accessToken, credentials)
        assert.equal(first.status, 403)
        await make(running, ada)
        const form = { auth_session: first.json['auth_session'], otp: ada.nextCode() }
        const second = await running.send('POST', '/token', { form })
        assert.deepEqual(outcomeOf(second), [400, 'invalid_session'])
      })

    it('a step-up grants no scope that its access token does not have', async () => {
      const running = await start({ scopes: { 'items:read': 'read', 'items:write': 'write' } })
      const ada = await enrol(running, running.clock)
      await running.setScopes(ada.subject, ['items:read', 'items:write'])
      const scope = 'items:read'
      const narrow = await running.login({ scope, otp: ada.nextCode() })
      assert.equal(narrow.json['scope'], scope, narrow.text)
      const token = narrow.json['access_token'] as string
      const wider = { otp: ada.nextCode(), scope: 'items:read items:write' }
      const stepped = await stepUp(running, token, wider)
      assert.equal(stepped.status === 200 ? stepped.json['scope'] : scope, scope)
      const bearer = stepped.status === 200 ? (stepped.json['access_token'] as string) : token
      const plain = await stepUp(running, bearer, { otp: ada.nextCode() })
      assert.equal(plain.json['scope'], scope, plain.text)
    })

    it('at POST /session, the cookie names the session', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      const origin = new URL(running.keystile.issuer).origin
      const post = (path: string, json: object, cookie = ''): Promise<Answer> =>
        running.send('POST', path, { json, headers: { origin, cookie } })
      const cookieOf = ({ headers }: Answer): string =>
        headers.get('set-cookie')?.split(';')[0] ?? ''
      const login = await post('/session', { ...credentials, otp: ada.nextCode() })
      const cookie = cookieOf(login)
      running.clock.advance(100)
      const step = (json: object, sent = cookie): Promise<Answer> =>
        post('/session', { max_age: 600, ...json }, sent)

      assert.deepEqual((await step({})).json['methods'], ['otp', 'recovery_code'])
      const otp = ada.nextCode()
      assert.deepEqual((await step({ otp, max_age: 60 })).json['methods'], ['password'])
      assert.equal((await step({ otp }, `${cookie}; ${cookie}`)).status, 400)
      assert.equal((await step({ otp }, '')).status, 400)
      const stepped = await step({ otp })
      assert.equal(stepped.status, 200, stepped.text)
      assert.equal((await running.open([], { bearer: login.json['access_token'] })).status, 401)
      assert.deepEqual(outcomeOf(await step({ otp: ada.nextCode() })), [400, 'invalid_session'])

      const newer = cookieOf(await post('/session/refresh', {}, cookieOf(stepped)))
      const newest = cookieOf(await post('/session/refresh', {}, newer))
      const old = await step({ otp: ada.nextCode() }, cookieOf(stepped))
      assert.deepEqual(outcomeOf(old), [400, 'invalid_session'], 'an old copy of the cookie')
      const first = await step({ ...credentials }, newest)
      assert.equal(first.status, 403)
      const { auth_session } = first.json
      const provedAt = secondsOf(running)
      const last = await step({ auth_session, otp: ada.nextCode() }, newest)
      assert.equal(last.status, 200, last.text)
      assert.equal(claimsOf(last.json['access_token'])['auth_time'], provedAt)
      assert.equal((await openSessions()).length, 2, 'that of the enrolment, and the newest')
      for (const max_age of [-1, 1.5, '60'])
        assert.equal((await step({ max_age }, newest)).status, 422)
    })

    it('a malformed demand gets a clear answer', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      for (const max_age of ['-1', '1.5', 'x', '1e3', '9999999999']) {
        const { status, json } = await stepUp(running, ada.accessToken, { max_age })
        assert.deepEqual(
          [status, json['detail']],
          [400, 'The max_age must be a whole number of seconds'],
        )
      }
      const { json } = await stepUp(running, ada.accessToken, { ...credentials, acr_values: '' })
      assert.equal(json['detail'], 'A form with access_token must also have max_age or acr_values')
    })

    it('a step-up of a session that the app created keeps its amr, and both have audit entries', async () => {
      const running = await start()
      const tokens = await running.tokens('ada')
      const { subject } = tokens
      const { accessToken } = await running.keystile.sessions.create({ subject, amr: ['fed'] })
      const created = { ...running, tokens: async () => ({ ...tokens, accessToken }) }
      const ada = await enrol(created, running.clock)
      const { json } = await stepUp(running, accessToken, { otp: ada.nextCode() })
      const { amr, sid } = claimsOf(json['access_token'])
      assert.deepEqual(amr, ['fed', 'otp', 'mfa'])

      const entries = await stage.sql(
        `select event, session_id from audit where subject = '${subject}' and at = ${running.clock.now()}`,
      )
      const sessionOf = (name: string): unknown =>
        entries.find(({ event }) => event === name)?.['session_id']
      assert.equal(sessionOf('login'), sid)
      assert.equal(sessionOf('session_ended'), claimsOf(accessToken)['sid'])
    })
  },
  bothDirectories,
)
