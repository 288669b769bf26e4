// Guessed codes of authenticator apps: how many are compared, who is told, and whether the owner
// still gets in.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { it } from 'node:test'
import { createAuthenticatorApp } from 'keystile/testing'
import { askForCode, exchange } from '../../packages/server/test-support/challenge.ts'
import {
  bothDirectories,
  createTestClock,
  describeOnOne,
  describeOnBoth,
  password,
  type Answer,
  type Stage,
  type TestClock,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { startMails } from '../../packages/server/test-support/mail-flows.ts'
import { enrol, giveApps } from '../../packages/server/test-support/second-factor.ts'
import { until } from '../../tools/until.ts'

const isLong = Boolean(process.env['KEYSTILE_LONG'])
const secondFactor = 'optional'
const day = 24 * 3_600
/** How many requests are sent at once. On a busy machine, more would wait too long. */
const groupSize = 5

/** An account with an authenticator app. */
interface Owner {
  readonly username: string
  readonly secret: string
}

/** Adds accounts with an authenticator app. */
async function addOwners(
  { keystile: { users } }: TestKeystile,
  stage: Stage,
  count: number,
): Promise<readonly Owner[]> {
  const names = Array.from({ length: count }, (_, n) => `user-${n}`)
  const ids: string[] = []
  for (const username of names) ids.push((await users?.create({ username, password }))?.id ?? '')
  const secrets = await giveApps(stage, ids)
  return names.map((username, n) => ({ username, secret: secrets[n]! }))
}

const codeOf = ({ secret }: Owner, at: number): string =>
  createAuthenticatorApp(secret).code(new Date(at))

/** Returns a code that is wrong now. */
function wrongCodeOf(owner: Owner, { now }: TestClock): string {
  const right = [-30, 0, 30].map((seconds) => codeOf(owner, now() + seconds * 1000))
  return ['000000', '000001', '000002', '000003'].find((code) => !right.includes(code))!
}

/** Returns a function that sends a wrong code, after the right password if needed. */
function createGuesser(
  { send, login }: TestKeystile,
  owner: Owner,
  clock: TestClock,
): () => Promise<Answer> {
  const begin = async (): Promise<string> =>
    String((await login({ username: owner.username })).json['auth_session'])
  let session: Promise<string> | undefined
  const guess = async (auth_session: string): Promise<Answer> =>
    send('POST', '/token', { form: { auth_session, otp: wrongCodeOf(owner, clock) } })
  return async () => {
    const answer = await guess(await (session ??= begin()))
    if (answer.json['error'] !== 'invalid_session') return answer
    return guess(await (session = begin()))
  }
}

/** Does the work for all items, a few at a time. */
async function inGroups<T>(
  items: readonly T[],
  work: (item: T) => Promise<unknown>,
  afterGroup: () => Promise<unknown> | void,
): Promise<void> {
  for (let n = 0; n < items.length; n += groupSize) {
    await Promise.all(items.slice(n, n + groupSize).map(work))
    await afterGroup()
  }
}

describeOnOne('SQLite', 'guesses of a second factor', (stage) => {
  const [accounts, guesses] = isLong ? [1_000, 10_000] : [4, 80]
  it(`of ${guesses} guesses for ${accounts} accounts, at most ten are compared for each, and an owner gets in`, async (t) => {
    const clock = createTestClock()
    const options = { clock, secondFactor, rateLimits: 'on' } as const
    const [here, there] = [await stage.start(options), await stage.start(options)] as const
    // The laptop has logged in with the password alone, and the phone with the app.
    let laptop = ''
    const ada = await enrol(here, clock, 'ada', async () => {
      laptop = (await here.login()).json['device_secret']
    })
    let phone = (await here.login({ otp: ada.nextCode() })).json['device_secret'] as string
    const owners = [...(await addOwners(here, stage, accounts)), { ...ada, username: 'ada' }]
    const guessed = owners.map((owner, n) => ({
      made: 0,
      compared: 0,
      guess: createGuesser([here, there][n % 2]!, owner, clock),
    }))

    async function guessOnce(one: (typeof guessed)[number]): Promise<void> {
      const { status, json, text } = await one.guess()
      if (status === 503) return // on a busy machine
      one.made++
      if (json['error'] === 'invalid_grant') one.compared++
      else assert.ok(status === 429 || json['error'] === 'invalid_session', text)
    }
    const codes = [...ada.recoveryCodes]
    let logins = 0
    async function ownerLogsIn(): Promise<void> {
      const recovery_code = codes.pop()
      if (recovery_code !== undefined) {
        const { status, json, text } = await here.login({ device_secret: laptop, recovery_code })
        assert.equal(status, 200, text)
        laptop = json['device_secret']
      }
      const fields = { device_secret: phone, otp: ada.nextCode() }
      const { status, json, text } = await here.login(fields)
      assert.equal(status, 200, text)
      phone = json['device_secret']
      logins++
    }

    // One of ten guesses is for Ada.
    const order = Array.from({ length: guesses }, (_, n) =>
      n % 10 === 0 ? guessed.at(-1)! : guessed[randomInt(accounts)]!,
    )
    let groups = 0
    await inGroups(order, guessOnce, async () => {
      if (groups++ % (isLong ? 100 : 4) === 0) await ownerLogsIn()
    })
    for (const { made, compared } of guessed) assert.ok(compared <= Math.min(made, 10))
    const limited = guessed.filter(({ made }) => made > 10)
    assert.ok(limited.length > accounts / 5, String(limited.length))
    const [compared] = [guessed.reduce((sum, one) => sum + one.compared, 0)]
    t.diagnostic(`${compared} of ${guesses} compared; the owner logged in ${logins} times`)
  })

  it('ten wrong codes a day stop codes from unknown devices, and never the owner', async () => {
    const clock = createTestClock()
    const running = await stage.start({ clock, secondFactor, rateLimits: 'on' })
    const ada = await enrol(running, clock)
    const owner = { ...ada, username: 'ada' }
    const first = await running.login({ otp: ada.nextCode() })
    const known = { device_secret: first.json['device_secret'] as string }
    const guess = createGuesser(running, owner, clock)
    const statuses: number[] = []
    for (let n = 0; n < 11; n++) statuses.push((await guess()).status)
    assert.deepEqual(statuses, [...Array.from({ length: 10 }, () => 400), 429])
    for (let days = 1; days < 10; days++) {
      clock.advance(day)
      for (let n = 0; n < 10; n++) assert.equal((await guess()).status, 400)
    }
    clock.advance(day)
    assert.equal((await running.login({ otp: ada.nextCode() })).status, 400)
    const [recovery_code = ''] = ada.recoveryCodes
    assert.equal((await running.login({ ...known, otp: ada.nextCode() })).status, 200)
    assert.equal((await running.login({ otp: ada.nextCode() })).status, 200)
    assert.equal((await running.login({ recovery_code })).status, 200)
  })

  it('a code that a limit refuses uses up no try of the login', async () => {
    const clock = createTestClock()
    const running = await stage.start({ clock, secondFactor, rateLimits: 'on' })
    const ada = await enrol(running, clock)
    const owner = { ...ada, username: 'ada' }
    const begin = async (): Promise<string> => (await running.login()).json['auth_session']
    const send = (auth_session: string, fields: Readonly<Record<string, string>>) =>
      running.send('POST', '/token', { form: { auth_session, ...fields } })
    const guess = async (auth_session: string): Promise<number> =>
      (await send(auth_session, { otp: wrongCodeOf(owner, clock) })).status
    const [first, second] = [await begin(), await begin()]
    for (let n = 0; n < 5; n++) assert.equal(await guess(first), 400)
    for (let n = 0; n < 4; n++) assert.equal(await guess(second), 400)
    assert.equal(await guess(await begin()), 400)

    for (let n = 0; n < 6; n++) assert.equal(await guess(second), 429)
    const [recovery_code = ''] = ada.recoveryCodes
    const { status, text } = await send(second, { recovery_code })
    assert.equal(status, 200, text)
  })

  /** Sends ten wrong codes, in two login attempts with the device secret. */
  const useUpDevice = async (
    running: TestKeystile,
    owner: Owner,
    device_secret: string,
    clock: TestClock,
  ): Promise<void> => {
    for (let n = 0; n < 2; n++) {
      const { auth_session } = (await running.login({ device_secret })).json
      for (let m = 0; m < 5; m++) {
        const form = { auth_session: String(auth_session), otp: wrongCodeOf(owner, clock) }
        assert.equal((await running.send('POST', '/token', { form })).status, 400)
      }
    }
  }

  /** Starts Keystile with a user whose device is known. */
  const startKnown = async () => {
    const clock = createTestClock()
    const running = await stage.start({ clock, secondFactor, rateLimits: 'on' })
    const ada = await enrol(running, clock)
    const owner = { ...ada, username: 'ada' }
    const { json } = await running.login({ otp: ada.nextCode() })
    clock.advance(day)
    return { clock, running, ada, owner, device_secret: String(json['device_secret']) }
  }

  it('wrong codes with a copy of the device secret do not stop the codes of the owner’s device', async () => {
    const { clock, running, ada, owner, device_secret } = await startKnown()
    await useUpDevice(running, owner, device_secret, clock)
    const countWrong = async (): Promise<unknown> =>
      (await stage.sql('select wrong_codes from authenticator_app'))[0]!['wrong_codes']
    assert.equal(await countWrong(), 0)

    // A further wrong code counts as one from an unknown device, for the stop too.
    const wrong = await running.login({ device_secret, otp: wrongCodeOf(owner, clock) })
    assert.deepEqual([wrong.status, await countWrong()], [400, 1])
    const right = await running.login({ device_secret, otp: ada.nextCode() })
    assert.equal(right.status, 200, right.text)
  })

  it('where unknown devices cannot use codes, a known device beyond its limit waits', async () => {
    const { clock, running, ada, owner, device_secret } = await startKnown()
    await stage.sql('update authenticator_app set wrong_codes = 100')
    await useUpDevice(running, owner, device_secret, clock)
    const logIn = async (): Promise<number> =>
      (await running.login({ device_secret, otp: ada.nextCode() })).status
    assert.equal(await logIn(), 429)
    clock.advance(day)
    assert.equal(await logIn(), 200)
  })

  it('wrong passwords with a copy of the device secret do not stop step-ups on the owner’s device', async () => {
    const clock = createTestClock()
    const running = await stage.start({ clock, secondFactor, rateLimits: 'on' })
    const ada = await enrol(running, clock)
    const { json } = await running.login({ otp: ada.nextCode() })
    const { access_token, device_secret } = json
    for (let n = 0; n < 10; n++) await running.login({ password: 'wrong', device_secret })
    const form = { access_token, device_secret, acr_values: 'mfa', otp: ada.nextCode() }
    const { status, text } = await running.send('POST', '/token', { form })
    assert.equal(status, 200, text)
  })

  it('without rate limits, wrong codes from a known device count for the stop', async () => {
    const clock = createTestClock()
    const options = { clock, secondFactor, rateLimits: 'off', rememberFactorDays: 30 } as const
    const running = await stage.start({ ...options, loginPages: 'on' })
    const ada = await enrol(running, clock)
    const { json } = await running.login({ otp: ada.nextCode() })
    const { access_token, device_secret } = json
    const stepUp = async (otp: string): Promise<number> => {
      const form = { access_token, acr_values: 'mfa', otp, device_secret }
      return (await running.send('POST', '/token', { form })).status
    }
    const wrong = { ...ada, username: 'ada' }
    for (let n = 0; n < 100; n++) assert.equal(await stepUp(wrongCodeOf(wrong, clock)), 400)
    assert.equal(await stepUp(ada.nextCode()), 400)
    const [app] = await stage.sql('select wrong_codes from authenticator_app')
    assert.equal(app?.['wrong_codes'], 101)
  })

  it('a device stays known if the user steps up on it and then sets a new password', async () => {
    const clock = createTestClock()
    const running = await stage.start({ clock, secondFactor, rateLimits: 'on' })
    const { send } = running
    const stepUp = async (form: Readonly<Record<string, string>>): Promise<Answer['json']> =>
      (await send('POST', '/token', { form: { ...form, acr_values: 'mfa' } })).json
    const { subject } = await running.tokens('ada')
    const known = (await running.login()).json
    const [secret = ''] = await giveApps(stage, [subject])
    const ada = { username: 'ada', secret }
    const step = { access_token: String(known['access_token']), otp: codeOf(ada, clock.now()) }
    assert.ok(!('device_secret' in (await stepUp(step))), 'an unknown device')

    clock.advance(30)
    const { device_secret } = known
    const { access_token } = (await running.login({ otp: codeOf(ada, clock.now()), device_secret }))
      .json
    clock.advance(30)
    const json = await stepUp({ access_token, otp: codeOf(ada, clock.now()), device_secret })
    const next = { current_password: password, new_password: 'another password of hers' }
    const bearer = json['access_token'] as string
    assert.equal((await send('POST', '/users/me/password', { bearer, json: next })).status, 204)
    for (let n = 0; n < 10; n++) await running.login({ password: 'wrong' })
    const login = { password: next.new_password, device_secret: json['device_secret'] }
    assert.equal((await running.login(login)).json['error'], 'insufficient_authorization')
  })

  const people = isLong ? 500 : 104
  it(`${people} people behind one address log in within ten minutes`, async () => {
    const clock = createTestClock()
    const running = await stage.start({
      clock,
      secondFactor,
      rateLimits: 'on',
      trustedProxies: ['127.0.0.1'],
    })
    const owners = await addOwners(running, stage, people)
    const office = { remoteAddress: '127.0.0.1', headers: { 'x-forwarded-for': '192.0.2.1' } }
    const send = (form: Readonly<Record<string, string>>): Promise<Answer> =>
      running.send('POST', '/token', { ...office, form })
    const startedAt = clock.now()
    const sessions = new Map<Owner, string>()

    // All of them are between two steps at the same time.
    await inGroups(
      owners,
      async (owner) => {
        const { status, json, text } = await until(async () => {
          const answer = await send({ username: owner.username, password })
          return answer.status !== 503 && answer
        })
        assert.equal(status, 403, text)
        sessions.set(owner, json['auth_session'])
      },
      () => {},
    )
    await inGroups(
      owners,
      async (owner) => {
        const form = { auth_session: sessions.get(owner)!, otp: codeOf(owner, clock.now()) }
        const { status, text } = await send(form)
        assert.equal(status, 200, text)
      },
      () => clock.advance(590 / Math.ceil(people / groupSize)),
    )
    assert.ok(clock.now() - startedAt <= 600_000)
  })

  const attempts = isLong ? 1_000 : 100
  it(`${attempts} attempts that prove nothing leave no row`, async () => {
    const running = await stage.start({ clock: createTestClock(), secondFactor })
    const owners = await addOwners(running, stage, 1)
    const made = 'x'.repeat(43)
    const forms = [
      { username: owners[0]!.username, password: 'not the password', otp: '000000' },
      { username: 'nobody', password },
      { auth_session: made, otp: '000000' },
      { auth_session: made, recovery_code: '0000-0000-0000-0000' },
    ]
    const numbers = Array.from({ length: attempts }, (_, n) => n)
    await inGroups(
      numbers,
      async (n) => {
        const { status } = await running.send('POST', '/token', { form: forms[n % forms.length]! })
        assert.equal(status, 400)
      },
      () => {},
    )
    assert.deepEqual(await stage.sql('select id from login_flow'), [])
    assert.deepEqual(await stage.sql('select id from session'), [])
  })
})

describeOnBoth('the mail about a wrong code', (stage) => {
  for (const rateLimits of ['on', 'off'] as const)
    it(`a wrong code from an unknown device causes one mail a day, with rateLimits ${rateLimits}`, async () => {
      const started = await startMails(stage, { secondFactor, rateLimits })
      const { clock, mails, settled, login, keystile } = started
      const ada = { username: 'ada', email: 'ada@example.com', password }
      await keystile.users?.create({ ...ada, emailVerified: true })
      // The notices of logins from new devices use up their share of the mailbox.
      clock.advance(3_600)
      for (let n = 0; n < 4; n++) assert.equal((await login()).status, 200)
      const enrolled = await enrol(started, clock)
      const owner = { ...enrolled, username: 'ada' }
      const told = async (fields: Readonly<Record<string, string>> = {}): Promise<number> => {
        const { status } = await login({ ...fields, otp: wrongCodeOf(owner, clock) })
        assert.equal(status, 400)
        await settled()
        return mails.filter(({ subject }) => subject.includes('wrong code was entered')).length
      }

      // A code that was right once is not a guess: perhaps its first answer was lost.
      const used = { otp: enrolled.nextCode() }
      assert.deepEqual([(await login(used)).status, (await login(used)).status], [200, 400])
      await settled()
      assert.ok(mails.every(({ subject }) => !subject.includes('wrong code was entered')))

      assert.deepEqual([await told(), await told()], [1, 1])
      assert.equal(mails.at(-1)?.to, 'ada@example.com')
      clock.advance(day - 60)
      assert.equal(await told(), 1)
      clock.advance(60)
      assert.deepEqual([await told(), await told()], [2, 2])

      if (rateLimits === 'off') return // without them, no device is known
      clock.advance(2 * day)
      const { json } = await login({ otp: enrolled.nextCode() })
      const known = { device_secret: json['device_secret'] as string }
      assert.equal(await told(known), 2)
      assert.equal(await told(), 3)
    })

  it('a wrong code in a session of the user causes the mail too', async () => {
    const started = await startMails(stage, { secondFactor })
    const { clock, mails, settled, send, keystile } = started
    const ada = { username: 'ada', email: 'ada@example.com', password }
    await keystile.users?.create({ ...ada, emailVerified: true })
    const owner = { ...(await enrol(started, clock)), username: 'ada' }
    const stepUp = { grant_type: 'password', access_token: owner.accessToken, acr_values: 'mfa' }
    const form = { ...stepUp, otp: wrongCodeOf(owner, clock) }
    assert.equal((await send('POST', '/token', { form })).status, 400)
    await settled()
    assert.match(mails.at(-1)?.subject ?? '', /wrong code was entered/)
    assert.match(mails.at(-1)?.text ?? '', /or on a device that is logged in to your account/)
  })
})

describeOnBoth(
  'a used recovery code',
  (stage) => {
    it('is in the audit record and in a mail, also on a known device of a new account', async () => {
      const started = await startMails(stage, { secondFactor, rateLimits: 'on' })
      const { clock, mails, settled, login, keystile } = started
      const ada = { username: 'ada', email: 'ada@example.com', password }
      await keystile.users?.create({ ...ada, emailVerified: true })
      const [one = '', two = '', three = ''] = (await enrol(started, clock)).recoveryCodes

      const first = await login({ recovery_code: one })
      const device_secret = first.json['device_secret'] as string
      const second = await login({ recovery_code: two, device_secret })
      const fields = { username: 'ada', password, recovery_code: three }
      const third = await exchange(started, await askForCode(started, fields))
      assert.deepEqual([first.status, second.status, third.status], [200, 200, 200])

      await settled()
      const subjects = mails.slice(-3).map(({ subject }) => subject)
      for (const subject of subjects) assert.match(subject, /^A recovery code .* was used$/)
      const logins = "select detail from audit where event = 'login' and detail is not null"
      const details = (await stage.sql(logins)).map(({ detail }) => detail)
      assert.deepEqual(details, Array(3).fill('{"factor":"recovery code"}'))
    })
  },
  bothDirectories,
)
