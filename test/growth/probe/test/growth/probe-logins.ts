// Runs in the copy of the source that has the new login method, front and grant, on both databases.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { decodeJwtUnsafe } from 'keystile/jwt'
import {
  createTestClock,
  describeOnBoth,
  password,
  type Answer,
  type Stage,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { startWithMailbox } from '../../packages/server/test-support/mailbox.ts'
import { openBrowser } from '../../packages/server/test-support/page-browser.ts'
import { enrol } from '../../packages/server/test-support/second-factor.ts'

type Fields = Readonly<Record<string, string>>

const credentials = { username: 'pia', password }

/** Starts Keystile with a user who needs a PIN. */
async function startWithPin({ start, sql }: Stage): Promise<TestKeystile> {
  const running = await start()
  await setPin(await running.addUser(pia), sql)
  return running
}

const pia = { username: 'pia', email: '4711@pin.example' }

async function setPin(subject: string, sql: Stage['sql']): Promise<void> {
  await sql(`insert into pin (subject, pin, created_at) values ('${subject}', '4711', 0)`)
}

async function subjectOf({ users }: TestKeystile): Promise<string> {
  const [user] = await users.listAfter('', 1)
  return user?.publicUser.id ?? ''
}

function assertAsksForPin({ status, json }: Answer): void {
  assert.deepEqual(
    [status, json['error'], json['methods']],
    [403, 'insufficient_authorization', ['pin']],
  )
}

function assertRefused({ status, json }: Answer, error = 'invalid_grant'): void {
  assert.deepEqual([status, json['error']], [400, error])
}

function assertHasPin({ status, json, text }: Answer): void {
  assert.equal(status, 200, text)
  const { amr, acr } = decodeJwtUnsafe(json['access_token']).claims
  assert.deepEqual([amr, acr], [['pwd', 'pin', 'mfa'], 'mfa'])
}

/** A way to log in, which asks for the PIN in two steps or in one. */
async function assertLogsIn(send: (fields: Fields) => Promise<Answer>): Promise<void> {
  const first = await send(credentials)
  assertAsksForPin(first)
  const next: Fields = { auth_session: first.json['auth_session'] }
  assertRefused(await send({ ...next, pin: '0000' }))
  assertHasPin(await send({ ...next, pin: '4711' }))
  assertRefused(await send({ ...next, pin: '4711' }), 'invalid_session')

  assertHasPin(await send({ ...credentials, pin: '4711' }))
  const wrong = await send({ ...credentials, pin: '0000' })
  assertRefused(wrong)
  assertHasPin(await send({ auth_session: wrong.json['auth_session'], pin: '4711' }))
}

describeOnBoth('the login method', (stage) => {
  it('POST /token asks for the new second step, and refuses a wrong one', async () => {
    const { send } = await startWithPin(stage)
    await assertLogsIn((fields) =>
      send('POST', '/token', { form: { grant_type: 'password', ...fields } }),
    )
  })

  it('the new second step is not asked for without the right password', async () => {
    const { login } = await startWithPin(stage)
    const wrong = { username: 'pia', password: 'a wrong password' }
    const [plain, withPin] = [await login(wrong), await login({ ...wrong, pin: '4711' })]
    assertRefused(plain)
    assert.equal(withPin.text, plain.text)
  })

  it('keystile.sessions.create asks for the new second step too', async () => {
    const running = await startWithPin(stage)
    const { keystile } = running
    const subject = await subjectOf(running)
    await assert.rejects(keystile.sessions.create({ subject }), { status: 403 })
    await keystile.sessions.create({ subject, amr: ['mfa'] })
  })

  it('a user who does not need the new second step logs in with the password', async () => {
    const { tokens } = await stage.start()
    assert.deepEqual(decodeJwtUnsafe((await tokens()).accessToken).claims['amr'], ['pwd'])
  })
})

describeOnBoth('the pages of a login that do not know the new second step', (stage) => {
  const elsewhere = /<h1[^>]*>The login needs another step/

  it('a person who has only the new second step reads that these pages cannot ask for it', async () => {
    const { send, addUser } = await stage.start({ loginPages: 'on' })
    await setPin(await addUser(pia), stage.sql)
    const browser = openBrowser({ send })
    await browser.open('/login')
    const { text, status } = await browser.submit(credentials)
    assert.equal(status, 200, text)
    assert.match(text, elsewhere)
    assert.match(text, /href="[^"]*\/login"[^>]*>Log in</)
    assert.doesNotMatch(text, /<input/)
  })

  it('a person who also has an app logs in with it, also if a form asks for another step', async () => {
    const clock = createTestClock()
    const running = await stage.start({ clock, loginPages: 'on', secondFactor: 'optional' })
    const { subject, nextCode } = await enrol(running, clock)
    await setPin(subject, stage.sql)
    const browser = openBrowser(running)
    await browser.open('/login')
    await browser.submit({ username: 'ada', password })
    await browser.submit({}, { button: ['show', 'pin'] })
    await browser.submit({ otp: nextCode() })
    assert.equal(browser.at(), '/account')

    // A session with a second step, of an account that has only the new one by now.
    await stage.sql('delete from authenticator_app')
    await stage.sql('delete from recovery_code')
    const { text } = await browser.open('/login/again')
    assert.match(text, elsewhere)
    assert.match(text, /href="[^"]*\/account"[^>]*>Back to your account</)
  })
})

describeOnBoth('the list of second factors', (stage) => {
  it('keystile.resetFactors removes the new second factor', async () => {
    const running = await startWithPin(stage)
    assertAsksForPin(await running.login(credentials))
    await running.keystile.resetFactors(await subjectOf(running))
    const { status, text } = await running.login(credentials)
    assert.equal(status, 200, text)
  })

  it('a user whose mailbox was not verified resets password and new second factor', async () => {
    const { send, addUser, mailTo, login } = await startWithMailbox(stage)
    await setPin(await addUser(pia), stage.sql)
    await send('POST', '/password-resets', { json: { login: 'pia' } })
    const { token } = await mailTo(pia.email)
    const json = { token, new_password: `${password} 2` }
    assert.equal((await send('POST', '/password-resets/confirm', { json })).status, 204)
    const { status, text } = await login({ username: 'pia', password: json.new_password })
    assert.equal(status, 200, text)
  })

  it('a change of the address from before the new second factor needs the factor', async () => {
    const { send, addUser, accessToken, mailTo } = await startWithMailbox(stage)
    const subject = await addUser(pia)
    await stage.sql('update "user" set email_verified_at = 1')
    const bearer = await accessToken('pia')
    const json = { current_password: password, new_email: 'new@example.com' }
    assert.equal((await send('POST', '/users/me/email', { bearer, json })).status, 202)
    const { token } = await mailTo('new@example.com')

    await setPin(subject, stage.sql)
    const confirmed = { json: { token, password } }
    const { status, text } = await send('POST', '/email-changes/confirm', confirmed)
    assert.equal(status, 403, text)
    assert.match(text, /The account needs a second factor/)
  })

  it('a user with the new second factor adds an app, also without a verified address', async () => {
    const { send, addUser, login } = await startWithMailbox(stage, { secondFactor: 'optional' })
    await setPin(await addUser(pia), stage.sql)
    const { json } = await login({ ...credentials, pin: '4711' })
    const bearer = json['access_token'] as string
    const { status, text } = await send('POST', '/users/me/factors/totp', { bearer })
    assert.equal(status, 200, text)
  })

  it('deleting a user erases the new second factor', async () => {
    const running = await startWithPin(stage)
    const user = await running.users.readBySubject(await subjectOf(running))
    assert.ok(user)
    assert.equal(await running.users.delete(user, { actor: 'app' }), 'deleted')
    assert.deepEqual(await stage.sql('select subject from pin'), [])
  })
})

describeOnBoth('the front', (stage) => {
  it('the new front logs in, and asks for the second step', async () => {
    const { send, document } = await startWithPin(stage)
    await assertLogsIn((json) => send('POST', '/probe-login', { json }))
    assert.ok(Object.hasOwn(document['paths'] as object, '/auth/probe-login'))
  })

  it('a login that began at the new front goes on only there', async () => {
    const { send } = await startWithPin(stage)
    const { json } = await send('POST', '/probe-login', { json: credentials })
    const next = { auth_session: json['auth_session'] as string, pin: '4711' }
    const form = { grant_type: 'password', ...next }
    assertRefused(await send('POST', '/token', { form }), 'invalid_session')
    assertHasPin(await send('POST', '/probe-login', { json: next }))
  })
})

describeOnBoth('the grant that logs in', (stage) => {
  it('the app itself logs people in with the new grant, and refreshes their sessions', async () => {
    const { send, tokens, refresh } = await startWithPin(stage)
    const grant_type = 'urn:example:probe-login'
    await assertLogsIn((fields) => send('POST', '/token', { form: { grant_type, ...fields } }))

    await tokens('ada')
    const form = { grant_type, username: 'ada', password }
    const { json } = await send('POST', '/token', { form })
    assert.equal((await refresh(json['refresh_token'])).status, 200)
  })
})
