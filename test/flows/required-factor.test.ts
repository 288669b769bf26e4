// Logins of people who must have a second factor, and set it up within the login.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { decodeJwtUnsafe } from 'keystile/jwt'
import { askForCode } from '../../packages/server/test-support/challenge.ts'
import {
  bothDirectories,
  describeOnBoth,
  password,
  tokensOf,
  type Answer,
} from '../../packages/server/test-support/keystile.ts'
import { startWithMailbox, type WithMailbox } from '../../packages/server/test-support/mailbox.ts'
import type { Person } from '../../packages/server/test-support/people.ts'
import {
  beginEnrolment,
  passwordForm,
  type Fields,
  type WayIn,
} from '../../packages/server/test-support/second-factor.ts'

describeOnBoth(
  'a second factor that the settings demand',
  (stage) => {
    const start = async (options: object = {}): Promise<WithMailbox> => {
      const running = await startWithMailbox(stage, { secondFactor: 'required', ...options })
      await running.addUser()
      return running
    }
    const countSessions = async (): Promise<number> =>
      (await stage.sql('select id from session where ended_at is null')).length
    const events = async (event: string): Promise<number> =>
      (await stage.sql(`select * from audit where event = '${event}'`)).length
    const errorOf = ({ status, json }: Answer): object => ({ status, error: json['error'] })
    const wrong = { status: 400, error: 'invalid_grant' }
    const over = { status: 400, error: 'invalid_session' }

    it('a person without a factor sets up an app within the login, after a code in a mail', async () => {
      const running = await start()
      const first = await running.login()
      assert.equal(first.status, 403)
      const { auth_session, detail, ...members } = first.json
      assert.deepEqual(members, {
        error: 'insufficient_authorization',
        error_description: detail,
        methods: [],
        enrol: ['totp'],
        email_code: true,
      })
      assert.equal(
        detail,
        'This account must have a second factor: send auth_session with enrol=totp and ' +
          'email_code, the code of the mail',
      )

      const { code, message } = await running.mailTo('ada@example.com')
      assert.match(message.subject, /code/)
      assert.doesNotMatch(message.text, /http/)
      const shown = await passwordForm(running, { auth_session, enrol: 'totp', email_code: code })
      assert.equal(shown.status, 403)
      assert.deepEqual([shown.json['methods'], shown.json['enrol']], [['otp'], ['totp']])
      assert.equal(shown.json['email_code'], undefined)
      assert.match(shown.json['secret'], /^[A-Z2-7]{32}$/)
      assert.match(shown.json['uri'], /^otpauth:\/\/totp\/localhost:ada/)
      assert.match(shown.json['qr_svg'], /^<svg/)
      assert.equal(await countSessions(), 0)
    })

    it('the first code of the app ends the login, whose answer has the recovery codes', async () => {
      const running = await start()
      const ada = await beginEnrolment(running)
      const { status, json, text } = await ada.end()
      assert.equal(status, 200, text)
      const { claims } = decodeJwtUnsafe(json['access_token'])
      assert.deepEqual([claims['amr'], claims['acr']], [['pwd', 'otp', 'mfa'], 'mfa'])
      assert.equal(json['recovery_codes'].length, 10)
      assert.deepEqual(errorOf(await ada.end()), over)
      assert.equal(await countSessions(), 1)

      const { json: factors } = await running.send('GET', '/users/me/factors', {
        bearer: json['access_token'],
      })
      assert.equal(factors['recovery_codes'], 10)
      running.clock.advance(30)
      const second = await running.login({ otp: ada.code() })
      assert.equal(second.status, 200)
      assert.equal(second.json['recovery_codes'], undefined)
      const [recovery_code] = json['recovery_codes']
      assert.equal((await running.login({ recovery_code })).status, 200)
    })

    it('only the app and clients created as first-party set up a factor in a login', async () => {
      const running = await start()
      const { addClient, send, mails, settled } = running
      const grants = ['password', 'authorization_code']
      const partner = await addClient({ id: 'partner', grants })
      const codeForm = {
        response_type: 'code',
        code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
        code_challenge_method: 'S256',
      }
      const logIn = (path: string, form: Fields): Promise<Answer> =>
        send('POST', path, { form: { username: 'ada', password, ...form } })
      const forms = { '/token': { grant_type: 'password' }, '/authorize-challenge': codeForm }
      for (const [path, form] of Object.entries(forms))
        for (const more of [{}, { enrol: 'totp' }, { acr_values: 'mfa' }]) {
          const refused = await logIn(path, { ...form, ...partner, ...more })
          assert.deepEqual(
            [refused.status, refused.json['error'], refused.json['auth_session']],
            [400, 'unmet_authentication_requirements', undefined],
          )
        }
      await settled()
      assert.deepEqual([mails.length, await events('factor_required')], [0, 6])

      const own = await addClient({ id: 'phone', grants, firstParty: true })
      for (const [path, form] of Object.entries(forms))
        assert.deepEqual((await logIn(path, { ...form, ...own })).json['enrol'], ['totp'])
      await (await beginEnrolment(running)).end()
      const partnerAgain = await logIn('/token', { ...forms['/token'], ...partner })
      assert.deepEqual(partnerAgain.json['methods'], ['otp', 'recovery_code'])
    })

    it('the audit record and a mail tell of the app, and the mail can undo it', async () => {
      const running = await start()
      await (await beginEnrolment(running)).end()
      assert.deepEqual([await events('factor_required'), await events('factor_added')], [1, 1])
      const [added] = await stage.sql("select detail from audit where event = 'factor_added'")
      assert.equal(added?.['detail'], '{"factor":"otp"}')
      const { message, token } = await running.mailTo('ada@example.com')
      assert.match(message.subject, /authenticator app/)

      // For an app's own users, there is no link that undoes it.
      const hasLink = running.keystile.users !== undefined
      const undone = await running.send('POST', '/factors/undo', { json: { token } })
      assert.equal(undone.status, hasLink ? 204 : 404)
      assert.equal(await countSessions(), hasLink ? 0 : 1)
    })

    it('a code of the mail works once, also if it is sent many times in parallel', async () => {
      const running = await start()
      const { auth_session } = (await running.login()).json
      const { code } = await running.mailTo('ada@example.com')
      const form = { auth_session, enrol: 'totp', email_code: code }
      const answers = await Promise.all(
        Array.from({ length: 4 }, () => passwordForm(running, form)),
      )
      assert.deepEqual(
        answers.map(({ status }) => status).toSorted((a, b) => a - b),
        [400, 400, 400, 403],
      )
      assert.deepEqual(errorOf(await passwordForm(running, form)), wrong)
      // The mailbox is proved, so the secret can be shown again, to a client that lost the answer.
      const again = await passwordForm(running, { auth_session, enrol: 'totp' })
      assert.equal(again.status, 403)
      assert.ok(again.json['secret'])
    })

    it('without the code of the mail, an attempt shows no secret and takes no code of an app', async () => {
      const running = await start()
      const { auth_session } = (await running.login()).json
      const tries: readonly Fields[] = [
        { enrol: 'totp' },
        { otp: '000000' },
        { enrol: 'totp', otp: '000000' },
        { recovery_code: 'abcd' },
        { enrol: 'totp', email_code: '' },
      ]
      for (const fields of tries) {
        const { status, json } = await passwordForm(running, { auth_session, ...fields })
        assert.deepEqual(
          [status, json['email_code'], json['secret']],
          [403, true, undefined],
          JSON.stringify(fields),
        )
      }
      assert.equal(await countSessions(), 0)
    })

    it('a code of another attempt does not work', async () => {
      const running = await start()
      const [one, two] = [await running.login(), await running.login()]
      const { code } = await running.mailTo('ada@example.com')
      const form = { enrol: 'totp', email_code: code }
      const { auth_session: stolen } = one.json
      assert.deepEqual(
        errorOf(await passwordForm(running, { auth_session: stolen, ...form })),
        wrong,
      )
      const { auth_session } = two.json
      assert.equal((await passwordForm(running, { auth_session, ...form })).status, 403)
    })

    it('an attempt takes five wrong codes of the mail, and its answers tell nothing', async () => {
      const running = await start()
      const { auth_session } = (await running.login()).json
      const { code } = await running.mailTo('ada@example.com')
      const texts = new Set<string>()
      for (const email_code of [
        '00000000',
        '1',
        'abcdefgh',
        '９９９９９９９９',
        'x'.repeat(10_000),
      ]) {
        const answer = await passwordForm(running, { auth_session, enrol: 'totp', email_code })
        assert.deepEqual(errorOf(answer), wrong)
        texts.add(answer.text)
      }
      assert.equal(texts.size, 1)
      const right = { auth_session, enrol: 'totp', email_code: code }
      assert.deepEqual(errorOf(await passwordForm(running, right)), over)
      assert.equal(await events('factor_refused'), 5)
    })

    it('wrong codes of the app count too, and a malformed one gets a clear answer', async () => {
      const running = await start()
      const ada = await beginEnrolment(running)
      const send = (otp: string): Promise<Answer> =>
        passwordForm(running, { auth_session: ada.authSession, otp })
      assert.equal((await send('12345678')).json['detail'], 'The otp must be six digits')
      for (let i = 0; i < 4; i++) assert.deepEqual(errorOf(await send('000000')), wrong)
      assert.deepEqual(errorOf(await ada.end()), over)
    })

    it('a code of the mail expires after ten minutes', async () => {
      const running = await start()
      const { auth_session } = (await running.login()).json
      const { code } = await running.mailTo('ada@example.com')
      running.clock.advance(600)
      const form = { auth_session, enrol: 'totp', email_code: code }
      assert.deepEqual(errorOf(await passwordForm(running, form)), over)
    })

    it('an account has 20 wrong codes of mails a day, and those beyond use up no try', async () => {
      const running = await start({ rateLimits: 'on' })
      const statuses: number[] = []
      for (const tries of [4, 4, 8]) {
        const { auth_session } = (await running.login()).json
        for (let i = 0; i < tries; i++)
          statuses.push(
            (await passwordForm(running, { auth_session, email_code: '00000000' })).status,
          )
      }
      const [compared, refused] = [Array(10).fill(400), Array(6).fill(429)]
      assert.deepEqual(statuses, [...compared, ...refused])
    })

    it('a right code of a mail that comes again, as from a reload, is no guess', async () => {
      const running = await start({ rateLimits: 'on' })
      for (let attempt = 0; attempt < 3; attempt++) {
        const { auth_session } = (await running.login()).json
        const { code } = await running.mailTo('ada@example.com')
        const form = { auth_session, enrol: 'totp', email_code: code }
        assert.equal((await passwordForm(running, form)).status, 403)
        for (let again = 0; again < 5; again++)
          assert.equal((await passwordForm(running, form)).status, 400)
      }
    })

    it('a right code of a mail is not counted for the account', async () => {
      const running = await start({ rateLimits: 'on' })
      const statuses: number[] = []
      const guess = async (auth_session: string): Promise<void> => {
        const fields = { auth_session, email_code: '00000000' }
        statuses.push((await passwordForm(running, fields)).status)
      }
      for (let attempt = 0; attempt < 2; attempt++) {
        const { auth_session } = (await running.login()).json
        for (let i = 0; i < 4; i++) await guess(auth_session)
      }
      const { authSession } = await beginEnrolment(running)
      for (let i = 0; i < 3; i++) await guess(authSession)
      assert.deepEqual(statuses, [...Array.from({ length: 10 }, () => 400), 429])
    })

    it('a mailbox gets three of these mails at once, and then no login goes on', async () => {
      const running = await start()
      for (let i = 0; i < 3; i++) assert.equal((await running.login()).status, 403)
      const { status, headers } = await running.login()
      assert.equal(status, 429)
      assert.equal(headers.get('retry-after'), '3600')
      assert.equal((await stage.sql('select id from login_flow')).length, 3)
      for (let i = 0; i < 3; i++) {
        running.clock.advance(3_600)
        assert.equal((await running.login()).status, 403)
      }
      // These were six, so the next one has to wait longer.
      assert.equal((await running.login()).headers.get('retry-after'), '10800')
      running.clock.advance(10_800)
      assert.equal((await running.login()).status, 403)
    })

    it('after a new password by mail, the codes of earlier logins do not count', async () => {
      const running = await start()
      await beginEnrolment(running) // this verifies the address
      for (let i = 0; i < 3; i++) await running.login()
      assert.equal((await running.login()).status, 429)
      await running.send('POST', '/password-resets', { json: { login: 'ada' } })
      const { token } = await running.mailTo('ada@example.com')
      const new_password = 'purple monkey dishwasher'
      const json = { token, new_password }
      const reset = await running.send('POST', '/password-resets/confirm', { json })
      assert.equal(reset.status, 204, reset.text)
      assert.equal((await running.login({ password: new_password })).status, 403)
    })

    it('a person gets twenty QR codes at once, also in several logins', async () => {
      const running = await start({ rateLimits: 'on' })
      const statuses: number[] = []
      for (let i = 0; i < 2; i++) {
        const { authSession } = await beginEnrolment(running)
        for (let n = 0; n < 10; n++) {
          const form = { auth_session: authSession, enrol: 'totp' }
          statuses.push((await passwordForm(running, form)).status)
        }
      }
      assert.deepEqual(statuses, [...Array.from({ length: 18 }, () => 403), 429, 429])
    })

    it('a second factor other than totp is refused', async () => {
      const running = await start()
      const { auth_session } = (await running.login()).json
      const { status, json } = await passwordForm(running, { auth_session, enrol: 'passkey' })
      assert.deepEqual([status, json['detail']], [400, 'The value of enrol must be totp'])
      const entries = await stage.sql("select id from audit where event = 'factor_refused'")
      assert.deepEqual(entries, [], 'no limit counts these requests')
    })

    it('the last factor cannot be removed, and another app can replace it', async () => {
      const running = await start()
      const ada = await beginEnrolment(running)
      const bearer = (await ada.end()).json['access_token']
      const removed = await running.send('DELETE', '/users/me/factors/totp', { bearer })
      assert.equal(removed.status, 409, removed.text)
      const begun = await running.send('POST', '/users/me/factors/totp', { bearer })
      assert.equal(begun.status, 200, begun.text)
    })

    it('the app ends the sessions from before, and the links to a mailbox that is not verified', async () => {
      const before = await startWithMailbox(stage)
      const { accessToken: bearer } = await before.tokens()
      await before.keystile.close()
      const running = await startWithMailbox(stage, { secondFactor: 'required' })
      const read = async (): Promise<number> =>
        (await running.send('GET', '/users/me/factors', { bearer })).status
      assert.equal(await read(), 200)
      await running.send('POST', '/password-resets', { json: { login: 'ada' } })
      const { token } = await running.mailTo('ada@example.com')

      assert.equal((await (await beginEnrolment(running)).end()).status, 200)
      assert.equal(await read(), 401)
      const json = { token, new_password: 'purple monkey dishwasher' }
      const reset = await running.send('POST', '/password-resets/confirm', { json })
      // The code in the mail verifies the address of an account. That of an own user stays as it is.
      const verified = await stage.sql('select id from "user" where email_verified_at is not null')
      assert.equal(reset.status, verified.length > 0 ? 204 : 403)
    })

    for (const [path, way] of Object.entries({ token: passwordForm, challenge: askForCode }))
      it(`if the mailbox got too many mails about factors, a login adds no app: 429, ${path}`, async () => {
        const running = await start()
        const end = async (by?: WayIn): Promise<Answer> => (await beginEnrolment(running, by)).end()
        const { subject, accessToken: bearer } = tokensOf((await end()).json)
        for (let i = 0; i < 2; i++) {
          const made = await running.send('POST', '/users/me/factors/recovery-codes', { bearer })
          assert.equal(made.status, 200)
        }
        await stage.sql('delete from recovery_code')
        await stage.sql('delete from authenticator_app')
        await running.keystile.sessions.revokeAll(subject)

        const { status, json, headers } = await end(way)
        const message = 'This mailbox got too many mails about second factors; try again later'
        assert.deepEqual([status, json['error_description']], [429, message])
        assert.match(headers.get('retry-after') ?? '', /^\d+$/)
        assert.deepEqual(await stage.sql('select * from authenticator_app'), [])
        assert.equal(await countSessions(), 0)
      })

    it('of two attempts that end at the same time, one adds its app', async () => {
      const running = await start()
      const [one, two] = [await beginEnrolment(running), await beginEnrolment(running)]
      const answers = await Promise.all([one.end(), two.end()])
      assert.deepEqual(
        answers.map(({ status }) => status).toSorted((a, b) => a - b),
        [200, 400],
      )
      assert.equal(await countSessions(), 1)
      assert.equal((await stage.sql('select * from authenticator_app')).length, 1)
      assert.equal((await stage.sql('select * from recovery_code')).length, 10)
    })

    it('the database has neither the code of the mail nor the secret of the app', async () => {
      const running = await start()
      const ada = await beginEnrolment(running)
      const second = await running.login()
      assert.equal(second.status, 403)
      const { code } = await running.mailTo('ada@example.com')
      const rows = [
        ...(await stage.sql('select * from login_flow')),
        ...(await stage.sql('select * from mail')),
      ]
      const text = JSON.stringify(rows)
      assert.ok(rows.length >= 2)
      for (const secret of [ada.secret, code, code.replace(' ', '')])
        assert.ok(!text.includes(secret))
    })
  },
  bothDirectories,
)

