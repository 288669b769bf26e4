// A device that is remembered after a second factor: the pages ask for no code for some days.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { askForCode, exchange } from '../../packages/server/test-support/challenge.ts'
import {
  bothDirectories,
  createTestClock,
  describeOnBoth,
  issuer,
  password,
  type TestClock,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { openBrowser, type PageBrowser } from '../../packages/server/test-support/page-browser.ts'
import {
  appCode,
  enrol,
  tokensWithFactor,
  type Enrolled,
} from '../../packages/server/test-support/second-factor.ts'

type Running = TestKeystile & { readonly clock: TestClock; readonly ada: Enrolled }

const daySeconds = 24 * 60 * 60
const deviceCookie = '__Host-keystile-device-7d2f30b8'
const newPassword = 'another engine of hers'

describeOnBoth(
  'a remembered device',
  (stage) => {
    const startWith = (clock: TestClock, options: object = {}): Promise<TestKeystile> =>
      stage.start({ clock, loginPages: 'on', rememberFactorDays: 30, ...options })
    /** Starts with a person who has a factor. */
    const start = async (options: object = {}): Promise<Running> => {
      const clock = createTestClock()
      const running = await startWith(clock, { secondFactor: 'optional', ...options })
      return { ...running, clock, ada: await enrol(running, clock) }
    }
    const enter = async (browser: PageBrowser, fields: object = {}): Promise<string> => {
      await browser.open('/login')
      return (await browser.submit({ username: 'ada', password, ...fields })).text
    }
    const logOut = async (browser: PageBrowser): Promise<void> => {
      await browser.open('/logout')
      await browser.submit()
    }
    /** Logs in with a code, ticks the box, and logs out. */
    const remember = async (running: Running): Promise<PageBrowser> => {
      const browser = openBrowser(running)
      assert.match(await enter(browser), /type="checkbox" name="remember" value="on">/)
      await browser.submit({ otp: running.ada.nextCode(), remember: 'on' })
      assert.equal(browser.at(), '/account')
      await logOut(browser)
      return browser
    }
    /** Whether the password is enough in this browser. */
    const isSpared = async (browser: PageBrowser, fields: object = {}): Promise<boolean> => {
      const text = await enter(browser, fields)
      const isIn = browser.at() === '/account'
      assert.equal(/name="otp"/.test(text), !isIn, text)
      return isIn
    }
    /** A browser that sends the same cookies, to the same Keystile or another one. */
    const copyOf = (browser: PageBrowser, running: TestKeystile): PageBrowser => {
      const copy = openBrowser(running)
      for (const [name, value] of browser.cookies) copy.cookies.set(name, value)
      return copy
    }

    it('the page of the code has a box with the days exactly if the setting is above 0', async () => {
      const { clock } = await start()
      const boxes = {
        0: undefined,
        1: 'Do not ask for a code on this device for a day',
        30: 'Do not ask for a code on this device for 30\u00a0days',
      }
      for (const [days, label] of Object.entries(boxes)) {
        const browser = openBrowser(await startWith(clock, { rememberFactorDays: Number(days) }))
        const [, shown] = /class="check">.*<span>([^<]*)</.exec(await enter(browser)) ?? []
        assert.equal(shown, label)
      }
    })

    for (const [language, label] of [
      ['de', 'Auf diesem Gerät 30\u00a0Tage lang'],
      ['fr', 'pendant 30\u00a0jours'],
      ['es', 'durante 30\u00a0días'],
    ] as const)
      it(`the box names the days in the language ${language}`, async () => {
        const browser = openBrowser(await start())
        await browser.open('/login')
        const { origin } = new URL(issuer)
        const form = { username: 'ada', password }
        const headers = { origin, 'accept-language': language }
        const { text } = await browser.request('POST', '/login', { form, headers })
        assert.ok(text.includes(label), text)
      })

    it('a remembered device logs in with the password alone, which proves no second factor', async () => {
      const running = await start()
      const browser = await remember(running)
      assert.equal(await isSpared(browser), true)
      const sessions = await running.keystile.sessions.list(running.ada.subject)
      const amrs = sessions.map(({ amr }) => amr?.join())
      assert.deepEqual([...new Set(amrs)], ['pwd'])
      const details = await stage.sql(
        `select detail from audit where event = 'login' and detail is not null`,
      )
      assert.deepEqual(
        details.map(({ detail }) => detail),
        ['{"factor":"remembered device"}'],
      )
    })

    it('after a log-out, another device still forgets the remembered one, and ends open codes', async () => {
      const running = await start()
      const remembered = await remember(running)
      const code = await askForCode(running, {
        username: 'ada',
        password,
        otp: running.ada.nextCode(),
      })
      assert.equal(code.status, 200)
      const other = openBrowser(running)
      await enter(other)
      await other.submit({ otp: running.ada.nextCode() })
      assert.match(other.shown().text, /Log out on all other devices/)
      await other.open('/account/other-devices')
      await other.submit()
      assert.match(other.shown().text, /All other devices are logged out/)
      assert.equal(await isSpared(remembered), false)
      assert.equal((await exchange(running, code)).status, 400)
    })

    it('after a log-out, the password that the history keeps does not log in again', async () => {
      const running = await start()
      const browser = openBrowser(running)
      await enter(browser)
      const again = browser.keepForm()
      await browser.submit({ otp: running.ada.nextCode(), remember: 'on' })
      await logOut(browser)
      const logins = "select id from audit where event = 'login'"
      const before = await stage.sql(logins)
      assert.match((await again()).text, /has expired/)
      await browser.open('/account')
      assert.equal(browser.at(), '/login')
      assert.deepEqual(await stage.sql(logins), before)
      assert.equal(await isSpared(browser), true)
    })

    it('without the box, the next login needs a code again', async () => {
      const running = await start()
      const browser = openBrowser(running)
      await enter(browser)
      await browser.submit({ otp: running.ada.nextCode() })
      await logOut(browser)
      assert.equal(await isSpared(browser), false)
    })

    it('the box stays ticked after a wrong code', async () => {
      const browser = openBrowser(await start())
      await enter(browser)
      await browser.submit({ otp: '000000', remember: 'on' })
      assert.match(browser.shown().text, /name="remember" value="on" checked>/)
    })

    it('a recovery code lets a device be remembered too', async () => {
      const running = await start()
      const browser = openBrowser(running)
      await enter(browser)
      await browser.submit({}, { button: ['show', 'recovery_code'] })
      const [code = ''] = running.ada.recoveryCodes
      await browser.submit({ recovery_code: code, remember: 'on' })
      await logOut(browser)
      assert.equal(await isSpared(browser), true)
    })

    it('a device is remembered from the code on, and a login does not extend it', async () => {
      const running = await start()
      const browser = await remember(running)
      running.clock.advance(20 * daySeconds)
      assert.equal(await isSpared(browser), true)
      await logOut(browser)
      running.clock.advance(10 * daySeconds - 1)
      assert.equal(await isSpared(browser), true)
      running.clock.advance(1)
      // The login of the browser lacks the factor, so it is over too.
      assert.equal((await browser.request('GET', '/account')).status, 303)
      assert.equal(await isSpared(browser), false)
    })

    it('a login that was spared a code ends with the device secret', async () => {
      const running = await start()
      const browser = await remember(running)
      assert.equal(await isSpared(browser), true)
      assert.equal((await browser.request('GET', '/account')).status, 200)
      browser.cookies.delete(deviceCookie)
      assert.equal((await browser.request('GET', '/account')).status, 303)
    })

    it('a device is remembered for one account, and in one browser', async () => {
      const running = await start()
      const browser = await remember(running)
      const eve = await enrol(running, running.clock, 'eve')
      const secret = browser.cookies.get(deviceCookie) ?? ''
      assert.equal(await isSpared(openBrowser(running)), false)
      assert.equal(await isSpared(browser, { username: 'eve' }), false)
      await browser.submit({ otp: eve.nextCode() })
      await logOut(browser)
      browser.cookies.set(deviceCookie, secret)
      assert.equal(await isSpared(browser), true)
    })

    it('a login that was spared a code ends with its own device', async () => {
      const running = await start()
      const browser = await remember(running)
      assert.equal(await isSpared(browser), true)
      const { accessToken: bearer } = await tokensWithFactor(running.ada)
      const renewed = await running.send('POST', '/users/me/factors/recovery-codes', { bearer })
      assert.equal(renewed.status, 200)
      const other = await remember(running)
      browser.cookies.set(deviceCookie, other.cookies.get(deviceCookie) ?? '')
      assert.equal((await browser.request('GET', '/account')).status, 303)
    })

    it('a log-out on all other devices leaves this device remembered, and no other', async () => {
      const running = await start()
      const [here, there] = [await remember(running), await remember(running)]
      assert.deepEqual([await isSpared(here), await isSpared(there)], [true, true])
      await here.open('/account/other-devices')
      await here.submit()
      assert.equal((await here.request('GET', '/account')).status, 200)
      await logOut(here)
      assert.deepEqual([await isSpared(here), await isSpared(there)], [true, false])
    })

    it('a device secret that a later login has replaced spares no code', async () => {
      const running = await start()
      const browser = await remember(running)
      const stolen = copyOf(browser, running)
      assert.equal(await isSpared(browser), true)
      assert.equal(await isSpared(stolen), false)
    })

    it('a remembered device needs the password, and spares nothing outside the pages', async () => {
      const running = await start({ cookieSession: true })
      const browser = await remember(running)
      const device_secret = browser.cookies.get(deviceCookie) ?? ''
      assert.doesNotMatch(await enter(browser, { password: 'wrong' }), /name="otp"/)
      assert.equal(browser.shown().status, 400)

      const json = { username: 'ada', password }
      const form = { grant_type: 'password', ...json, device_secret }
      assert.equal((await running.send('POST', '/token', { form })).status, 403)
      const cookie = `__Secure-keystile-device=${device_secret}`
      const headers = { origin: new URL(issuer).origin, cookie }
      assert.equal((await running.send('POST', '/session', { json, headers })).status, 403)
    })

    it('a login without a code does not renew the limit of wrong codes', async () => {
      const running = await start({ rateLimits: 'on' })
      const { ada } = running
      const phone = await running.login({ otp: ada.nextCode() })
      const browser = await remember(running)
      const statuses: number[] = []
      for (let logins = 0; logins < 3; logins++) {
        assert.ok(await isSpared(browser))
        await browser.open('/login/again')
        for (let n = 0; n < 8; n++) statuses.push((await browser.submit({ otp: '000000' })).status)
        await logOut(browser)
      }
      // Ten of the device, and then those of unknown devices, as without the cookie.
      assert.equal(statuses.indexOf(429), 19)
      assert.equal(statuses.lastIndexOf(400), 18)

      const { device_secret } = phone.json
      assert.equal((await running.login({ device_secret, otp: ada.nextCode() })).status, 200)
    })

    it('a change that needs the factor asks a remembered device for a code', async () => {
      const running = await start()
      const browser = await remember(running)
      assert.equal(await isSpared(browser), true)
      assert.match((await browser.open('/account/recovery-codes')).text, /name="otp"/)
      assert.equal(browser.at(), '/login/again?to=sign-in')
      await browser.submit({ otp: running.ada.nextCode() })
      assert.match((await browser.open('/account/recovery-codes')).text, /<h1>[^<]*recovery codes/)

      // The step-up has replaced the session, and the device is remembered still.
      await logOut(browser)
      assert.equal(await isSpared(browser), true)
      running.clock.advance(301)
      await browser.open('/login/again?to=sign-in')
      await browser.submit({ password })
      assert.match(browser.shown().text, /name="otp"/)
    })

    it('where a factor is required, a remembered device spares it only to a person who has one', async () => {
      const before = await start()
      const running = await startWith(before.clock, { secondFactor: 'required' })
      const browser = await remember({ ...before, ...running })
      assert.equal(await isSpared(browser), true)
      await logOut(browser)
      await running.keystile.resetFactors(before.ada.subject)
      assert.match(await enter(browser), /Set up your authenticator app/)
    })

    it('a device is remembered without rate limits too', async () => {
      assert.equal(await isSpared(await remember(await start({ rateLimits: 'off' }))), true)
    })

    it('a shorter setting makes it shorter, and 0 ends it', async () => {
      const running = await start()
      const browser = await remember(running)
      running.clock.advance(2 * daySeconds)
      for (const [rememberFactorDays, spared] of [
        [2, false],
        [0, false],
        [3, true],
      ] as const) {
        const other = await startWith(running.clock, { rememberFactorDays })
        assert.equal(await isSpared(copyOf(browser, other)), spared, String(rememberFactorDays))
      }
    })

    it('a login at the same moment as a log-out everywhere does not stay', async () => {
      const running = await start()
      const browsers: PageBrowser[] = []
      for (let count = 0; count < 5; count++) browsers.push(await remember(running))
      await Promise.all([
        ...browsers.map((browser) => enter(browser)),
        running.keystile.sessions.revokeAll(running.ada.subject),
      ])
      for (const browser of browsers) {
        assert.equal((await browser.request('GET', '/account')).status, 303)
        assert.equal(await isSpared(browser), false)
      }
    })

    type End = (running: Running, bearer: string) => Promise<unknown>
    /** What ends it. `bearer` is a token of a login with a code, beside which there is another. */
    const ends: Readonly<Record<string, End>> = {
      'another app': async ({ send, clock }, bearer) => {
        const begun = await send('POST', '/users/me/factors/totp', { bearer })
        const json = { code: appCode(begun.json['secret'], clock) }
        const path = '/users/me/factors/totp/confirm'
        assert.equal((await send('POST', path, { bearer, json })).status, 200)
      },
      'new recovery codes': ({ send }, bearer) =>
        send('POST', '/users/me/factors/recovery-codes', { bearer }),
      'a log-out everywhere': ({ send }, bearer) =>
        send('DELETE', '/users/me/sessions', { bearer }),
      'the end of another session': async ({ send }, bearer) => {
        const { json } = await send('GET', '/users/me/sessions', { bearer })
        const other = json['sessions'].find(({ current }: { current: boolean }) => !current)
        return send('DELETE', `/users/me/sessions/${other.id}`, { bearer })
      },
      'a new password': async ({ keystile, writeHash, ada }) =>
        writeHash(ada.subject, await keystile.hashPassword(newPassword)),
    }
    it('a session that does not exist ends no remembered device', async () => {
      const running = await start()
      const browser = await remember(running)
      const { accessToken: bearer } = await tokensWithFactor(running.ada)
      const unknown = `/users/me/sessions/${'A'.repeat(22)}`
      assert.equal((await running.send('DELETE', unknown, { bearer })).status, 404)
      assert.equal(await isSpared(browser), true)
    })

    for (const [what, end] of Object.entries(ends))
      it(`after ${what}, the device is not remembered`, async () => {
        const running = await start()
        const browser = await remember(running)
        assert.equal(await isSpared(browser), true)
        await logOut(browser)
        const { accessToken } = await tokensWithFactor(running.ada)
        await running.ada.login()
        await end(running, accessToken)
        const word = what === 'a new password' ? newPassword : password
        assert.equal(await isSpared(browser, { password: word }), false)
      })
  },
  bothDirectories,
)

describeOnBoth('a remembered device of an account', (stage) => {
  it('is forgotten when the account is disabled', async () => {
    const clock = createTestClock()
    const options = { clock, loginPages: 'on', rememberFactorDays: 30 } as const
    const running = await stage.start({ ...options, secondFactor: 'optional' })
    const ada = await enrol(running, clock)
    const browser = openBrowser(running)
    await browser.open('/login')
    await browser.submit({ username: 'ada', password })
    await browser.submit({ otp: ada.nextCode(), remember: 'on' })
    assert.equal(browser.at(), '/account')

    await running.disable(ada.subject)
    const [user] = await running.users.listAfter('', 1)
    assert.ok(user)
    assert.equal(await running.users.change(user, { active: true }, { actor: 'app' }), 'changed')
    await browser.open('/login')
    assert.match((await browser.submit({ username: 'ada', password })).text, /name="otp"/)
  })
})
