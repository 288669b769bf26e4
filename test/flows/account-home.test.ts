// The page of an account, and the pages to which it leads, sent and answered as a browser does it.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import * as z from 'zod'
import {
  bothDirectories,
  describeOnBoth,
  password,
  type Stage,
} from '../../packages/server/test-support/keystile.ts'
import { startWithMailbox, type WithMailbox } from '../../packages/server/test-support/mailbox.ts'
import { openBrowser, type PageBrowser } from '../../packages/server/test-support/page-browser.ts'
import { appCode } from '../../packages/server/test-support/second-factor.ts'

const doneCookie = '__Host-keystile-done-7d2f30b8'
const newPassword = 'purple monkey dishwasher'
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

async function start(stage: Stage, options: object = {}): Promise<WithMailbox> {
  const given = { loginPages: 'on', secondFactor: 'optional', ...options }
  const running = await startWithMailbox(stage, given)
  await running.addUser()
  return running
}

/** Logs in, and returns the browser with the page of the account. */
async function enter(running: WithMailbox, username = 'ada'): Promise<PageBrowser> {
  const browser = openBrowser(running)
  await browser.open('/login')
  await browser.submit({ username, password })
  assert.equal(browser.at(), '/account')
  assert.equal(browser.shown().status, 200)
  return browser
}

/** Sets up an authenticator app. Returns its secret and the recovery codes. */
async function setUpApp(
  { clock }: WithMailbox,
  browser: PageBrowser,
): Promise<{ readonly secret: string; readonly codes: readonly string[] }> {
  await browser.open('/account/app')
  const { text } = await browser.submit()
  const secret = /secret=([A-Z2-7]+)/.exec(text)?.[1] ?? ''
  const { text: last } = await browser.submit({ code: appCode(secret, clock) })
  const codes = [...last.matchAll(/<li>([\w-]{10,})<\/li>/g)].map(([, code]) => code!)
  assert.equal(codes.length, 10, last)
  return { secret, codes }
}

/** Marks the address of `ada` as verified. */
const verifyAddress = (stage: Stage, { clock }: WithMailbox): Promise<unknown> =>
  stage.sql(`update "user" set email_verified_at = ${clock.now()}`)

/** The ids of the sections that the page has. */
const sectionsOf = (browser: PageBrowser): readonly (string | undefined)[] =>
  [...browser.shown().text.matchAll(/<section class="part" id="([\w-]+)"/g)].map(([, id]) => id)

const faultOf = (browser: PageBrowser): string =>
  /role="alert">(?:<svg[^]*?<\/svg> )?(?:<span>)?([^<]*(?:<span[^>]*>[^<]*)?)/
    .exec(browser.shown().text)?.[1]
    ?.replace(/<[^>]*>/, '') ?? ''
const noteOf = (browser: PageBrowser): string =>
  /role="status"><svg[^]*?<\/svg> <span>([^<]*)/.exec(browser.shown().text)?.[1] ?? ''

