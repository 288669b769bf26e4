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
import { enrol, type Enrolled } from '../../packages/server/test-support/second-factor.ts'

type Fields = Readonly<Record<string, string>>
type Running = TestKeystile & { readonly clock: TestClock }

/** A way in: sends a first step with these fields, or a later one with `auth_session`. */
type Way = (running: Running, fields: Fields, ada: Enrolled) => Promise<Answer>

const ways: Readonly<Record<string, Way>> = {
  'the password form': ({ send }, fields) =>
    send('POST', '/token', { form: { grant_type: 'password', ...fields } }),
  'the cookie session': ({ send, keystile }, fields) =>
    send('POST', '/session', {
      json: fields,
      headers: { origin: new URL(keystile.issuer).origin },
    }),
  async 'the challenge endpoint'(running, fields) {
    const answer = await askForCode(running, fields)
    return answer.status === 200 ? exchange(running, answer) : answer
  },
  'a step-up with the password': ({ send }, fields, { accessToken }) =>
    send('POST', '/token', {
      form: { grant_type: 'password', access_token: accessToken, max_age: '0', ...fields },
    }),
}
const credentials = { username: 'ada', password }

/** The factors, each with a value that is right once. */
const factors: Readonly<Record<string, (ada: Enrolled) => string>> = {
  otp: (ada) => ada.nextCode(),
  recovery_code: (ada) => ada.recoveryCodes[0] ?? '',
}

describeOnBoth(
  'an account with a second factor',
  (stage) => {
    async function start(): Promise<Running> {
      const clock = createTestClock()
      const options = { clock, secondFactor: 'optional', cookieSession: true } as const
      return { ...(await stage.start(options)), clock }
    }
    const isLoggedIn = ({ status, json, headers }: Answer): boolean => {
      const hasToken = json['access_token'] !== undefined || headers.has('set-cookie')
      assert.equal(hasToken, status === 200)
      return hasToken
    }
    /** Counts the sessions besides that of the enrolment. */
    const countSessions = async ({ subject, accessToken }: Enrolled): Promise<number> => {
      const enrolment = decodeJwtUnsafe(accessToken).claims['sid']
      const rows = await stage.sql(`select id from session where subject = '${subject}'`)
      return rows.filter(({ id }) => id !== enrolment).length
    }

    for (const [way, send] of Object.entries(ways))
      for (const [factor, valueOf] of Object.entries(factors))
        it(`${way} lets nobody in without ${factor}, and with it once`, async () => {
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

    it('keystile.sessions.create lets nobody in without a factor', async () => {
      const running = await start()
      const ada = await enrol(running, running.clock)
      const { sessions } = running.keystile
      for (const amr of [undefined, [], ['pwd'], ['otp']])
        await assert.rejects(sessions.create({ subject: ada.subject, ...(amr && { amr }) }), {
          status: 403,
        })
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
