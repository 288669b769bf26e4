// Attacks on the pages of the login and of the account. The tables of pages and forms come from the
// OpenAPI document, so each new page is attacked as well.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import * as z from 'zod'
import {
  createTestClock,
  describeOnBoth,
  describeOnOne,
  issuer,
  password,
  type Answer,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { startWithMailbox, type WithMailbox } from '../../packages/server/test-support/mailbox.ts'
import { openBrowser, type PageBrowser } from '../../packages/server/test-support/page-browser.ts'
import { listPages } from '../../packages/server/test-support/pages.ts'
import { appCode, enrol } from '../../packages/server/test-support/second-factor.ts'

const { origin, pathname: base } = new URL(issuer)
const own = { origin }
const options = { loginPages: 'on', secondFactor: 'optional' }
const newPassword = 'purple monkey dishwasher'
const [loginCookie, formCookie] = ['login', 'form'].map(
  (name) => `__Host-keystile-${name}-7d2f30b8`,
) as [string, string]

async function enter(running: TestKeystile, login = 'ada'): Promise<PageBrowser> {
  const browser = openBrowser(running)
  await browser.open('/login')
  await browser.submit({ username: login, password })
  assert.equal(browser.at(), '/account')
  return browser
}

const isIn = async (browser: PageBrowser): Promise<boolean> =>
  (await browser.request('GET', '/account')).status === 200

/** Values that make a form do its work, where one value suffices. */
const working: Readonly<Record<string, string>> = {
  username: 'ada',
  password,
  current_password: password,
  new_password: newPassword,
  email: 'eve@example.com',
  new_email: 'eve@example.com',
  enrol: 'totp',
}
const filled = (fields: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(fields.map((name) => [name, working[name] ?? 'x']))

describeOnOne('PostgreSQL', 'the pages under attack', (stage) => {
  const start = async (): Promise<WithMailbox> => {
    const running = await startWithMailbox(stage, { ...options, emailVerification: 'optional' })
    await running.addUser()
    return running
  }
  /** What the forms of pages can change. */
  const readState = async (): Promise<string> =>
    JSON.stringify([
      await stage.sql('select id, ended_at from session order by id'),
      await stage.sql('select * from browser_login order by session_id'),
      await stage.sql('select * from "user" order by id'),
      await stage.sql('select * from authenticator_app'),
      await stage.sql('select id from mail_proof order by id'),
    ])
  /**
   * Opens each page, and sends each form, in a browser that is logged in and in another one.
   *
   * @param value what each parameter and each field is
   */
  async function visitAll(
    running: TestKeystile,
    look: (answer: Answer, page: string) => void,
    {
      value = 'x',
      names = [],
      username = 'ada',
    }: { value?: string; names?: readonly string[]; username?: string } = {},
  ): Promise<void> {
    const { opened, forms } = listPages(running)
    assert.ok(opened.length >= 10 && forms.length >= 10)
    // The deletion ends the visit.
    const isLast = ({ path }: { path: string }): boolean => path === '/account/delete'
    const sorted = [...forms.filter((form) => !isLast(form)), ...forms.filter(isLast)]
    const fieldsOf = (fields: readonly string[]): Readonly<Record<string, string>> =>
      Object.fromEntries([...names, ...fields].map((name) => [name, value]))
    const known = await enter(running, username)
    for (const browser of [openBrowser(running), known]) {
      for (const path of opened) {
        const query = new URLSearchParams(fieldsOf(names)).toString()
        look(await browser.request('GET', `${path}?${query}`), `GET ${path}`)
      }
      for (const { path, fields } of sorted) {
        if (path === '/logout' && browser === known) continue
        if (isLast({ path })) assert.equal(await isIn(browser), browser === known)
        const form = fieldsOf(fields)
        look(await browser.request('POST', path, { form, headers: own }), `POST ${path}`)
      }
    }
  }

  it('each form of the pages is refused from another origin, and changes nothing', async () => {
    const running = await start()
    const browser = await enter(running)
    const before = await readState()
    const evil = ['https://evil.example', 'null', `${origin}.evil.example`, `${origin}0`]
    const mixed = [origin.replace('http:', 'https:'), 'http://localhost', `${origin}/auth`]
    const { forms } = listPages(running)
    assert.ok(forms.some(({ path }) => path === '/account/delete'))
    for (const { path, fields } of forms)
      for (const from of [undefined, ...evil, ...mixed]) {
        const { status, text } = await browser.request('POST', path, {
          form: filled(fields),
          headers: from === undefined ? {} : { origin: from, referer: `${issuer}/account` },
        })
        assert.equal(status, 403, `${path} from ${from}`)
        assert.match(text, /<h1.*>This did not work</, path)
      }
    assert.equal(await readState(), before)
    assert.equal(await isIn(browser), true)
  })

  it('each form without the token of this login changes nothing, and leads to a page of it', async () => {
    const running = await start()
    const [browser, other] = [await enter(running), await enter(running)]
    const tokenIn = async ({ request }: PageBrowser): Promise<string> => {
      const { text } = await request('GET', '/account/delete')
      return / name="form_token" value="([^"]+)"/.exec(text)?.[1] ?? ''
    }
    const right = await tokenIn(browser)
    assert.match(right, /^[\w-]{43}$/)
    const before = await readState()
    for (const token of ['', 'x', right.toLowerCase(), await tokenIn(other)])
      for (const { path, fields } of listPages(running).forms) {
        const form = { ...filled(fields), form_token: token }
        const { status, headers } = await browser.request('POST', path, { form, headers: own })
        const next = path === '/logout' ? '/logout' : '/account'
        assert.deepEqual([status, headers.get('location')], [303, `${base}${next}`], path)
      }
    assert.equal(await readState(), before)
    assert.equal(await isIn(browser), true)
  })

  it('a GET of a page changes nothing, also with the fields of its form in the query', async () => {
    const running = await start()
    const browser = await enter(running)
    const before = await readState()
    const { forms } = listPages(running)
    for (const { path, fields } of forms) {
      const query = new URLSearchParams(filled(fields)).toString()
      const { status } = await browser.request('GET', `${path}?${query}`)
      assert.ok(status < 500 && status !== 204, path)
    }
    assert.equal(await readState(), before)
  })

  it('each page forbids frames, scripts and caches, and its address leaks to no other site', async () => {
    const running = await start()
    let pages = 0
    await visitAll(running, ({ status, headers, text }, page) => {
      assert.equal(headers.get('cache-control'), 'no-store', page)
      assert.equal(headers.get('x-content-type-options'), 'nosniff', page)
      if (status === 303) return
      pages++
      assert.match(headers.get('content-type') ?? '', /^text\/html/, `${page} ${text}`)
      assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin', page)
      const policy = headers.get('content-security-policy') ?? ''
      for (const rule of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"])
        assert.ok(policy.includes(rule), page)
      assert.match(policy, /form-action 'self'/)
      assert.doesNotMatch(policy, /script|unsafe|\*/)
      assert.doesNotMatch(text, /<script|\son\w+=|javascript:/i, page)
      assert.match(headers.get('referrer-policy') ?? '', /^(same-origin|no-referrer)$/, page)
    })
    assert.ok(pages > 20)
  })

  it('no page whose address has the token of a link sends this address to its own origin', async () => {
    const running = await start()
    const browser = await enter(running)
    const pages = listPages(running).forms.filter(({ fields }) => fields.includes('token'))
    assert.ok(pages.length > 0)
    for (const { path } of pages) {
      const { status, headers } = await browser.request('GET', `${path}?token=x`)
      assert.ok(status === 303 || headers.get('referrer-policy') === 'no-referrer', path)
      assert.doesNotMatch(headers.get('location') ?? '', /token/)
    }
  })

  it('no parameter of a page or a form leads to another site', async () => {
    const running = await startWithMailbox(stage, { ...options, emailVerification: 'optional' })
    const names = ['to', 'next', 'url', 'redirect', 'redirect_uri', 'return_to', 'continue']
    const others = [
      'https://evil.example/',
      '//evil.example',
      '/\\evil.example',
      'javascript:evil()',
    ]
    for (const value of others) {
      const look = ({ headers, text }: Answer, page: string): void => {
        const location = headers.get('location')
        if (location !== null) assert.match(location, /^\/auth\/[a-z]/, page)
        assert.doesNotMatch(location ?? '', /evil/, page)
        assert.doesNotMatch(text, /(href|action|src|formaction|content)="[^"]*evil/, page)
      }
      const username = `ada${others.indexOf(value)}`
      await running.addUser({ username, email: `${username}@example.com` })
      await visitAll(running, look, { value, names, username })
    }
  })

  it('no name, setting or value that was sent becomes markup', async () => {
    const attack = `x"onfocus="x'><img src=x>`
    const inAddress = `https://app.example/?a="onfocus="x'><img>`
    const text = `${attack} text`
    const running = await startWithMailbox(stage, {
      ...options,
      emailVerification: 'optional',
      registration: 'open',
      appName: attack,
      appUrl: inAddress,
      termsUrl: inAddress,
      privacyUrl: inAddress,
      pageTexts: {
        en: { loginPage: { heading: text, button: text }, accountHome: { heading: text } },
      },
      profile: z.object({ city: z.string().meta({ title: attack }) }),
    })
    assert.equal((await running.register({ city: attack })).status, 201)
    const headers = { 'user-agent': attack }
    const form = { grant_type: 'password', username: 'ada', password }
    assert.equal((await running.send('POST', '/token', { form, headers })).status, 200)

    const seen = new Set<string>()
    const look = ({ text: shown }: Answer, page: string): void => {
      assert.doesNotMatch(shown, /"onfocus=|'><img/, page)
      for (const match of shown.match(/x&#34;onfocus[^<]*|%22onfocus[^<]*/g) ?? []) seen.add(match)
    }
    await visitAll(running, look, { value: attack, names: ['to', 'done'] })
    assert.ok(seen.size >= 5, [...seen].join('\n'))
  })

  it('a browser with two cookies of one name is not logged in', async () => {
    const running = await start()
    const browser = await enter(running)
    const secret = browser.cookies.get(loginCookie) ?? ''
    for (const cookie of [
      `${loginCookie}=planted; ${loginCookie}=${secret}`,
      `${loginCookie}=${secret}; ${loginCookie}=planted`,
    ]) {
      const { status } = await running.send('GET', '/account', { headers: { cookie } })
      assert.equal(status, 303)
    }
  })

  it('a cookie that an attacker plants before the login is worth nothing after it', async () => {
    const running = await start()
    await running.addUser({ username: 'eve', email: 'eve@example.com' })
    const attacker = await enter(running, 'eve')
    const victim = openBrowser(running)
    const plantedLogin = [loginCookie, 'x'.repeat(43)] as const
    const plantedForm = [formCookie, attacker.cookies.get(formCookie) ?? ''] as const
    const all: ReadonlyMap<string, string> = attacker.cookies
    for (const planted of [new Map([plantedLogin]), new Map([plantedLogin, plantedForm]), all]) {
      victim.cookies.clear()
      await victim.open('/login')
      // The page of the login is still open while the attacker plants the cookies: its form ends.
      for (const [name, value] of planted) victim.cookies.set(name, value)
      await victim.submit({ username: 'ada', password })
      for (const [name, value] of planted) assert.equal(victim.cookies.get(name), value)
      if (planted === all) victim.cookies.delete(loginCookie)
      await victim.open('/login')
      await victim.submit({ username: 'ada', password })
      assert.match(victim.shown().text, /ada/)
      for (const name of [loginCookie, formCookie])
        assert.notEqual(victim.cookies.get(name), planted.get(name) ?? '')
      const thief = openBrowser(running)
      for (const [name, value] of planted) thief.cookies.set(name, value)
      const { status, text } = await thief.request('GET', '/account')
      assert.ok(status === 303 || !text.includes('ada'))
    }
  })
})

describeOnBoth('the pages under attack, with second factors', (stage) => {
  it('each form that names an attempt is worth nothing in another browser', async () => {
    const clock = createTestClock()
    const running = await stage.start({ ...options, clock } as object)
    const eve = await enrol(running, clock, 'eve')
    const forms = listPages(running).forms.filter(({ fields }) => fields.includes('attempt'))
    assert.ok(forms.length > 0)
    for (const { path } of forms) {
      const [attacker, victim] = [openBrowser(running), openBrowser(running)]
      await attacker.open('/login')
      await attacker.submit({ username: 'eve', password })
      const [, attempt = ''] = /name="attempt" value="([^"]+)"/.exec(attacker.shown().text) ?? []
      await victim.open('/login')
      await victim.request('POST', path, { form: { attempt, otp: eve.nextCode() }, headers: own })
      assert.equal(victim.cookies.has(loginCookie), false)
      assert.equal(await isIn(victim), false)
    }
  })

  it('a login in one tab does not need, end or finish the attempt of another tab', async () => {
    const clock = createTestClock()
    const running = await stage.start({ ...options, clock } as object)
    const [ada, bob] = [await enrol(running, clock), await enrol(running, clock, 'bob')]
    const browser = openBrowser(running)
    const begin = async (username: string): Promise<string> => {
      await browser.open('/login')
      await browser.submit({ username, password })
      return /name="attempt" value="([^"]+)"/.exec(browser.shown().text)?.[1] ?? ''
    }
    const [first, second] = [await begin('ada'), await begin('bob')]
    const prove = (attempt: string, otp: string): Promise<Answer> =>
      browser.request('POST', '/login/factor', { form: { attempt, otp }, headers: own })

    // Wrong codes use up the first attempt, and its right code cannot end the second one.
    for (let tries = 0; tries < 5; tries++) await prove(first, '000000')
    assert.match((await prove(first, ada.nextCode())).text, /has expired/)
    assert.notEqual((await prove(second, appCode(ada.secret, clock))).status, 303)
    assert.equal((await prove(second, bob.nextCode())).status, 303)
    assert.match((await browser.request('GET', '/account')).text, /bob/)

    // A tab from before the login cannot replace it.
    const late = await prove(first, ada.nextCode())
    assert.equal(late.headers.get('location'), `${base}/account`)
    assert.match((await browser.request('GET', '/account')).text, /bob/)
  })
})