describeOnBoth('the page of an account', (stage) => {
  const openSessions = (): Promise<readonly Readonly<Record<string, unknown>>[]> =>
    stage.sql('select id from session where ended_at is null')

  it('the page of an account shows the address, the sign-in methods and the devices', async () => {
    const running = await start(stage)
    await running.login()
    running.clock.advance(180)
    const browser = await enter(running)
    assert.deepEqual(sectionsOf(browser), ['profile', 'sign-in', 'devices', 'delete'])
    const { text, headers } = browser.shown()
    for (const part of [/ada@<wbr>example\.com/, /Not confirmed/, /Not set up/, /This device/])
      assert.match(text, part)
    assert.match(text, /Last used: now</)
    assert.match(text, /Last used: 3 minutes ago</)
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.equal(headers.get('referrer-policy'), 'same-origin')
    assert.doesNotMatch(text, /<script/)
    // Without profile fields, there is no form for them.
    assert.doesNotMatch(text, /account\/profile/)
  })

  it('a browser that is not logged in is led to the login', async () => {
    const running = await start(stage)
    for (const path of ['/account', '/account/password', '/account/delete']) {
      const browser = openBrowser(running)
      await browser.open(path)
      assert.equal(browser.at(), '/login')
    }
  })

  it('a login leads to the page that the person wanted, once, and to no other site', async () => {
    const running = await start(stage)
    const browser = openBrowser(running)
    const logIn = (): Promise<unknown> => browser.submit({ username: 'ada', password })
    await browser.open('/account/password')
    await browser.submit({ username: 'ada', password: 'wrong' })
    await logIn()
    assert.equal(browser.at(), '/account/password')
    await browser.open('/logout')
    await browser.submit()
    await browser.open('/login')
    await logIn()
    assert.equal(browser.at(), '/account')

    // The last page that was opened counts.
    await running.keystile.sessions.revokeAll(
      String((await stage.sql('select id from "user"'))[0]!['id']),
    )
    await browser.open('/account/email')
    await browser.open('/account')
    await logIn()
    assert.equal(browser.at(), '/account')
    const other = openBrowser(running)
    for (const value of ['//evil.example', 'password?x', 'https:', '..', 'A']) {
      await other.open('/login')
      other.cookies.set('__Host-keystile-wanted-7d2f30b8', value)
      await other.submit({ username: 'ada', password })
      assert.equal(other.at(), '/account', value)
      await other.submit({}, { action: '/logout' })
    }
  })

  it('a login leads to no page that another site opened, and never to the deletion', async () => {
    const running = await start(stage)
    const opened: readonly (readonly [path: string, site: string | undefined, at: string])[] = [
      ['password', 'cross-site', '/account'],
      ['password', 'same-site', '/account'],
      ['password', 'same-origin', '/account/password'],
      ['password', 'none', '/account/password'],
      ['delete', 'none', '/account'],
      ['delete', undefined, '/account'],
    ]
    for (const [path, site, at] of opened) {
      const browser = openBrowser(running)
      const headers = site === undefined ? undefined : { headers: { 'sec-fetch-site': site } }
      assert.equal((await browser.request('GET', `/account/${path}`, headers)).status, 303)
      await browser.open('/login')
      await browser.submit({ username: 'ada', password })
      assert.equal(browser.at(), at, `${path} ${site}`)
    }
  })

  it('a person changes the profile, and a refused value is shown at its field', async () => {
    const profile = z.strictObject({
      city: z.string().min(2),
      size: z.int().optional(),
      nick: z.string().optional(),
    })
    const running = await startWithMailbox(stage, { loginPages: 'on', profile })
    await running.register({ city: 'Paris <1>', size: 4, nick: 'a' })
    const browser = await enter(running)
    assert.match(browser.shown().text, /value="Paris &#60;1&#62;"/)

    await browser.submit({ city: 'L', size: '5' }, { action: '/profile' })
    assert.equal(browser.shown().status, 422)
    assert.match(browser.shown().text, /<title>Error: /)
    assert.match(browser.shown().text, /id="city-fault" role="alert"/)
    assert.match(browser.shown().text, /value="5"/)

    await browser.submit({ city: 'London', size: '5' }, { action: '/profile' })
    assert.equal(noteOf(browser), 'Your profile is saved.')
    const { json } = await running.send('GET', '/users/me', {
      bearer: await running.accessToken(),
    })
    // The field `nick` was empty in the form.
    assert.deepEqual([json['city'], json['size'], json['nick']], ['London', 5, ''])

    await browser.submit({ city: 'London' }, { action: '/profile' })
    assert.match(browser.shown().text, /id="size-fault"/)
  })

  it('without mails, a person changes the address with the password', async () => {
    const running = await start(stage, { mail: undefined })
    await running.register({ username: 'bob', email: 'bob@example.com' })
    const browser = await enter(running)
    await browser.open('/account/email')
    const change = (new_email: string, current_password = password): Promise<unknown> =>
      browser.submit({ new_email, current_password })

    for (const [address, word, status, field, fault] of [
      ['ada@example.org', 'wrong', 403, 'current_password', /The password is wrong/],
      ['ada', password, 422, 'new_email', /This is not an e-mail address/],
      ['bob@example.com', password, 409, 'new_email', /belongs to another account/],
    ] as const) {
      await change(address, word)
      assert.equal(browser.shown().status, status)
      assert.match(browser.shown().text, new RegExp(`id="${field}-fault"`))
      assert.match(faultOf(browser), fault)
      assert.match(browser.shown().text, new RegExp(`value="${address}"`))
      assert.ok(!browser.shown().text.includes(password))
    }

    await change('ada@example.org')
    assert.equal(noteOf(browser), 'Your e-mail address is changed.')
    assert.match(browser.shown().text, /ada@<wbr>example\.org/)
  })

  it('a person confirms a new address with the code of the mail', async () => {
    const running = await start(stage, { emailVerification: 'optional' })
    const browser = await enter(running)
    await browser.open('/account/email')
    await browser.submit({ new_email: 'ada@example.org', current_password: password })
    const { code } = await running.mailTo('ada@example.org')
    assert.match(browser.shown().text, /class="emblem"[^]*on its way to ada@example\.org/)

    // The change is not lost if the person leaves the page.
    await browser.open('/account')
    assert.match(browser.shown().text, /ada@<wbr>example\.org <span class="tag care">Waits/)
    await browser.open('/account/email')
    assert.match(browser.shown().text, /on its way to ada@example\.org/)

    await browser.submit({ code: '0000 0000' })
    assert.equal(browser.shown().status, 403)
    assert.match(faultOf(browser), /The code is wrong/)
    assert.match(browser.shown().text, /on its way to ada@example\.org/)
    await browser.submit({ code })
    assert.equal(browser.at(), '/account')
    assert.match(browser.shown().text, /ada@<wbr>example\.org <span class="tag done">Confirmed/)
    assert.doesNotMatch(browser.shown().text, /Waits for/)
  })

  it('a change that waits for its code gives way to another one, and to a new password', async () => {
    const running = await start(stage)
    await verifyAddress(stage, running)
    const browser = await enter(running)
    const ask = async (new_email: string): Promise<void> => {
      await browser.open('/account/email')
      await browser.submit({ new_email, current_password: password })
      await browser.open('/account')
      assert.match(browser.shown().text, /Waits for confirmation/)
    }
    await ask('ada@example.org')
    await browser.open('/account/email')
    await browser.submit({}, { isLast: true, button: ['begin', '1'] })
    assert.match(browser.shown().text, /name="new_email" required/)
    await ask('ada@example.net')
    assert.match(browser.shown().text, /ada@<wbr>example\.net/)

    const copy = await enter(running)
    for (const [name, value] of browser.cookies)
      if (name.includes('-address-')) copy.cookies.set(name, value)
    await copy.open('/account')
    assert.doesNotMatch(copy.shown().text, /Waits for/)

    await browser.open('/account/password')
    await browser.submit({ current_password: password, new_password: newPassword })
    assert.doesNotMatch(browser.shown().text, /Waits for/)
    await browser.open('/account/email')
    assert.match(browser.shown().text, /name="new_email" required/)
  })

  it('a person with an app confirms a new address with the link of the mail, logged in', async () => {
    const running = await start(stage)
    await verifyAddress(stage, running)
    await running.addUser({ username: 'bob', email: 'bob@example.com' })
    const browser = await enter(running)
    await setUpApp(running, browser)
    await browser.open('/account/email')
    await browser.submit({ new_email: 'ada@example.org', current_password: password })
    const { token } = await running.mailTo('ada@example.org')
    const address = async (): Promise<unknown> =>
      (await stage.sql(`select email from "user" where username = 'ada'`))[0]?.['email']

    const form = { token, password }
    const { text, status } = await browser.request('POST', '/account/confirm-email-change', {
      form,
    })
    assert.equal(status, 403)
    const [, href = ''] = /authenticator app. <a href="([^"]+)">/.exec(text) ?? []
    const path = `/account/new-address?token=${token}`
    assert.ok(href.endsWith(path), href)

    const stranger = openBrowser(running)
    await stranger.open(path)
    assert.equal(stranger.at(), '/login')
    const bob = await enter(running, 'bob')
    await bob.open(path)
    assert.equal(bob.shown().status, 403)
    assert.match(bob.shown().text, /for another account/)
    assert.doesNotMatch(bob.shown().text, /<form|example\.org/)
    const forged = await bob.request('POST', '/account/new-address', {
      headers: { origin: own },
      form: { token },
    })
    assert.equal(forged.status, 403)
    assert.equal(await address(), 'ada@example.com')

    await browser.open(path)
    // Its forms send their origin, so the address of the page has no token any more.
    assert.equal(browser.at(), '/account/new-address')
    assert.match(browser.shown().text, /Account: <\/span>ada/)
    assert.match(browser.shown().text, /the address ada@example\.org\./)
    await browser.submit()
    assert.equal(browser.at(), '/account')
    assert.equal(noteOf(browser), 'Your e-mail address is changed.')
    assert.equal(await address(), 'ada@example.org')

    for (const used of [path, '/account/new-address']) {
      await browser.open(used)
      assert.equal(browser.shown().status, 403)
      assert.match(browser.shown().text, /This link was used/)
    }
  })

  it('a link for a new address that the person opens logged in names it, and asks no password', async () => {
    const running = await start(stage, { emailVerification: 'optional' })
    await running.addUser({ username: 'bob', email: 'bob@example.com' })
    const browser = await enter(running)
    await browser.open('/account/email')
    await browser.submit({ new_email: 'ada@example.org', current_password: password })
    const { token } = await running.mailTo('ada@example.org')
    const link = `/account/confirm-email-change?token=${token}`

    // Another user, and a browser without a login, can only use the password of the account.
    for (const other of [await enter(running, 'bob'), openBrowser(running)]) {
      const isIn = other.at() === '/account'
      await other.open(link)
      assert.equal(other.at(), link)
      const back = isIn ? /Back to your account/ : /Back to log in/
      assert.match(other.shown().text, back)
      assert.doesNotMatch(other.shown().text, /ada@/)
      const sent = { form: { token, password: 'wrong' } }
      const refused = await other.request('POST', '/account/confirm-email-change', sent)
      assert.equal(refused.status, 403)
      assert.match(refused.text, back)
    }

    await browser.open(link)
    assert.equal(browser.at(), '/account/new-address')
    assert.match(browser.shown().text, /class="emblem"[^]*the address ada@example\.org\./)
    assert.match(browser.shown().text, /Back to your account/)
    assert.doesNotMatch(browser.shown().text, /type="password"|Back to log in/)
    await browser.submit()
    assert.equal(noteOf(browser), 'Your e-mail address is changed.')
    // The link does not work any more.
    await browser.open(link)
    assert.match(browser.shown().text, /does not work any more/)
  })

  it('a person gets another mail, and confirms the address with its code', async () => {
    const running = await start(stage, { emailVerification: 'optional' })
    const browser = await enter(running)
    await running.settled()
    await browser.open('/account/verification')
    await browser.submit()
    const { code } = await running.mailTo('ada@example.com')
    assert.match(browser.shown().text, /on its way to ada@example\.com/)
    await browser.submit({ code: '1' })
    assert.match(faultOf(browser), /The code is wrong/)
    assert.match(browser.shown().text, /on its way to ada@example\.com/)
    await browser.submit({ code })
    assert.equal(noteOf(browser), 'Your e-mail address is confirmed.')
    assert.doesNotMatch(browser.shown().text, /account\/verification/)

    // A page from before leads back.
    await browser.open('/account/verification')
    await browser.submit()
    assert.equal(browser.at(), '/account')
  })

  it('a person changes the password, and all other sessions end', async () => {
    const running = await start(stage)
    const [browser, other] = [await enter(running), await enter(running)]
    await browser.open('/account/password')
    for (const [current_password, new_password, status, field, fault] of [
      ['wrong', newPassword, 403, 'current_password', /The password is wrong/],
      [password, 'short', 422, 'new_password', /at least 15 characters/],
      [password, '', 422, 'new_password', /at least 15 characters/],
    ] as const) {
      await browser.submit({ current_password, new_password })
      assert.equal(browser.shown().status, status)
      assert.match(browser.shown().text, new RegExp(`id="${field}-fault"`))
      assert.match(faultOf(browser), fault)
    }

    await browser.submit({ current_password: password, new_password: newPassword })
    assert.equal(noteOf(browser), 'Your password is changed. Your other devices are logged out.')
    await other.open('/account')
    assert.equal(other.at(), '/login')
    assert.equal((await running.login({ password: newPassword })).status, 200)
  })

  it('an app can only be set up after the address is verified', async () => {
    const running = await start(stage)
    const browser = await enter(running)
    await browser.open('/account/app')
    await browser.submit()
    assert.equal(browser.shown().status, 403)
    assert.match(faultOf(browser), /Confirm your e-mail address first/)
  })

  it('after an app is set up, the browser stays logged in with the factor, and may change all', async () => {
    const running = await start(stage)
    await verifyAddress(stage, running)
    const browser = await enter(running)
    running.clock.advance(60)
    const before = await stage.sql('select * from session')
    const copy = openBrowser(running)
    for (const [name, value] of browser.cookies) copy.cookies.set(name, value)
    const { secret } = await setUpApp(running, browser)
    for (const path of ['', '/password', '/email', '/delete', '/remove-app', '/recovery-codes']) {
      await browser.open(`/account${path}`)
      assert.equal(browser.at(), `/account${path}`)
      // A thief's copy of the cookie from before is worthless.
      await copy.open(`/account${path}`)
      assert.equal(copy.at(), '/login', path)
    }
    const [session, ...others] = await stage.sql('select * from session where ended_at is null')
    assert.deepEqual(others, [])
    assert.equal(session?.['amr'], '["pwd","otp","mfa"]')
    for (const name of ['authenticated_at', 'expires_at'])
      assert.equal(session[name], before[0]?.[name], name)

    // The login is not younger than its password.
    running.clock.advance(241)
    await browser.open('/account/delete')
    assert.equal(browser.at(), '/login/again?to=delete')
    assert.match(browser.shown().text, /name="password"/)
    await browser.submit({ password })
    await browser.submit({ otp: appCode(secret, running.clock) })
    assert.equal(browser.at(), '/account/delete')
    assert.match(browser.shown().text, /the list of your devices will be erased/)

    await browser.open('/account/email')
    await browser.submit({ new_email: 'ada@example.org', current_password: password })
    const { code } = await running.mailTo('ada@example.org')
    await browser.submit({ code })
    assert.equal(browser.at(), '/account')
    await browser.open('/account/password')
    await browser.submit({ current_password: password, new_password: newPassword })
    assert.equal(browser.at(), '/account')
    await browser.open('/account/delete')
    assert.match(browser.shown().text, /your user name cannot be used again/)
    await browser.submit()
    assert.match(browser.shown().text, /Your account is deleted/)
  })

  it('a user whose role demands an app is not offered to remove it', async () => {
    const roles = { editor: [] }
    const running = await start(stage, { roles, secondFactorRoles: ['editor'] })
    await verifyAddress(stage, running)
    const browser = await enter(running)
    await setUpApp(running, browser)
    await browser.open('/account')
    assert.match(browser.shown().text, /remove-app/)
    await stage.sql(`update "user" set roles = '["editor"]'`)
    await browser.open('/account')
    assert.doesNotMatch(browser.shown().text, /remove-app/)
    await browser.open('/account/remove-app')
    assert.match(browser.shown().text, /must have an authenticator app/)
    assert.doesNotMatch(browser.shown().text, /<form/)
  })

  it('without the setting loginPages, there is no page of an account', async () => {
    const { send } = await stage.start()
    for (const path of ['/account', '/account/password', '/account/delete'])
      assert.equal((await send('GET', path)).status, 404)
  })

  it('the account is deleted after a recent login, and the browser is logged out', async () => {
    const running = await start(stage)
    const browser = await enter(running)
    running.clock.advance(301)
    await browser.open('/account/delete')
    assert.equal(browser.at(), '/login/again?to=delete')
    await browser.submit({ password })
    assert.match(browser.at(), /^\/account\b.*delete$/)
    await browser.open('/account/delete')
    assert.match(browser.shown().text, /This cannot be undone/)
    running.clock.advance(301)
    await browser.request('POST', '/account/delete', { headers: { origin: own }, form: { a: 'b' } })
    assert.equal((await running.login()).status, 200)

    const recent = await enter(running)
    await recent.open('/account/delete')
    await recent.submit()
    assert.match(recent.shown().text, /Your account is deleted/)
    assert.equal(recent.shown().headers.get('clear-site-data'), '"cache"')
    assert.equal((await running.login()).status, 400)
    assert.ok(![...recent.cookies.keys()].some((name) => name.includes('login')))
    await recent.open('/account')
    assert.equal(recent.at(), '/login')
  })

  it('a login at a server whose clock was ahead does not count as recent', async () => {
    const running = await start(stage)
    const browser = await enter(running)
    running.clock.advance(-6)
    await browser.open('/account/delete')
    assert.equal(browser.at(), '/login/again?to=delete')
    running.clock.advance(1)
    await browser.open('/account/delete')
    assert.equal(browser.at(), '/account/delete')
  })

  it('a deletion that the history keeps does not delete the account of the next person', async () => {
    const running = await start(stage)
    await running.addUser({ username: 'eve', email: 'eve@example.com' })
    const browser = await enter(running)
    await browser.open('/account/delete')
    await browser.submit()
    const again = browser.keepForm()
    await browser.open('/login')
    await browser.submit({ username: 'eve', password })
    await again()
    assert.equal(browser.at(), '/account')
    assert.equal((await running.login({ username: 'eve' })).status, 200)
  })

  it('the last administrator reads why the account is not deleted', async () => {
    const running = await start(stage)
    await stage.sql(`update "user" set roles = '["admin"]'`)
    const browser = await enter(running)
    await browser.open('/account/delete')
    await browser.submit()
    assert.equal(browser.shown().status, 409)
    assert.match(faultOf(browser), /last administrator/)
  })

  it('a disabled user sees nothing any more, on any instance', async () => {
    const running = await start(stage)
    const browser = await enter(running)
    const another = await stage.start({ loginPages: 'on', clock: running.clock })
    const there = openBrowser(another)
    for (const [name, value] of browser.cookies) there.cookies.set(name, value)
    await there.open('/account')
    assert.equal(there.at(), '/account')

    const [{ id } = {}] = await stage.sql('select id from "user"')
    await running.disable(String(id))
    for (const one of [browser, there])
      for (const path of ['/account', '/account/password']) {
        await one.open(path)
        assert.equal(one.at(), '/login')
      }
  })

  it('a new password, and a log-out everywhere, end the page on another instance', async () => {
    const running = await start(stage)
    const another = await stage.start({ loginPages: 'on', clock: running.clock })
    const bearer = await running.accessToken()
    const json = { current_password: password, new_password: newPassword }

    for (const [word, end] of [
      [password, () => running.send('POST', '/users/me/password', { bearer, json })],
      [newPassword, () => running.send('DELETE', '/users/me/sessions', { bearer })],
    ] as const) {
      const browser = openBrowser(another)
      await browser.open('/login')
      await browser.submit({ username: 'ada', password: word })
      assert.equal(browser.at(), '/account')
      assert.equal((await end()).status, 204)
      await browser.open('/account')
      assert.equal(browser.at(), '/login')
      await browser.request('POST', '/account/profile', { headers: { origin: own }, form: {} })
    }
    assert.equal((await openSessions()).length, 0)
  })
})