describeOnBoth('a second factor that the settings demand, for accounts', (stage) => {
  it('the code of the mail verifies the address', async () => {
    const before = await startWithMailbox(stage)
    const bearer = await before.accessToken()
    await before.keystile.close()
    const running = await startWithMailbox(stage, { secondFactor: 'required' })
    const isVerified = async (): Promise<unknown> =>
      (await running.send('GET', '/users/me', { bearer })).json['email_verified']
    await running.login()
    assert.equal(await isVerified(), false)
    await beginEnrolment(running)
    assert.equal(await isVerified(), true)
    assert.equal((await stage.sql("select * from audit where event = 'email_verified'")).length, 1)
  })

  it('an account without an address, and a server without mail, enrol without a code', async () => {
    const running = await stage.start({ secondFactor: 'required' })
    await running.addUser()
    const first = await running.login({ enrol: 'totp', otp: '000000' })
    assert.deepEqual([first.status, first.json['email_code']], [403, undefined])
    assert.ok(first.json['secret'])
  })

  it('a role demands a second factor, where the others may have one', async () => {
    const roles = { editor: [] }
    const options = { secondFactor: 'optional', roles, secondFactorRoles: ['editor'] }
    const running = await startWithMailbox(stage, options)
    const subject = await running.addUser()
    const plain = await running.login()
    assert.equal(plain.status, 200)
    await running.keystile.users?.grant(subject, { roles: ['editor'] })
    assert.equal((await running.login()).json['enrol']?.[0], 'totp')
    await assert.rejects(running.keystile.sessions.create({ subject }), { status: 403 })

    const bearer = (await (await beginEnrolment(running)).end()).json['access_token']
    const remove = (): Promise<Answer> =>
      running.send('DELETE', '/users/me/factors/totp', { bearer })
    assert.equal((await remove()).status, 409)
    await running.keystile.users?.grant(subject, { removeRoles: ['editor'] })
    assert.equal((await remove()).status, 204)
  })

  it('a change of the address between two steps ends the attempt', async () => {
    const running = await startWithMailbox(stage, { secondFactor: 'required' })
    const subject = await running.addUser()
    const ada = await beginEnrolment(running)
    await stage.sql(
      `update "user" set email = 'new@example.com', email_key = 'new@example.com' where id = '${subject}'`,
    )
    const { json } = await ada.end()
    assert.equal(json['error'], 'invalid_session')
  })
})