describeOnOne('PostgreSQL', 'the pages on three instances', (stage) => {
  it('a browser is logged out at its next request of any page, on each of three instances', async () => {
    const clock = createTestClock()
    const given = { ...options, clock } as object
    const [one, two, three] = [
      await stage.start(given),
      await stage.start(given),
      await stage.start(given),
    ]
    let word = password
    const subject = await one.addUser()
    const bearer = async (): Promise<string> =>
      (await one.login({ password: word })).json['access_token'] as string
    const ends: Readonly<Record<string, () => Promise<unknown>>> = {
      'a log-out everywhere': async () =>
        one.send('DELETE', '/users/me/sessions', { bearer: await bearer() }),
      'a new password': async () => {
        const json = { current_password: word, new_password: newPassword }
        await one.send('POST', '/users/me/password', { bearer: await bearer(), json })
        word = newPassword
      },
      'a disabled user': () => one.disable(subject),
    }
    for (const [name, end] of Object.entries(ends)) {
      const browser = openBrowser(one)
      await browser.open('/login')
      await browser.submit({ username: 'ada', password: word })
      const copies = [one, two, three].map((running) => {
        const copy = openBrowser(running)
        for (const [cookie, value] of browser.cookies) copy.cookies.set(cookie, value)
        return copy
      })
      for (const copy of copies) assert.equal(await isIn(copy), true)
      await end()
      const { opened, forms } = listPages(one)
      for (const copy of copies) {
        const ofAccount = (path: string): boolean => path.startsWith('/account')
        for (const path of opened.filter(ofAccount)) {
          const { status, headers } = await copy.request('GET', path)
          assert.deepEqual([status, headers.get('location')], [303, `${base}/login`], name)
        }
        for (const { path, fields } of forms.filter((form) => ofAccount(form.path))) {
          const form = { ...filled(fields), current_password: word }
          const { status, headers } = await copy.request('POST', path, { form, headers: own })
          assert.deepEqual([status, headers.get('location')], [303, `${base}/login`], name)
        }
      }
    }
  })
})