const own = 'http://localhost:3000'

describeOnBoth(
  'the page of an account, for every kind of users',
  (stage) => {
    const startVerified = async (options: object = {}): Promise<WithMailbox> => {
      const running = await start(stage, options)
      if (!isPeople()) await verifyAddress(stage, running)
      return running
    }
    /** Whether the users are in the app's own table. */
    function isPeople(): boolean {
      try {
        return Boolean(stage.people)
      } catch {
        return false
      }
    }
    const openSessions = async (): Promise<readonly string[]> =>
      (await stage.sql('select id from session where ended_at is null')).map(({ id }) => String(id))

    it('an app’s own users have only sign-in methods and devices', async () => {
      const browser = await enter(await startVerified())
      const all = ['profile', 'sign-in', 'devices', 'delete']
      assert.deepEqual(sectionsOf(browser), isPeople() ? ['sign-in', 'devices'] : all)
      for (const name of ['password', 'email', 'delete', 'profile']) {
        const { status } = await browser.request('GET', `/account/${name}`)
        assert.equal(status, isPeople() ? 404 : 200, name)
      }
    })

    it('a person sets up an app, makes new recovery codes, and removes the app', async () => {
      const running = await startVerified()
      const { clock } = running
      const browser = await enter(running)
      const other = await enter(running)
      await browser.open('/account/app')
      assert.match(browser.shown().text, /Your other devices will be logged out/)
      const { text } = await browser.submit()
      const secret = /secret=([A-Z2-7]+)/.exec(text)?.[1] ?? ''
      assert.match(text, /<svg/)

      await browser.submit({ code: '000000' })
      assert.equal(browser.shown().status, 403)
      assert.match(faultOf(browser), /This code is wrong/)
      assert.match(browser.shown().text, /<svg class="qr"/)
      assert.equal(browser.shown().text.match(/secret=([A-Z2-7]+)/)?.[1], secret)
      await browser.submit({ code: appCode(secret, clock).replace(/^.../, '$& ') })
      assert.match(browser.shown().text, /Save your recovery codes/)
      await other.open('/account')
      assert.equal(other.at(), '/login')

      await browser.open('/account')
      assert.match(noteOf(browser), /^The authenticator app is set up\./)
      // The box of the page with the codes was not ticked.
      const unsaved = /without ticking that you saved them/
      assert.match(browser.shown().text, unsaved)
      assert.match(browser.shown().text, /10 codes left\. Made on \d+ \w+ 2026/)
      await browser.open('/account')
      assert.equal(noteOf(browser), '')
      assert.equal((await openSessions()).length, 1)

      await browser.open('/account/recovery-codes')
      const { text: made } = await browser.submit()
      const codes = [...made.matchAll(/<li>([\w-]{10,})<\/li>/g)].map(([, code]) => code)
      assert.equal(codes.length, 10)
      const [, name, file = ''] = /download="([^"]*)" href="data:[^,]*,([^"]*)"/.exec(made) ?? []
      assert.match(name ?? '', /^localhost-3000-Recovery-codes-\d{4}-\d\d-\d\d-\d{4}\.txt$/)
      const [service, account, day, once, space, ...listed] = decodeURIComponent(file).split('\n')
      assert.equal(service, 'localhost:3000: Recovery codes')
      assert.match(account ?? '', /^Account: ada/)
      assert.match(day ?? '', /^\d+ [A-Z][a-z]+ \d{4} at \d\d:\d\d UTC$/)
      assert.deepEqual([once, space, listed], ['Each code works once.', '', [...codes, '']])
      assert.ok(made.includes(`<p class="paper">${account}, ${day}</p>`))

      await browser.open('/account?saved=on')
      assert.match(noteOf(browser), /^You have new recovery codes\./)
      assert.doesNotMatch(browser.shown().text, unsaved)

      await browser.open('/account/remove-app')
      await browser.submit()
      assert.equal(browser.at(), '/account')
      assert.match(noteOf(browser), /^The authenticator app is removed\./)
      assert.match(browser.shown().text, /Not set up/)
      assert.equal((await running.login()).status, 200)
    })

    it('after the app is removed, Back and another tab say that there is none', async () => {
      const running = await startVerified()
      const browser = await enter(running)
      await setUpApp(running, browser)
      await browser.open('/account/app')
      assert.match(browser.shown().text, /<h1[^>]*>Replace your authenticator app</)
      await browser.open('/account/recovery-codes')
      const codes = /name="form_token" value="([^"]+)"/.exec(browser.shown().text)?.[1] ?? ''
      await browser.open('/account/remove-app')
      await browser.submit()
      const late = browser.keepForm()
      const none = /<h1[^>]*>There is no authenticator app</
      assert.match((await late()).text, none)
      for (const name of ['remove-app', 'recovery-codes']) {
        const { text } = await browser.open(`/account/${name}`)
        assert.match(text, none)
        assert.doesNotMatch(text, /<form/)
        assert.match(text, /href="\/auth\/account">Back to your account/)
        const form = { form_token: codes }
        const sent = { headers: { origin: own }, form }
        assert.match((await browser.request('POST', `/account/${name}`, sent)).text, none)
      }
      await browser.open('/account/app')
      assert.match(browser.shown().text, /<h1[^>]*>Set up your authenticator app</)
    })

    it('new recovery codes still work after their page was loaded again', async () => {
      const running = await startVerified()
      const browser = await enter(running)
      await setUpApp(running, browser)
      await browser.open('/account/recovery-codes')
      const { text } = await browser.submit()
      const [, code = ''] = /<li>([\w-]{10,})<\/li>/.exec(text) ?? []
      await browser.keepForm()()
      assert.equal(browser.at(), '/account')
      assert.match(noteOf(browser), /^You have new recovery codes\./)

      const another = openBrowser(running)
      await another.open('/login')
      await another.submit({ username: 'ada', password })
      await another.submit({ recovery_code: code })
      assert.equal(another.at(), '/account')
    })

    it('an app is set up and removed only after a recent login', async () => {
      const running = await startVerified()
      const browser = await enter(running)
      await browser.open('/account/app')
      running.clock.advance(301)
      await browser.submit()
      assert.equal(browser.at(), '/login/again?to=sign-in')
      for (const name of ['app', 'remove-app', 'recovery-codes']) {
        await browser.open(`/account/${name}`)
        assert.equal(browser.at(), '/login/again?to=sign-in', name)
      }
      assert.match(
        browser.shown().text,
        /forgot-password">Forgot your password\?<\/a><a href="\/auth\/account">Back to your account/,
      )
      await browser.submit({ password: 'wrong' })
      assert.match(browser.shown().text, /class="fault"[^>]*>The password is wrong\.</)
      // After the password, the person is where they wanted to be.
      await browser.open('/account/app')
      await browser.submit({ password })
      assert.equal(browser.at(), '/account/app')
      assert.deepEqual(await stage.sql('select * from authenticator_app'), [])

      // But another site does not choose where.
      running.clock.advance(301)
      await browser.open('/account/app')
      const headers = { 'sec-fetch-site': 'cross-site' }
      assert.equal((await browser.request('GET', '/account/app', { headers })).status, 303)
      await browser.open('/login/again?to=sign-in')
      await browser.submit({ password })
      assert.equal(browser.at(), '/account#sign-in')
    })

    it('a code without an app that waits for it leads to the beginning', async () => {
      const running = await startVerified()
      const browser = await enter(running)
      await browser.open('/account/app')
      await browser.submit({ secret: 'A'.repeat(32), code: '123456' })
      assert.equal(browser.shown().status, 409)
      assert.match(faultOf(browser), /Begin again/)
    })

    it('a reload, another tab and the way back show the secret that the app already has', async () => {
      const running = await startVerified()
      const browser = await enter(running)
      const copy = openBrowser(running)
      for (const [name, value] of browser.cookies) copy.cookies.set(name, value)
      const secretIn = ({ text }: { text: string }): string =>
        /secret=([A-Z2-7]+)/.exec(text)?.[1] ?? 'none'
      const begin = async (): Promise<string> => {
        await browser.open('/account/app')
        return secretIn(await browser.submit())
      }
      const secret = await begin()
      assert.equal(browser.at(), '/account/app')
      const again = browser.keepForm()
      assert.equal(secretIn(await again()), secret)
      // The page may be opened for as long as its code may be sent.
      running.clock.advance(600)
      assert.equal(secretIn(await browser.open('/account/app')), secret)

      // Neither a thief with the cookie of the login nor the next login can see it.
      copy.cookies.set('__Host-keystile-app-7d2f30b8', 'x')
      assert.equal((await copy.request('GET', '/account/app')).status, 303)
      running.clock.advance(-600)
      assert.equal(secretIn(await copy.open('/account/app')), 'none')
      const next = await enter(running)
      for (const [name, value] of browser.cookies)
        if (name.includes('-app-')) next.cookies.set(name, value)
      assert.equal(secretIn(await next.open('/account/app')), 'none')

      await browser.submit({ code: appCode(secret, running.clock) })
      assert.match(browser.shown().text, /Save your recovery codes/)
      assert.equal(secretIn(await browser.open('/account/app')), 'none')
    })

    it('a code of the picture from before “Begin again” is refused with the reason', async () => {
      const running = await startVerified()
      const browser = await enter(running)
      await browser.open('/account/app')
      await browser.submit()
      const secretShown = (): string =>
        /secret=([A-Z2-7]+)/.exec(browser.shown().text)?.[1] ?? 'none'
      const first = secretShown()
      await browser.submit({ code: '000000' })
      assert.match(faultOf(browser), /Try the next one/)
      await browser.submit({}, { action: '/account/app', button: ['begin', '1'], isLast: true })
      const second = secretShown()
      assert.notEqual(second, first)

      // The other tab still shows the first picture.
      await browser.submit({ secret: first, code: appCode(first, running.clock) })
      assert.equal(browser.shown().status, 403)
      assert.match(faultOf(browser), /^You have begun again on another page/)
      assert.equal(secretShown(), second)
      const tab = browser.keepForm()
      await browser.submit({ code: appCode(second, running.clock) })
      assert.match(browser.shown().text, /Save your recovery codes/)
      await tab()
      assert.match(browser.shown().text, /<h1[^>]*>The app is set up</)
      assert.match(browser.shown().text, /delete other entries of this name/)
    })

    it('a page shows only a secret of an app', async () => {
      const running = await startVerified()
      const browser = await enter(running)
      await browser.open('/account/app')
      await browser.submit()
      browser.cookies.delete('__Host-keystile-app-7d2f30b8')
      for (const secret of ['"><b>', 'A'.repeat(31), 'a'.repeat(32)]) {
        await browser.submit({ secret, code: '000000' })
        assert.equal(browser.shown().status, 403)
        assert.doesNotMatch(browser.shown().text, /class="qr"|<b>|A{31}|a{32}/)
      }
    })

    it('a person may need ten minutes for the app, and a code that is sent twice loses nothing', async () => {
      const running = await startVerified()
      const { clock } = running
      const browser = await enter(running)
      await browser.open('/account/app')
      const { text } = await browser.submit()
      const secret = /secret=([A-Z2-7]+)/.exec(text)?.[1] ?? ''
      clock.advance(600)
      const form = { secret, code: appCode(secret, clock) }
      await browser.submit({ code: form.code })
      assert.match(browser.shown().text, /Save your recovery codes/)

      const headers = { origin: own }
      const again = await browser.request('POST', '/account/app', { headers, form })
      assert.equal(again.status, 200)
      assert.match(again.text, /<h1[^>]*>The app is set up</)
      assert.match(again.text, /href="\/auth\/account\/recovery-codes"/)
    })

    it('the set-up of an app that began a quarter of an hour after the login needs a new one', async () => {
      const running = await startVerified()
      const browser = await enter(running)
      running.clock.advance(299)
      await browser.open('/account/app')
      const { text } = await browser.submit()
      const secret = /secret=([A-Z2-7]+)/.exec(text)?.[1] ?? ''
      running.clock.advance(602)
      await browser.submit({ code: appCode(secret, running.clock) })
      assert.equal(browser.at(), '/login/again?to=sign-in')
    })

    it('where an app is required, the page says so and offers another app', async () => {
      const running = await startVerified({ passwordMinLength: 15 })
      const browser = await enter(running)
      const { secret } = await setUpApp(running, browser)
      const strict = await stage.start({
        loginPages: 'on',
        secondFactor: 'required',
        clock: running.clock,
      })
      running.clock.advance(30)
      const there = openBrowser(strict)
      await there.open('/login')
      await there.submit({ username: 'ada', password })
      await there.submit({ otp: appCode(secret, running.clock) })
      await there.open('/account')
      assert.doesNotMatch(there.shown().text, /remove-app/)
      await there.open('/account/remove-app')
      assert.match(there.shown().text, /must have an authenticator app/)
      assert.doesNotMatch(there.shown().text, /<form/)
      const headers = { origin: own }
      const { status } = await there.request('POST', '/account/remove-app', { headers, form: {} })
      assert.equal(status, 409)

      await there.open('/account/app')
      assert.match(there.shown().text, /will replace the old one/)
      await there.submit()
      assert.match(there.shown().text, /secret=[A-Z2-7]+/)
    })

    it('with second factors off, the page does not offer an app', async () => {
      const browser = await enter(await startVerified({ secondFactor: 'off' }))
      assert.doesNotMatch(browser.shown().text, /account\/app/)
      assert.equal((await browser.request('GET', '/account/app')).status, 404)
    })

    it('a person ends one device, and then all others', async () => {
      const running = await startVerified()
      const headless = `${firefox.split('Gecko')[0]} HeadlessChrome/140.0.0.0`
      for (const agent of [firefox, headless, '<b>curl/8', 'x'.repeat(61), firefox])
        await running.send('POST', '/token', {
          form: { username: 'ada', password },
          headers: { 'user-agent': agent },
        })
      const browser = await enter(running)
      const { text } = browser.shown()
      assert.equal(text.match(/Firefox on Linux<\/h3>/g)?.length, 2)
      assert.match(text, /<h3>Unknown browser on Linux<\/h3>/)
      assert.match(text, /<h3>&#60;b&#62;curl\/8<\/h3>/)
      assert.match(text, /<h3>Unknown device<\/h3>/)
      assert.equal(text.match(/name="id"/g)?.length, 5)
      assert.match(text, /<h3>Unknown device <span class="tag own">This device/)

      await browser.submit({}, { action: '/devices' })
      assert.equal(noteOf(browser), 'The device is logged out.')
      assert.equal((await openSessions()).length, 5)

      await browser.open('/account/other-devices')
      await browser.submit()
      assert.equal(noteOf(browser), 'All other devices are logged out.')
      assert.equal((await openSessions()).length, 1)
      assert.doesNotMatch(browser.shown().text, /account\/other-devices/)
    })

    it('a person cannot end the session of another user', async () => {
      const running = await startVerified()
      await running.addUser({ username: 'bob', email: 'bob@example.com' })
      const { sessionId } = await running.tokens('carl')
      const browser = await enter(running)
      const before = await openSessions()
      for (const id of [sessionId, '', 'nothing', '%00']) {
        await browser.request('POST', '/account/devices', {
          headers: { origin: own },
          form: { id },
        })
        assert.deepEqual(await openSessions(), before)
      }
    })

    it('a form of another origin is refused with 403 and changes nothing', async () => {
      const running = await startVerified()
      const browser = await enter(running)
      await running.tokens('dora')
      await running.settled()
      const sessions = (await openSessions()).toSorted()
      const [id = ''] = sessions
      const stateOf = async (): Promise<unknown> => [
        (await openSessions()).toSorted(),
        await stage.sql('select * from authenticator_app'),
        await stage.sql('select * from "user"'),
        running.mails.length,
      ]
      const before = await stateOf()
      const form = {
        id,
        current_password: password,
        new_password: newPassword,
        new_email: 'eve@example.com',
      }
      const names = Object.keys(running.document['paths'] as object)
        .map((path) => /\/account\/([\w-]+)$/.exec(path)?.[1] ?? '')
        .filter((name) => ownNames.has(name))
      assert.equal(names.length, isPeople() ? 5 : ownNames.size)
      for (const name of names)
        for (const origin of [undefined, 'null', 'https://evil.example', `${own}.evil.example`]) {
          const { status } = await browser.request('POST', `/account/${name}`, {
            form,
            headers: { 'user-agent': firefox, ...(origin !== undefined && { origin }) },
          })
          assert.equal(status, 403, `${name} from ${origin}`)
        }
      await running.settled()
      assert.deepEqual(await stateOf(), before)
    })

    it('a link cannot make the page say that something is done, nor can an unknown cookie', async () => {
      const browser = await enter(await startVerified())
      await browser.open('/account?done=password')
      assert.equal(noteOf(browser), '')
      for (const done of ['%3Cb%3Ehello', 'constructor', 'toString', '']) {
        browser.cookies.set(doneCookie, done)
        await browser.open('/account')
        assert.equal(browser.shown().status, 200)
        assert.equal(noteOf(browser), '')
      }
      assert.doesNotMatch(browser.shown().text, /hello/)
    })
  },
  bothDirectories,
)

const ownNames: ReadonlySet<string> = new Set(
  (
    'profile email new-address verification password ' +
    'app remove-app recovery-codes devices other-devices delete'
  ).split(' '),
)
