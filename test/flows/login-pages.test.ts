// The pages on which browsers log in, sent and answered as a browser does it.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  bothDirectories,
  createTestClock,
  describeOnBoth,
  issuer,
  password,
  type TestClock,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { startWithMailbox, type WithMailbox } from '../../packages/server/test-support/mailbox.ts'
import { openBrowser, type PageBrowser } from '../../packages/server/test-support/page-browser.ts'
import { appCode, enrol, type Enrolled } from '../../packages/server/test-support/second-factor.ts'

const loginCookie = '__Host-keystile-login-7d2f30b8'
const formCookie = '__Host-keystile-form-7d2f30b8'
const { origin } = new URL(issuer)

describeOnBoth(
  'the pages of a login',
  (stage) => {
    const start = async (options: object = {}): Promise<WithMailbox> => {
      const running = await startWithMailbox(stage, { loginPages: 'on', ...options })
      await running.addUser()
      return running
    }
    /** Starts without mails, and with a person who has a factor. */
    const startWithFactor = async (): Promise<
      TestKeystile & { ada: Enrolled; clock: TestClock }
    > => {
      const clock = createTestClock()
      const running = await stage.start({ clock, loginPages: 'on', secondFactor: 'optional' })
      return { ...running, clock, ada: await enrol(running, clock) }
    }
    const enter = async (browser: PageBrowser, word = password): Promise<void> => {
      await browser.open('/login')
      await browser.submit({ username: 'ada', password: word })
    }
    /** Whether the browser is logged in: then /login leads to the account. */
    const isIn = async (browser: PageBrowser): Promise<boolean> => {
      const { status, headers } = await browser.request('GET', '/login')
      assert.equal(headers.get('location'), status === 303 ? '/auth/account' : null)
      return status === 303
    }
    /** Whose login the page shows, and where another one begins. */
    const whoIn = (browser: PageBrowser): readonly (string | undefined)[] =>
      /Account: <\/span>(.*?)<\/span>\s*<a href="([^"]*)">Not you\?/
        .exec(browser.shown().text)
        ?.slice(1) ?? []
    const countSessions = async (): Promise<number> =>
      (await stage.sql('select id from session where ended_at is null')).length

    it('a space around the name does not matter, and one in the password does', async () => {
      const browser = openBrowser(await start())
      await browser.open('/login')
      await browser.submit({ username: ' ada ', password: `${password} ` })
      assert.equal(browser.at(), '/login')
      await browser.submit({ username: ' ada ', password })
      assert.equal(browser.at(), '/account')
    })

    it('a step in one window, after the login has ended in another, leads to the account', async () => {
      const { ada, ...running } = await startWithFactor()
      const browser = openBrowser(running)
      await enter(browser)
      const form = /name="attempt" value="([^"]*)"/.exec(browser.shown().text)?.[1] ?? ''
      await browser.submit({ otp: ada.nextCode() })
      assert.equal(browser.at(), '/account')
      const sent = { headers: { origin }, form: { attempt: form, otp: ada.nextCode() } }
      const late = await browser.request('POST', '/login/factor', sent)
      assert.deepEqual([late.status, late.headers.get('location')], [303, '/auth/account'])
      const other = openBrowser(running)
      await other.open('/login')
      assert.match((await other.request('POST', '/login/factor', sent)).text, /has expired/)
    })

    it('a browser reads of an error of Keystile in a page, with the id for the operator', async () => {
      const browser = openBrowser(await start())
      await browser.open('/login')
      await stage.sql('alter table browser_login rename to gone')
      await browser.submit({ username: 'ada', password })
      await stage.sql('alter table gone rename to browser_login')
      const { status, text, headers } = browser.shown()
      assert.deepEqual([status, headers.get('content-type')], [500, 'text/html; charset=utf-8'])
      assert.match(text, /This is our fault, not yours[^]*Internal error, incident [\w-]{10,}/)
      assert.doesNotMatch(text, /browser_login|<form/)
    })

    it('a right password leads to the account, and a log-out ends this login', async () => {
      const browser = openBrowser(await start())
      await enter(browser)
      assert.equal(browser.at(), '/account')
      assert.equal(await isIn(browser), true)

      const secret = browser.cookies.get(loginCookie) ?? ''
      await browser.open('/logout')
      const sent = { form: {}, headers: { origin } }
      const done = await browser.request('POST', '/logout', sent)
      assert.equal(done.headers.get('clear-site-data'), '"cache"')
      assert.equal(done.headers.get('location'), '/auth/logout')
      // Back and Reload show this page, and send no form again.
      await browser.open('/logout')
      assert.match(browser.shown().text, /You are logged out/)
      assert.match(browser.shown().text, /class="button" href="\/auth\/login">Log in again/)
      assert.equal(browser.cookies.has(loginCookie), false)
      browser.cookies.set(loginCookie, secret)
      assert.equal(await isIn(browser), false)
      assert.equal(await countSessions(), 0)
    })

    it('the button of the account logs out at once', async () => {
      const browser = openBrowser(await start())
      await enter(browser)
      const { status, text } = await browser.submit({}, { action: '/logout' })
      assert.equal(status, 200)
      assert.match(text, /You are logged out/)
      assert.equal(await isIn(browser), false)
      assert.equal(await countSessions(), 0)
    })

    it('a log-out that the history keeps does not end the next login, but asks', async () => {
      const running = await start()
      const browser = openBrowser(running)
      await enter(browser)
      await browser.submit({}, { action: '/logout' })
      const again = browser.keepForm()
      assert.match((await again()).text, /You are logged out/)
      await enter(browser)
      await again()
      assert.equal(browser.at(), '/logout')
      assert.equal(await isIn(browser), true)
      await browser.submit()
      assert.equal(await isIn(browser), false)
    })

    it('the page of a log-out says nothing untrue to a browser that was not logged in', async () => {
      const { text } = await openBrowser(await start()).open('/logout')
      assert.match(text, /If you are logged in on other devices, you stay logged in there/)
    })

    it('after a log-out, the page leads to the login first, and to the app', async () => {
      const browser = openBrowser(await start({ appUrl: 'https://app.example/' }))
      await enter(browser)
      await browser.open('/logout')
      const { text } = await browser.submit()
      assert.deepEqual(text.match(/class="button[^>]*>[^<]*/g), [
        'class="button" href="/auth/login">Log in again',
        'class="button second" href="https://app.example/">Continue to app.example',
      ])
    })

    it('the cookies of the pages are Secure, HttpOnly and Lax, and named after the issuer', async () => {
      const browser = openBrowser(await start())
      await browser.open('/login')
      const { cookies } = browser
      const answer = await browser.request('POST', '/login', {
        form: { username: 'ada', password },
        headers: { origin },
      })
      const set = answer.headers.getSetCookie()
      assert.deepEqual(
        set.map((cookie) => cookie.split('=')[0]),
        [
          loginCookie,
          formCookie,
          ...(set.length > 2 ? [loginCookie.replace('login', 'device')] : []),
        ],
      )
      for (const cookie of set)
        assert.match(cookie, /=[^;]+; (Max-Age=\d+; )?Path=\/; Secure; HttpOnly; SameSite=Lax$/)
      assert.match(cookies.get(loginCookie) ?? '', /^[\w-]{43}$/)
      const rows = await stage.sql('select * from browser_login')
      assert.doesNotMatch(JSON.stringify(rows), new RegExp(cookies.get(loginCookie) ?? 'none'))
    })

    it('a wrong password gives a page with the fault and the name, and no login', async () => {
      const browser = openBrowser(await start())
      await enter(browser, 'wrong & "odd"')
      const { status, text, headers } = browser.shown()
      assert.equal(status, 400)
      assert.match(text, /<title>Error: Log in/)
      assert.match(text, /role="alert".*The name or the password is wrong/)
      assert.match(text, /value="ada"/)
      assert.doesNotMatch(text, /odd/)
      assert.equal(headers.get('referrer-policy'), 'same-origin')
      assert.equal(headers.get('cache-control'), 'no-store')
      assert.equal(browser.cookies.has(loginCookie), false)
      const unknown = await browser.submit({ username: 'nobody', password })
      assert.equal(unknown.text.replace('nobody', 'ada'), text)
      const empty = await browser.submit({ username: 'ada', password: '' })
      assert.deepEqual([empty.status, empty.text], [400, text])
    })

    it('a code of the app or a recovery code ends the login of an account with a factor', async () => {
      const running = await startWithFactor()
      const { ada } = running
      for (const name of ['otp', 'recovery_code'] as const) {
        const browser = openBrowser(running)
        await enter(browser)
        assert.match(browser.shown().text, /Enter your code/)
        assert.deepEqual(whoIn(browser), ['ada', '/auth/login'])
        assert.equal(await isIn(browser), false)
        if (name === 'recovery_code')
          await browser.submit({}, { button: ['show', 'recovery_code'] })
        assert.match(browser.shown().text, new RegExp(`name="${name}"[^>]* autofocus>`))
        const wrong = await browser.submit({ [name]: '000000' })
        // A typing error in a long code can be corrected.
        assert.equal(/ value="000000"/.test(wrong.text), name === 'recovery_code')
        assert.deepEqual(whoIn(browser), ['ada', '/auth/login'])
        assert.equal(wrong.status, 400)
        assert.match(
          wrong.text,
          /class="fault"[^>]*>This (code is wrong or|recovery code is wrong, .* older list)/,
        )
        const right = name === 'otp' ? ada.nextCode() : (ada.recoveryCodes[0] ?? '')
        await browser.submit({ [name]: right })
        assert.equal(await isIn(browser), true)
        const isSaid = name === 'recovery_code'
        const said = /which does not work any more\. 9 codes left\. If you no longer have your/
        assert.equal(said.test(browser.shown().text), isSaid)
        assert.equal(/href="\/auth\/account\/app">replace it</.test(browser.shown().text), isSaid)
        assert.doesNotMatch((await browser.open('/account')).text, said)
      }
    })

    it('a person who must have a factor sets it up on the pages', async () => {
      const running = await start({ secondFactor: 'required' })
      const browser = openBrowser(running)
      await enter(browser)
      assert.match(browser.shown().text, /Check your mail/)
      assert.deepEqual(whoIn(browser), ['ada', '/auth/login'])
      await browser.submit({ email_code: '00000000' })
      assert.match(browser.shown().text, /The code is wrong, was used before, or has expired/)
      const { code } = await running.mailTo('ada@example.com')
      const shown = await browser.submit({ email_code: code })
      const [, secret = ''] = /secret=([A-Z2-7]{32})/.exec(shown.text) ?? []
      assert.match(shown.text, /<svg[^>]*>/)
      assert.deepEqual(whoIn(browser), ['ada', '/auth/login'])
      await browser.submit({ otp: '000000' })
      assert.match(browser.shown().text, /This code is wrong/)
      assert.match(browser.shown().text, new RegExp(secret))
      await browser.submit({ otp: appCode(secret, running.clock) })
      assert.equal(browser.shown().status, 200)
      assert.equal(browser.shown().text.match(/<li>[\w-]{19}<\/li>/g)?.length, 10)
      assert.match(browser.shown().text, /%0AAccount%3A%20ada%0A/)
      assert.equal(await isIn(browser), true)
    })

    it('after too many codes of the app, the page says that a recovery code works, and it does', async () => {
      const clock = createTestClock()
      const options = { loginPages: 'on', secondFactor: 'optional', rateLimits: 'on' }
      const running = await stage.start({ clock, ...options } as object)
      const ada = await enrol(running, clock)
      const browser = openBrowser(running)
      await enter(browser)
      for (let tries = 0; tries < 5; tries++) await browser.submit({ otp: '000000' })
      assert.match(
        browser.shown().text,
        /<h1>Too many wrong codes[^]*Log in once more\. If your app has several entries with this name/,
      )
      await enter(browser)
      for (let tries = 0; tries < 4; tries++) await browser.submit({ otp: '000000' })
      const other = openBrowser(running)
      await enter(other)
      await other.submit({ otp: '000000' })
      const blocked = /Too many tries\. [^<]* A recovery code works at once\./
      // These codes are not compared, so they use up no try of this login.
      for (let tries = 0; tries < 3; tries++) {
        await browser.submit({ otp: '000000' })
        assert.match(browser.shown().text, /<h1>Enter your code/)
        assert.match(browser.shown().text, blocked)
      }
      await browser.submit({}, { button: ['show', 'recovery_code'] })
      await browser.submit({ recovery_code: ada.recoveryCodes[0] ?? '' })
      assert.equal(browser.at(), '/account')
    })

    it('too many shown secrets of an app give a page that says so', async () => {
      const running = await stage.start({
        loginPages: 'on',
        secondFactor: 'required',
        rateLimits: 'on',
        trustedProxies: ['127.0.0.1'],
      })
      await running.addUser()
      const browser = openBrowser(running)
      await enter(browser)
      await browser.submit({})
      for (let tries = 0; tries < 60 && browser.shown().status !== 429; tries++) {
        if (!browser.shown().text.includes('name="otp"')) {
          await enter(browser)
          await browser.submit({})
        }
        await browser.submit({ otp: '000000' })
      }
      assert.equal(browser.shown().status, 429)
      assert.match(browser.shown().headers.get('content-type') ?? '', /^text\/html/)
    })

    it('a browser whose login has ended reads that, and another browser does not', async () => {
      const running = await startWithMailbox(stage, { loginPages: 'on' })
      const subject = await running.addUser()
      const browser = openBrowser(running)
      await browser.open('/login')
      assert.doesNotMatch(browser.shown().text, /You were logged out here/)
      for (const where of ['/account', '/login/again?to=profile']) {
        await enter(browser)
        await browser.open(where)
        await running.keystile.sessions.revokeAll(subject)
        if (where === '/account') await browser.open(where)
        else await browser.submit({ password })
        assert.equal(browser.at(), '/login')
        assert.match(browser.shown().text, /You were logged out here\. Log in again\./)
      }
      await browser.submit({ username: 'ada', password })
      await browser.open('/logout')
      await browser.submit()
      await browser.open('/login')
      assert.doesNotMatch(browser.shown().text, /You were logged out here/)
    })

    it('a form from another origin, or from no page, is refused and changes nothing', async () => {
      const browser = openBrowser(await start())
      await browser.open('/login')
      const form = { username: 'ada', password }
      for (const path of ['/login', '/login/factor', '/login/again', '/logout'])
        for (const headers of [{}, { origin: 'null' }, { origin: 'https://evil.example' }]) {
          const { status } = await browser.request('POST', path, { form, headers })
          assert.equal(status, 403, path)
        }
      assert.equal(await countSessions(), 0)
    })

    it('without the cookie of the page, a form leads to a page about cookies', async () => {
      const browser = openBrowser(await start())
      await browser.open('/login')
      browser.cookies.clear()
      await browser.submit({ username: 'ada', password })
      assert.match(browser.shown().text, /Your browser keeps no cookies/)
      assert.equal(await countSessions(), 0)
    })

    it('an attempt goes on only in its own browser, for ten minutes, and after a new login not', async () => {
      const running = await startWithFactor()
      const { ada } = running
      const [mine, other] = [openBrowser(running), openBrowser(running)]
      await enter(mine)
      await other.open('/login')
      const [, attempt = ''] = /name="attempt" value="([^"]+)"/.exec(mine.shown().text) ?? []
      const stolen = await other.request('POST', '/login/factor', {
        form: { attempt, otp: ada.nextCode() },
        headers: { origin },
      })
      assert.match(stolen.text, /has expired/)
      assert.equal(other.cookies.has(loginCookie), false)

      running.clock.advance(601)
      await mine.submit({ otp: ada.nextCode() })
      assert.match(mine.shown().text, /has expired/)
      assert.equal(await isIn(mine), false)
      await mine.open('/login/factor')
      assert.equal(mine.at(), '/login')
    })

    it('each login gives the browser new cookies, and ends its earlier login', async () => {
      const browser = openBrowser(await start())
      await enter(browser)
      const before = new Map(browser.cookies)
      const answer = await browser.request('POST', '/login', {
        form: { username: 'ada', password },
        headers: { origin },
      })
      assert.equal(answer.status, 303)
      assert.notEqual(browser.cookies.get(loginCookie), before.get(loginCookie))
      assert.notEqual(browser.cookies.get(formCookie), before.get(formCookie))
      assert.equal(await countSessions(), 1)
      browser.cookies.set(loginCookie, before.get(loginCookie) ?? '')
      assert.equal(await isIn(browser), false)
    })

    it('a browser is logged out at its next request, in each process, after a ban or a log-out', async () => {
      const one = await startWithMailbox(stage, { loginPages: 'on' })
      const two = await startWithMailbox(stage, { loginPages: 'on' })
      const subject = await one.addUser()
      const ends = {
        'a log-out everywhere': () => one.keystile.sessions.revokeAll(subject),
        'a disabled user': () => one.disable(subject),
      }
      for (const end of Object.values(ends)) {
        const [here, there] = [openBrowser(one), openBrowser(two)]
        await enter(here)
        for (const [name, value] of here.cookies) there.cookies.set(name, value)
        assert.equal(await isIn(there), true)
        await end()
        assert.equal(await isIn(there), false)
        assert.equal(await isIn(here), false)
      }
    })

    it('a browser that is used stays logged in, at most as long as a session lasts', async () => {
      const running = await start({
        idleSeconds: 3600,
        sessionSeconds: 7200,
        accessTokenSeconds: 60,
      })
      const browser = openBrowser(running)
      await enter(browser)
      for (let minutes = 30; minutes <= 90; minutes += 30) {
        running.clock.advance(30 * 60)
        assert.equal(await isIn(browser), true, String(minutes))
      }
      running.clock.advance(31 * 60)
      assert.equal(await isIn(browser), false)

      await enter(browser)
      running.clock.advance(61 * 60)
      assert.equal(await isIn(browser), false)
    })

    it('logging in again needs the password, or a code while the password is recent', async () => {
      const running = await start({ secondFactor: 'optional' })
      const browser = openBrowser(running)
      await enter(browser)
      running.clock.advance(301)
      await browser.open('/login/again?to=factors')
      assert.match(browser.shown().text, /Is it you\?/)
      const [account, other] = whoIn(browser)
      assert.deepEqual([account?.replace('@<wbr>example.com', ''), other], ['ada', '/auth/logout'])
      await browser.submit({ password: 'wrong' })
      assert.equal(browser.shown().status, 400)
      await browser.submit({ password })
      assert.equal(browser.at(), '/account#factors')
      assert.equal(await isIn(browser), true)
      assert.equal(await countSessions(), 1)
    })

    it('logging in again proves the password of the session, however the person is named', async () => {
      const { keystile } = await stage.start()
      const ofPeople = keystile.users ? undefined : stage.people.directory
      const { email: _none, setPassword: _set, ...withoutAddress } = ofPeople ?? {}
      const findByLogin = (login: string): unknown =>
        login === 'ada' ? ofPeople?.findByLogin(login) : undefined
      const ofApp = ofPeople ? [ofPeople, withoutAddress] : []
      const cases: readonly { readonly login: string; readonly options: object }[] = [
        { login: 'ada@exämple.com', options: {} },
        ...ofApp.map((users) => ({ login: 'ada', options: { users: { ...users, findByLogin } } })),
      ]
      await (await stage.start()).addUser({ username: 'ada', email: 'ada@exämple.com' })
      for (const { login, options } of cases) {
        const clock = createTestClock()
        const running = await stage.start({ clock, loginPages: 'on', rateLimits: 'on', ...options })
        const browser = openBrowser(running)
        await browser.open('/login')
        await browser.submit({ username: login, password })
        assert.equal(browser.at(), '/account')
        clock.advance(301)
        await browser.open('/login/again?to=sign-in')
        await browser.submit({ password: 'wrong' })
        assert.match(browser.shown().text, /The password is wrong/)
        await browser.submit({ password })
        assert.equal(browser.at(), '/account#sign-in')

        // Wrong passwords count as those of a login: for the device, and then for the name.
        clock.advance(301)
        await browser.open('/login/again')
        const statuses: number[] = []
        for (let guess = 0; guess < 30; guess++) {
          await browser.submit({ password: 'wrong' })
          statuses.push(browser.shown().status)
        }
        assert.equal(statuses.at(0), 400)
        assert.equal(statuses.at(-1), 429)
      }
    })

    it('/.well-known/change-password leads to a page for a new password, if there is one', async () => {
      const { keystile } = await stage.start()
      const [account, forgot] = ['/auth/account/password', '/auth/account/forgot-password']
      const ofAccount = keystile.users && account
      const elsewhere = { accountPagesUrl: 'https://app.example/account' }
      for (const [options, location] of [
        [{ loginPages: 'on' }, ofAccount ?? forgot],
        [{}, forgot],
        [{ ...elsewhere, loginPages: 'on' }, ofAccount],
        [elsewhere, undefined],
      ] as const) {
        const { send } = await startWithMailbox(stage, options)
        const { status, headers } = await send('GET', '/.well-known/change-password')
        assert.deepEqual(
          [status, headers.get('location')],
          [location ? 302 : 404, location ?? null],
        )
        if (location === undefined) continue
        assert.equal(headers.get('cache-control'), 'no-store')
        assert.notEqual((await send('GET', location.slice('/auth'.length))).status, 404)
      }
    })

    it('the login leads to a page for a forgotten password only if there is one', async () => {
      const leads = async (options: object): Promise<boolean> => {
        const { send } = await stage.start({ loginPages: 'on', ...options })
        return (await send('GET', '/login')).text.includes('forgot-password')
      }
      const mail = { from: 'no-reply@example.com', send: () => undefined }
      assert.equal(await leads({ mail }), true)
      assert.equal(await leads({}), false)
      assert.equal(await leads({ mail, accountPagesUrl: 'https://app.example/account' }), false)
      const { keystile } = await stage.start()
      if (keystile.users) return

      const { setPassword: _none, ...users } = stage.people.directory
      assert.equal(await leads({ mail, users }), false)
    })

    describe('after too many wrong passwords', () => {
      const next = 'purple monkey dishwasher'
      const startAttacked = async (): Promise<WithMailbox> => {
        const running = await start({ rateLimits: 'on' })
        const stranger = openBrowser(running)
        for (let guess = 0; guess < 10; guess++) await enter(stranger, `wrong ${guess}`)
        await enter(stranger)
        assert.match(
          stranger.shown().text,
          /With your e-mail address, it may work at once\. If you set a new password by mail in this/,
        )
        return running
      }
      /** Sets a new password with the link of a mail, which may open in another browser. */
      const reset = async (running: WithMailbox, browser: PageBrowser): Promise<void> => {
        await openBrowser(running).request('POST', '/account/forgot-password', {
          form: { login: 'ada' },
          headers: { origin },
        })
        const { token } = await running.mailTo('ada@example.com')
        await browser.open(`/account/reset-password?token=${token}`)
        const { text } = await browser.submit({ new_password: next })
        assert.match(text, /Log in with the new password/)
      }

      it('a new password by mail opens the account at once in the browser that set it', async () => {
        const running = await startAttacked()
        const [browser, other] = [openBrowser(running), openBrowser(running)]
        await reset(running, browser)
        await enter(other, next)
        assert.equal(other.shown().status, 429)
        await enter(browser, next)
        assert.equal(browser.at(), '/account')
        // The mail about the new password has told the owner of this browser.
        await running.settled()
        assert.deepEqual(
          running.mails.slice(-1).map(({ subject }) => subject),
          ['Your password at localhost:3000 was changed'],
        )
      })

      it('the code of the mail does the same as its link, with tries of its own', async () => {
        const running = await startAttacked()
        const browser = openBrowser(running)
        await browser.open('/account/forgot-password')
        await browser.submit({ login: 'ada' })
        const { code } = await running.mailTo('ada@example.com')
        await browser.submit({ code, new_password: next })
        for (let guess = 0; guess < 10; guess++) await enter(browser, `wrong ${guess}`)
        assert.equal(browser.shown().status, 400)
        await enter(browser, next)
        assert.equal(browser.shown().status, 429)
        running.clock.advance(16 * 60)
        await enter(browser, next)
        assert.equal(browser.at(), '/account')
      })

      it('a newer password makes the browser unknown again', async () => {
        const running = await startAttacked()
        const [browser, other] = [openBrowser(running), openBrowser(running)]
        await reset(running, browser)
        await reset(running, other)
        await enter(browser, next)
        assert.equal(browser.shown().status, 429)
      })

      it('a new password by mail stands for no code of the app', async () => {
        const options = { secondFactor: 'optional', rememberFactorDays: 30, rateLimits: 'on' }
        const running = await startWithMailbox(stage, { loginPages: 'on', ...options })
        const tokens: TestKeystile['tokens'] = async (username) => {
          const logged = await running.tokens(username)
          await stage.sql('update "user" set email_verified_at = 1')
          return logged
        }
        const ada = await enrol({ ...running, tokens }, running.clock)
        const stranger = openBrowser(running)
        for (let tries = 0; tries < 10; tries++) {
          if (tries % 5 === 0) await enter(stranger)
          await stranger.submit({ otp: '000000' })
        }
        const browser = openBrowser(running)
        await reset(running, browser)
        await enter(browser, next)
        await browser.submit({ otp: ada.nextCode(), remember: 'on' })
        assert.equal(browser.shown().status, 429)
        await browser.submit({}, { button: ['show', 'recovery_code'] })
        await browser.submit({ recovery_code: ada.recoveryCodes[0] ?? '' })
        assert.equal(browser.at(), '/account')
      })

      it('the page names the other name, and no mail if none can be sent', async () => {
        const running = await stage.start({ loginPages: 'on', rateLimits: 'on' })
        const browser = openBrowser(running)
        await browser.open('/login')
        for (let guess = 0; guess < 11; guess++)
          await browser.submit({ username: 'ada@example.com', password: 'wrong' })
        const { status, text } = browser.shown()
        assert.equal(status, 429)
        assert.match(text, /With your user name, it may work at once\.</)
      })

      it('a server without login pages gives no device to a browser with a new password', async () => {
        const running = await start({ loginPages: 'off' })
        const browser = openBrowser(running)
        await reset(running, browser)
        assert.deepEqual([...browser.cookies.keys()], [])
      })
    })

    it('with `loginPages: off`, there are no such pages', async () => {
      const { send } = await startWithMailbox(stage, {})
      for (const path of ['/login', '/logout', '/login/again'])
        assert.equal((await send('GET', path)).status, 404)
    })
  },
  bothDirectories,
)