describeOnBoth(
  'a second factor that an app demands of its own users',
  (stage) => {
    it('needsFactor of the app decides which users must have a second factor', async () => {
      await (await stage.start()).keystile.close()
      const needsFactor = ({ username }: Person): boolean => username === 'ada'
      const users = { ...stage.people.directory, needsFactor }
      const running = await startWithMailbox(stage, { users, secondFactor: 'optional' })
      for (const username of ['ada', 'bob']) await running.addUser({ username })
      assert.equal((await running.login({ username: 'bob' })).status, 200)
      const { status, json } = await (await beginEnrolment(running)).end()
      assert.equal(status, 200)
      const bearer = json['access_token']
      const removed = await running.send('DELETE', '/users/me/factors/totp', { bearer })
      assert.equal(removed.status, 409)
    })

    it('keystile.resetFactors ends the wait of the name that username(user) returns', async () => {
      await (await stage.start()).keystile.close()
      const users = { ...stage.people.directory, username: ({ username }: Person) => username }
      const options = { users, secondFactor: 'optional', rateLimits: 'on' } as const
      const running = await startWithMailbox(stage, options)
      const subject = await running.addUser()
      for (let n = 0; n < 10; n++) await running.login({ password: 'wrong' })
      assert.equal((await running.login()).status, 429)
      await running.keystile.resetFactors(subject)
      assert.equal((await running.login()).status, 200)
    })

    it('a needsFactor that does not return true or false is an error of the app', async () => {
      await (await stage.start()).keystile.close()
      const users = { ...stage.people.directory, needsFactor: () => undefined as never }
      const running = await startWithMailbox(stage, { users, secondFactor: 'optional' })
      await running.addUser()
      assert.equal((await running.login()).status, 500)
    })

    it('a change of the address between two steps ends the attempt', async () => {
      const running = await startWithMailbox(stage, { secondFactor: 'required' })
      await running.addUser()
      const ada = await beginEnrolment(running)
      await stage.people.sql("update people set email = 'new@example.com'")
      assert.equal((await ada.end()).json['error'], 'invalid_session')
    })
  },
  ['people'],
)
