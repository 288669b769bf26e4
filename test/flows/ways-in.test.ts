// Every way in, for an account with a second factor: the account decides, not the way. A new way in
// adds a row to `ways`.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { decodeJwtUnsafe } from 'keystile/jwt'
import { askForCode, exchange } from '../../packages/server/test-support/challenge.ts'
import {
  bothDirectories,
  createTestClock,
  describeOnBoth,
  password,
  type Answer,
  type TestClock,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { mailFlows, nextPassword, readMail } from '../../packages/server/test-support/mail-flows.ts'
import { startWithMailbox } from '../../packages/server/test-support/mailbox.ts'
import { openBrowser, type PageBrowser } from '../../packages/server/test-support/page-browser.ts'
import { loginPages, loginPagesIn } from '../../packages/server/test-support/page-way.ts'
import {
  beginEnrolment,
  enrol,
  passwordForm,
  type Enrolled,
  type Fields,
  type WayIn,
} from '../../packages/server/test-support/second-factor.ts'

type Running = TestKeystile & { readonly clock: TestClock }

type Way = (running: Running, fields: Fields, ada: Enrolled) => Promise<Answer>

const plainWays: Readonly<Record<string, WayIn>> = {
  'the password form': passwordForm,
  'the cookie session': ({ send, keystile }, fields) =>
    send('POST', '/session', {
      json: fields,
      headers: { origin: new URL(keystile.issuer).origin },
    }),
  async 'the challenge endpoint'(running, fields) {
    const answer = await askForCode(running, fields)
    if (answer.status !== 200) return answer
    const done = await exchange(running, answer)
    return { ...done, json: { ...answer.json, ...done.json } }
  },
  'the login pages': loginPages,
}
const ways: Readonly<Record<string, Way>> = {
  ...plainWays,
  'a step-up with the password': ({ send }, fields, { accessToken }) =>
    send('POST', '/token', {
      form: { grant_type: 'password', access_token: accessToken, max_age: '0', ...fields },
    }),
  'the login pages, on a device that is remembered for another person,': (running, fields) =>
    loginPagesIn(() => openRemembered(running), running, fields),
}
/** The cookies of the browser in which bob is remembered. */
const remembered = new WeakMap<Running, PageBrowser['cookies']>()

async function openRemembered(running: Running): Promise<PageBrowser> {
  const browser = openBrowser(running)
  const known = remembered.get(running)
  for (const [name, value] of known ?? []) browser.cookies.set(name, value)
  if (known) return browser

  const bob = await enrol(running, running.clock, 'bob')
  await browser.open('/login')
  await browser.submit({ username: 'bob', password })
  await browser.submit({ otp: bob.nextCode(), remember: 'on' })
  await browser.open('/logout')
  await browser.submit()
  // Bob needs no code here any more.
  await browser.open('/login')
  await browser.submit({ username: 'bob', password })
  assert.equal(browser.at(), '/account')
  remembered.set(running, new Map(browser.cookies))
  return browser
}

const credentials = { username: 'ada', password }

/** The factors, each with a value that is right once. */
const factors: Readonly<Record<string, (ada: Enrolled) => string>> = {
  otp: (ada) => ada.nextCode(),
  recovery_code: (ada) => ada.recoveryCodes[0] ?? '',
}

function isLoggedIn({ status, json, headers }: Answer): boolean {
  const hasToken = json['access_token'] !== undefined || headers.has('set-cookie')
  assert.equal(hasToken, status === 200)
  return hasToken
}

describeOnBoth(
  'an account with a second factor',
  (stage) => {
    async function start(): Promise<Running> {
      const clock = createTestClock()
      const pages = { cookieSession: true, loginPages: 'on', rememberFactorDays: 30 } as const
      const options = { clock, secondFactor: 'optional', ...pages } as const
      return { ...(await stage.start(options)), clock }
    }
    /** Counts the sessions besides that of the enrolment. */
    const countSessions = async ({ subject, accessToken }: Enrolled): Promise<number> => {
      const enrolment = decodeJwtUnsafe(accessToken).claims['sid']
      const rows = await stage.sql(`select id from session where subject = '${subject}'`)
      return rows.filter(({ id }) => id !== enrolment).length
    }

    for (const [way, send] of Object.entries(ways))
      for (const [factor, valueOf] of Object.entries(factors))
        it(`${way} gives no session without ${factor}, and one with it`, async () => {
          const running = await start()
          const ada = await enrol(running, running.clock)
          const first = await send(running, credentials, ada)
          assert.deepEqual([isLoggedIn(first), first.status], [false, 403])
          const wrong = await send(running, { ...credentials, [factor]: '000000' }, ada)
          assert.deepEqual([isLoggedIn(wrong), wrong.status], [false, 400])
          assert.equal(await countSessions(ada), 0)

          const right = { [factor]: valueOf(ada) }
          const { auth_session } = first.json
          assert.equal(isLoggedIn(await send(running, { auth_session, ...right }, ada)), true)
          assert.equal(isLoggedIn(await send(running, { auth_session, ...right }, ada)), false)
          assert.equal(isLoggedIn(await send(running, { ...credentials, ...right }, ada)), false)
          assert.equal(await countSessions(ada), 1)
        })

    it('keystile.sessions.create starts no session without a factor', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      const { sessions } = running.keystile
      for (const amr of [undefined, [], ['pwd'], ['otp']])
        await assert.rejects(sessions.create({ subject: ada.subject, ...(amr && { amr }) }), {
          status: 403,
        })
      // A program without types may pass the claim of another issuer, which may be a text.
      const amr = 'nomfa' as never
      await assert.rejects(sessions.create({ subject: ada.subject, amr }), /list of strings/)
      assert.equal(await countSessions(ada), 0)
    })

    it('after a new password, a login still needs the factor', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      const hash = await running.keystile.hashPassword('another engine of hers')
      await running.writeHash(ada.subject, hash)
      const changed = { ...credentials, password: 'another engine of hers' }
      const first = await ways['the password form']!(running, changed, ada)
      assert.deepEqual(
        [isLoggedIn(first), first.json['error']],
        [false, 'insufficient_authorization'],
      )
    })

    it('of many logins with one code at the same time, one is let in', async () => {
      const running = await start()
      const others = await Promise.all([1, 2].map(() => stage.start({ clock: running.clock })))
      const ada = await enrol(running, running.clock)
      const attempts = await Promise.all(Array.from({ length: 9 }, () => running.login()))
      const otp = ada.nextCode()
      const answers = await Promise.all(
        attempts.map(({ json }, i) =>
          [running, ...others][i % 3]!.send('POST', '/token', {
            form: { auth_session: json['auth_session'], otp },
          }),
        ),
      )
      assert.equal(answers.filter(isLoggedIn).length, 1)
      assert.equal(await countSessions(ada), 1)
    })

    it('of many second steps of one attempt at the same time, one is let in', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      const { auth_session } = (await running.login()).json
      const tries = [ada.nextCode(), ...ada.recoveryCodes.slice(0, 3)].map((value, i) => ({
        auth_session,
        [i === 0 ? 'otp' : 'recovery_code']: value,
      }))
      const answers = await Promise.all(
        tries.map((form) => running.send('POST', '/token', { form })),
      )
      assert.equal(answers.filter(isLoggedIn).length, 1)
      assert.equal(await countSessions(ada), 1)
      const left = await stage.sql('select id from recovery_code')
      assert.ok(left.length >= 9, 'a refused login must spend no recovery code')
    })
  },
  bothDirectories,
)

