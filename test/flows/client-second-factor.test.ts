// keystile/client against the real server: logins with a second factor, and step-ups.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { inspect } from 'node:util'
import { Hono } from 'hono'
import {
  ClientError,
  createClient,
  memoryStorage,
  type ApiClient,
  type LoginResult,
  type NextStep,
  type StepUp,
} from 'keystile/client'
import { createGuard } from 'keystile/hono'
import { decodeJwtUnsafe } from 'keystile/jwt'
import { createAuthenticatorApp } from 'keystile/testing'
import {
  createTestClock,
  describeOnOne,
  issuer,
  password,
  type TestClock,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { startWithMailbox } from '../../packages/server/test-support/mailbox.ts'

/** An authenticator app and its recovery codes. */
interface Phone {
  readonly recoveryCodes: readonly string[]
  /** A code works once: each call moves the clock to the next one. */
  nextCode(): string
}

/** A browser of one person, and an API with guarded routes. */
interface Browser {
  /** Opens a tab. */
  open(): ApiClient
  /** The tokens with which the routes of the API were called. */
  readonly bearers: readonly string[]
}

type Running = TestKeystile & { readonly clock: TestClock }

const person = { username: 'ada', password }
const { origin } = new URL(issuer)
const strong = `${origin}/strong`
const both = `${origin}/both`

describeOnOne('SQLite', 'keystile/client and second factors', (stage) => {
  async function start(options: object = {}): Promise<Running> {
    const clock = createTestClock()
    const settings = { clock, secondFactor: 'optional', cookieSession: true, ...options } as const
    const running = { ...(await stage.start(settings)), clock }
    await running.addUser()
    return running
  }

  for (const storage of ['memory', 'cookie'] as const) {
    function browse({ clock, keystile }: Running): Browser {
      const guard = createGuard(keystile)
      const api = new Hono()
        .all('/strong', guard({ acr: 'mfa' }), async (c) => c.text(await c.req.text()))
        .get('/both', guard({ acr: 'mfa', maxAgeSeconds: 300 }), (c) => c.text('both'))
        .get('/unknown', guard({ acr: 'phr' }), (c) => c.text('unknown'))
      const paths = api.routes.map(({ path }) => path)
      const kept = memoryStorage()
      const cookies = new Map<string, string>()
      const bearers: string[] = []

      async function fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
        const request = new Request(input, init)
        if (paths.includes(new URL(request.url).pathname)) {
          bearers.push(request.headers.get('authorization') ?? '')
          return api.request(request)
        }
        request.headers.set('origin', origin)
        if (request.credentials === 'include')
          request.headers.set('cookie', [...cookies.values()].join('; '))
        const answer = await keystile.fetch(request)
        for (const cookie of answer.headers.getSetCookie()) {
          const [pair = ''] = cookie.split(';')
          cookies.set(pair.split('=')[0] ?? '', pair)
        }
        return answer
      }
      const opened = storage === 'cookie' ? storage : kept
      const times = { now: clock.now, elapsed: clock.now }
      const open = (): ApiClient => createClient({ issuer, clock: times, storage: opened, fetch })
      return { open, bearers }
    }

    /** Sets up an app in the session of a client, which has proved only the password. */
    async function setUpApp(client: ApiClient, { clock }: Running): Promise<Phone> {
      const ask = async (
        path: string,
        body: object,
      ): Promise<Readonly<Record<string, unknown>>> => {
        const answer = await client.fetch(`${issuer}/users/me/factors/totp${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        })
        assert.equal(answer.status, 200)
        return (await answer.json()) as Readonly<Record<string, unknown>>
      }
      const { secret } = (await ask('', {})) as { readonly secret: string }
      const app = createAuthenticatorApp(secret)
      const code = (): string => app.code(new Date(clock.now()))
      const confirmed = await ask('/confirm', { code: code() })
      return {
        recoveryCodes: confirmed['recovery_codes'] as readonly string[],
        nextCode() {
          clock.advance(30)
          return code()
        },
      }
    }
    /** Ada has an app, and is signed in with her password alone. */
    async function startWithApp(): Promise<
      Browser & { readonly running: Running; readonly client: ApiClient; readonly phone: Phone }
    > {
      const running = await start()
      const browser = browse(running)
      const client = browser.open()
      assert.deepEqual(await client.login(person), { signedIn: true })
      return { ...browser, running, client, phone: await setUpApp(client, running) }
    }

    const refusalOf = async (login: Promise<LoginResult>): Promise<ClientError> => {
      const error = await login.catch((reason: unknown) => reason)
      assert.ok(error instanceof ClientError, inspect(error))
      return error
    }
    /** Narrows a step, as an app does with `switch`. */
    function asStep<Name extends NextStep['step']>(
      next: NextStep | undefined,
      name: Name,
    ): Extract<NextStep, { step: Name }> {
      assert.equal(next?.step, name)
      return next as Extract<NextStep, { step: Name }>
    }
    const isAda = async (client: ApiClient): Promise<void> => {
      assert.equal(await client.isSignedIn(), true)
      const me = (await (await client.fetch(`${issuer}/users/me`)).json()) as { username: string }
      assert.equal(me.username, 'ada')
    }
    const claimsOf = async (client: ApiClient): Promise<Readonly<Record<string, unknown>>> =>
      decodeJwtUnsafe((await client.accessToken()) ?? '').claims

    const title = `with ${storage} storage,`

    it(`${title} client.login says what to prove, and goes on with a code`, async () => {
      const { client, phone } = await startWithApp()
      await client.logout()
      const { signedIn, next } = await client.login(person)
      assert.equal(signedIn, false)
      const step = asStep(next, 'proveFactor')
      assert.deepEqual(step.methods, ['otp', 'recovery_code'])
      assert.equal(await client.isSignedIn(), false)

      const wrong = await refusalOf(step.proveFactor({ otp: '000000' }))
      assert.deepEqual([wrong.code, wrong.status], ['invalid_grant', 400])
      assert.equal(inspect(wrong, { showHidden: true }).includes('proveFactor'), false)
      const again = asStep(wrong.next, 'proveFactor')
      assert.deepEqual(again.methods, step.methods)
      assert.deepEqual(await again.proveFactor({ otp: phone.nextCode() }), { signedIn: true })
      await isAda(client)

      const over = await refusalOf(step.proveFactor({ otp: phone.nextCode() }))
      assert.deepEqual([over.code, over.next], ['invalid_session', undefined])
    })

    it(`${title} a login goes on with a recovery code`, async () => {
      const { client, phone } = await startWithApp()
      await client.logout()
      const step = asStep((await client.login(person)).next, 'proveFactor')
      const wrong = await refusalOf(step.proveFactor({ recoveryCode: '0000-0000-0000-0000' }))
      assert.ok(wrong.next)
      const [recoveryCode = ''] = phone.recoveryCodes
      assert.equal((await step.proveFactor({ recoveryCode })).signedIn, true)
      await isAda(client)
    })

    it(`${title} client.login sends the password and a code at once`, async () => {
      const { client, phone } = await startWithApp()
      await client.logout()
      const atOnce = await client.login({ ...person, otp: phone.nextCode() })
      assert.deepEqual(atOnce, { signedIn: true })
      await client.logout()
      const [recoveryCode = ''] = phone.recoveryCodes
      assert.equal((await client.login({ ...person, recoveryCode })).signedIn, true)
      await client.logout()

      const wrongCode = await refusalOf(client.login({ ...person, otp: '000000' }))
      assert.equal(wrongCode.code, 'invalid_grant')
      const step = asStep(wrongCode.next, 'proveFactor')
      assert.deepEqual(step.methods, ['otp', 'recovery_code'])
      assert.equal((await step.proveFactor({ otp: phone.nextCode() })).signedIn, true)

      const wrongPassword = { ...person, password: 'wrong', otp: phone.nextCode() }
      const { code, next } = await refusalOf(client.login(wrongPassword))
      assert.deepEqual([code, next], ['invalid_grant', undefined])
    })

    it(`${title} after five wrong codes or ten minutes, a login begins from the start`, async () => {
      const { running, client, phone } = await startWithApp()
      await client.logout()
      const guessed = asStep((await client.login(person)).next, 'proveFactor')
      for (let guess = 0; guess < 5; guess++)
        assert.ok((await refusalOf(guessed.proveFactor({ otp: '000000' }))).next)
      const expired = asStep((await client.login(person)).next, 'proveFactor')
      const ends = async (step: typeof guessed): Promise<void> => {
        const { code, next } = await refusalOf(step.proveFactor({ otp: phone.nextCode() }))
        assert.deepEqual([code, next], ['invalid_session', undefined])
      }
      await ends(guessed)
      running.clock.advance(600)
      await ends(expired)
      assert.equal(await client.isSignedIn(), false)
    })

    it(`${title} a user who must have a factor sets up an app within the login`, async () => {
      const running = await startWithMailbox(stage, {
        secondFactor: 'required',
        cookieSession: true,
      })
      await running.addUser()
      const client = browse(running).open()
      const step = asStep((await client.login(person)).next, 'setUpFactor')
      assert.deepEqual([step.factors, step.needsEmailCode], [['totp'], true])
      const wrong = await refusalOf(step.setUpApp({ emailCode: '0000 0000' }))
      assert.deepEqual([wrong.code, wrong.next?.step], ['invalid_grant', 'setUpFactor'])

      const { code: emailCode } = await running.mailTo('ada@example.com')
      const shown = asStep((await step.setUpApp({ emailCode })).next, 'confirmApp')
      assert.match(shown.uri, /^otpauth:\/\/totp\//)
      assert.match(shown.qrSvg, /^<svg/)
      const wrongCode = await refusalOf(shown.confirmApp({ otp: '000000' }))
      const app = createAuthenticatorApp(shown.secret)
      const otp = app.code(new Date(running.clock.now()))
      const done = await asStep(wrongCode.next, 'confirmApp').confirmApp({ otp })
      assert.equal(done.recoveryCodes?.length, 10)
      await isAda(client)
      assert.equal((await client.fetch(strong)).status, 200)

      await client.logout()
      running.clock.advance(30)
      const next = app.code(new Date(running.clock.now()))
      assert.deepEqual(await client.login({ ...person, otp: next }), { signedIn: true })
    })

    it(`${title} a user without a mailbox sets up an app after the password alone`, async () => {
      const client = browse(await start({ secondFactor: 'required' })).open()
      const step = asStep((await client.login(person)).next, 'setUpFactor')
      assert.equal(step.needsEmailCode, false)
      assert.equal((await step.setUpApp()).next?.step, 'confirmApp')
    })

    it(`${title} a step-up with a code repeats the call, and no tab signs out`, async () => {
      const { client, open, phone, bearers } = await startWithApp()
      const other = open()
      await isAda(other)
      let signOuts = 0
      for (const tab of [client, other]) tab.onSignOut(() => void signOuts++)
      const asked: StepUp[] = []
      client.onStepUp(async (stepUp) => {
        asked.push(stepUp)
        const step = asStep(stepUp.next, 'proveFactor')
        assert.deepEqual(step.methods, ['otp', 'recovery_code'])
        const wrong = await refusalOf(step.proveFactor({ otp: '000000' }))
        assert.equal(wrong.code, 'invalid_grant')
        await asStep(wrong.next, 'proveFactor').proveFactor({ otp: phone.nextCode() })
      })
      const before = await claimsOf(client)
      const answer = await client.fetch(new Request(strong, { method: 'POST', body: 'lamp' }))
      assert.deepEqual([answer.status, await answer.text()], [200, 'lamp'])
      assert.equal(bearers.length, 2)
      assert.deepEqual(
        asked.map(({ acr, maxAgeSeconds }) => [acr, maxAgeSeconds]),
        [[['mfa'], undefined]],
      )

      const after = await claimsOf(client)
      assert.deepEqual([after['acr'], after['sub']], ['mfa', before['sub']])
      assert.notEqual(after['sid'], before['sid'])
      await new Promise((resolve) => setImmediate(resolve))
      assert.equal((await other.fetch(strong)).status, 200, 'the other tab has the new session')
      await isAda(other)
      assert.equal(signOuts, 0)

      await other.logout()
      assert.equal(await other.isSignedIn(), false)
      assert.equal((await other.fetch(strong)).status, 401)
      client.close()
      other.close()
    })

    it(`${title} a step-up asks for the password if the login is too long ago`, async () => {
      const { running, client, phone } = await startWithApp()
      client.onStepUp(async ({ acr, maxAgeSeconds, next }) => {
        assert.deepEqual([acr, maxAgeSeconds], [['mfa'], 300])
        const step = asStep(next, 'provePassword')
        const wrong = await refusalOf(step.provePassword({ ...person, password: 'a guess' }))
        assert.equal(wrong.code, 'invalid_grant')
        const again = asStep(wrong.next, 'provePassword')
        const { next: factor } = await again.provePassword(person)
        const otp = phone.nextCode()
        assert.equal((await asStep(factor, 'proveFactor').proveFactor({ otp })).signedIn, true)
      })
      running.clock.advance(301)
      assert.equal((await client.fetch(both)).status, 200)
      await isAda(client)
    })

    it(`${title} a step-up with the password of another user changes nothing`, async () => {
      const { running, client } = await startWithApp()
      await running.addUser({ username: 'bob', email: 'bob@example.com' })
      running.clock.advance(1)
      const step = asStep((await client.stepUp({ maxAgeSeconds: 0 })).next, 'provePassword')
      const refused = await refusalOf(step.provePassword({ ...person, username: 'bob' }))
      assert.deepEqual([refused.code, refused.next], ['invalid_session', undefined])
      await isAda(client)
    })

    it(`${title} fetch returns the 401 if the person does no step-up`, async () => {
      const { client, bearers } = await startWithApp()
      assert.equal((await client.fetch(strong)).status, 401)
      let asked = 0
      const remove = client.onStepUp(async () => asked++)
      const answer = await client.fetch(strong)
      assert.equal(answer.status, 401)
      assert.match(await answer.text(), /A stronger login is needed/)
      await isAda(client)
      assert.deepEqual([asked, bearers.length], [1, 2])

      client.onStepUp(() => Promise.reject(new RangeError('the dialog is broken')))
      await assert.rejects(client.fetch(strong), RangeError)
      remove()
      assert.equal(asked, 1)
    })

    it(`${title} calls at the same time share one step-up`, async () => {
      const { client, phone, bearers } = await startWithApp()
      let asked = 0
      client.onStepUp(async ({ next }) => {
        asked++
        await asStep(next, 'proveFactor').proveFactor({ otp: phone.nextCode() })
      })
      const answers = await Promise.all(Array.from({ length: 5 }, () => client.fetch(strong)))
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 200, 200, 200, 200],
      )
      assert.deepEqual([asked, bearers.length], [1, 10])
    })

    it(`${title} a method of the account asks for a step-up too`, async () => {
      const { client, phone } = await startWithApp()
      client.onStepUp(async ({ next }) => {
        await asStep(next, 'proveFactor').proveFactor({ otp: phone.nextCode() })
      })
      await client.changeEmail({ email: 'ada@new.example', password })
      const me = (await (await client.fetch(`${issuer}/users/me`)).json()) as { email: string }
      assert.equal(me.email, 'ada@new.example')
    })

    it(`${title} a step-up that no login here can meet rejects, and the user stays`, async () => {
      const running = await start()
      const browser = browse(running)
      const client = browser.open()
      await client.login(person)
      client.onStepUp(() => assert.fail('the person can do nothing'))
      const unmet = { code: 'unmet_authentication_requirements' }
      await assert.rejects(client.fetch(strong), unmet)
      await assert.rejects(client.fetch(`${origin}/unknown`), unmet)
      await isAda(client)
      await client.logout()
      await assert.rejects(client.stepUp({ acr: ['mfa'] }), { code: 'not_signed_in' })
    })

    it(`${title} if the session has ended, a step-up signs the user out`, async () => {
      const { running, client } = await startWithApp()
      let signOuts = 0
      client.onSignOut(() => void signOuts++)
      const { next } = await client.stepUp({ acr: ['mfa'] })
      const { sub } = await claimsOf(client)
      await running.keystile.sessions.revokeAll(String(sub))
      assert.equal((await refusalOf(client.stepUp({ acr: ['mfa'] }))).code, 'invalid_session')
      assert.equal(await client.isSignedIn(), false)
      assert.equal(signOuts, 1)
      const late = asStep(next, 'proveFactor').proveFactor({ otp: '123456' })
      assert.equal((await refusalOf(late)).code, 'invalid_session')
    })
  }
})