describeOnBoth(
  'an account that must have a second factor and has none',
  (stage) => {
    const countSessions = async (): Promise<number> =>
      (await stage.sql('select id from session where ended_at is null')).length
    const options = { secondFactor: 'required', cookieSession: true, loginPages: 'on' }

    for (const [way, send] of Object.entries(plainWays))
      it(`${way} gives no session before a factor is set up, and then needs its code`, async () => {
        const running = await startWithMailbox(stage, options)
        await running.addUser()
        const more = { otp: '000000', enrol: 'totp', email_code: '0', recovery_code: '0' }
        for (const fields of [{}, more]) {
          const first = await send(running, { ...credentials, ...fields })
          assert.deepEqual([isLoggedIn(first), first.status], [false, 403])
          assert.deepEqual([first.json['secret'], first.json['email_code']], [undefined, true])
        }
        const ada = await beginEnrolment(running, send)
        assert.equal(isLoggedIn(ada.shown), false)
        assert.equal(await countSessions(), 0)

        const done = await ada.end()
        assert.equal(isLoggedIn(done), true)
        assert.equal(done.json['recovery_codes'].length, 10)
        const again = await send(running, credentials)
        assert.deepEqual([again.status, again.json['methods']], [403, ['otp', 'recovery_code']])
        assert.equal(await countSessions(), 1)
      })

    it('keystile.sessions.create starts no session without a checked factor', async () => {
      const running = await startWithMailbox(stage, options)
      const subject = await running.addUser()
      const { sessions } = running.keystile
      for (const amr of [undefined, [], ['pwd'], ['otp']])
        await assert.rejects(sessions.create({ subject, ...(amr && { amr }) }), { status: 403 })
      assert.equal(await countSessions(), 0)
      await sessions.create({ subject, amr: ['fed', 'mfa'] })
    })

    it('a code of the challenge endpoint is refused if a factor is needed by now', async () => {
      const before = await startWithMailbox(stage, { secondFactor: 'optional' })
      await before.addUser()
      const answer = await askForCode(before, credentials)
      assert.equal(answer.status, 200)
      await before.keystile.close()
      const running = await startWithMailbox(stage, options)
      assert.equal((await exchange(running, answer)).status, 400)
      assert.equal(await countSessions(), 0)
    })

    it('a session from before the setting goes on, and changes nothing without a factor', async () => {
      const before = await startWithMailbox(stage, { cookieSession: true })
      const { refreshToken } = await before.tokens()
      await before.keystile.close()
      const running = await startWithMailbox(stage, options)
      const { status, json } = await running.refresh(refreshToken)
      assert.equal(status, 200)
      const bearer = json['access_token']
      const begun = await running.send('POST', '/users/me/factors/totp', { bearer })
      assert.equal(begun.status, 401)
      assert.match(begun.headers.get('www-authenticate') ?? '', /acr_values="mfa"/)
    })

    it('a step-up sets up a factor only after the password', async () => {
      const before = await startWithMailbox(stage)
      const { accessToken: access_token } = await before.tokens()
      await before.keystile.close()
      const running = await startWithMailbox(stage, options)
      const stepUp: WayIn = (started, fields) =>
        passwordForm(started, {
          ...(fields['auth_session'] === undefined && { access_token, acr_values: 'mfa' }),
          ...fields,
        })
      const alone = await stepUp(running, { enrol: 'totp' })
      assert.deepEqual([isLoggedIn(alone), alone.json['methods']], [false, ['password']])
      assert.deepEqual(
        [alone.json['enrol'], await stage.sql('select id from login_flow')],
        [undefined, []],
      )

      const ada = await beginEnrolment(running, stepUp)
      assert.equal(isLoggedIn(await ada.end()), true)
      assert.equal(await countSessions(), 1)
    })

    it('a client with client_credentials needs no factor', async () => {
      const running = await startWithMailbox(stage, options)
      const client = await running.addClient()
      const form = { grant_type: 'client_credentials', ...client }
      assert.equal((await running.send('POST', '/token', { form })).status, 200)
    })
  },
  bothDirectories,
)

describeOnBoth('a mail, for an account that must have a second factor', (stage) => {
  const person = { username: 'ada', email: 'ada@example.com', password }
  for (const { name, ask, options, confirmPath, fields } of mailFlows)
    it(`the mail of the flow ${name} gives no session without a factor`, async () => {
      const before = await startWithMailbox(stage, options)
      assert.ok((await ask(person, before)).status < 300)
      await before.settled()
      const { token } = readMail(before.mails.at(-1))
      await before.keystile.close()
      await stage.sql('delete from session')

      const running = await startWithMailbox(stage, { ...options, secondFactor: 'required' })
      const json = { token, ...fields(person) }
      const done = await running.send('POST', confirmPath, { json })
      // The password alone must not move the mailbox that gets the code of an enrolment.
      assert.equal(done.status < 300, name !== 'email change', done.text)
      assert.equal(isLoggedIn({ ...done, status: 0 }), false)
      assert.deepEqual(await stage.sql('select id from session'), [])
      for (const tried of [password, nextPassword])
        assert.notEqual((await running.login({ password: tried })).status, 200)
    })
})
