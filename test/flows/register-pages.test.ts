// The pages on which people register, sent and answered as a browser does it.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import * as z from 'zod'
import {
  describeOnBoth,
  describeOnOne,
  issuer,
  password,
  type Stage,
} from '../../packages/server/test-support/keystile.ts'
import { startWithMailbox, type WithMailbox } from '../../packages/server/test-support/mailbox.ts'
import { openBrowser, type PageBrowser } from '../../packages/server/test-support/page-browser.ts'
import { appCode } from '../../packages/server/test-support/second-factor.ts'

const { origin } = new URL(issuer)
const loginCookie = '__Host-keystile-login-7d2f30b8'
const ada = { username: 'ada', email: 'ada@example.com', password }
const termsUrl = 'https://shop.example/terms'
const privacyUrl = 'https://shop.example/privacy'
const accepted = { accepted_urls: `${termsUrl} ${privacyUrl}` }

const start = (stage: Stage, options: object = {}): Promise<WithMailbox> =>
  startWithMailbox(stage, { loginPages: 'on', emailVerification: 'off', ...options })

/** Opens the page, and sends its form. */
async function register(running: WithMailbox, fields: object = {}): Promise<PageBrowser> {
  const browser = openBrowser(running)
  await browser.open('/register')
  await browser.submit({ ...ada, ...fields })
  return browser
}

const isIn = (browser: PageBrowser): boolean => browser.cookies.has(loginCookie)

/** The names of the fields that the page shows as wrong, and what it says there. */
const faultsOf = (browser: PageBrowser): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...browser.shown().text.matchAll(/id="([\w-]+)-fault" role="alert">(.*?)<\/p>/g)].map(
      ([, name, text]) => [name, text?.replaceAll(/<[^>]*>/g, '')],
    ),
  )

describeOnBoth('the page of a registration', (stage) => {
  const readUsers = () => stage.sql('select username, email, profile from "user"')
  const readAccepted = async (): Promise<readonly unknown[]> => {
    const rows = await stage.sql(`select * from audit where event = 'user_created'`)
    return rows.map(({ detail }) => JSON.parse(String(detail)))
  }

  it('a person who registers is logged in, and comes to the account', async () => {
    const browser = await register(await start(stage))
    assert.equal(browser.at(), '/account')
    assert.equal(isIn(browser), true)
    assert.match(browser.shown().text, /ada@<wbr>example\.com/)
    assert.equal((await stage.sql('select id from session')).length, 1)
    // A person who is logged in registers no more.
    await browser.open('/register')
    assert.equal(browser.at(), '/account')
  })

  it('after a registration, the page takes the code of the mail that is on its way', async () => {
    const running = await start(stage, { emailVerification: 'optional' })
    const browser = await register(running)
    assert.match(browser.at(), /^\/account\/verification\?request_id=/)
    assert.match(browser.shown().text, /A mail is on its way/)
    const { code } = await running.mailTo('ada@example.com')
    await browser.submit({ code })
    assert.equal(browser.at(), '/account')
    assert.match(browser.shown().text, /Your e-mail address is confirmed/)
  })

  it('a registration waits for the mail if the address must be confirmed', async () => {
    const running = await start(stage, { emailVerification: 'required' })
    const browser = await register(running)
    assert.match(browser.shown().text, /A mail is on its way to ada@example\.com/)
    assert.deepEqual([isIn(browser), await readUsers()], [false, []])
    // Back and Reload open this page again, and its address has no secret.
    assert.equal(browser.at(), '/register/code')
    assert.match((await browser.open('/register/code')).text, /on its way to ada@example\.com/)

    await browser.submit({ code: '0000 0000' })
    assert.deepEqual([browser.shown().status, Object.keys(faultsOf(browser))], [403, ['code']])
    assert.match(browser.shown().text, /on its way to ada@example\.com/)
    const { code } = await running.mailTo('ada@example.com')
    await browser.submit({ code })
    assert.match(
      browser.shown().text,
      /Your account is ready\. For your safety, enter your password/,
    )
    assert.equal(browser.at(), '/login')
    assert.match(browser.shown().text, /value="ada"/)
    assert.match(browser.shown().text, /<input id="password"[^>]* autofocus>/)
    assert.equal(browser.shown().text.match(/ autofocus/g)?.length, 1)
    assert.equal(isIn(browser), false)
    // What is done is said once, and the registration has ended in this browser.
    assert.doesNotMatch((await browser.open('/login')).text, /Your account is ready|value="ada"/)
    await browser.open('/register/code')
    assert.equal(browser.at(), '/register')
    await browser.open('/login')
    await browser.submit({ username: 'ada', password })
    assert.equal(browser.at(), '/account')
  })

  it('a person who gets no mail registers again, without typing the name and the address', async () => {
    const running = await start(stage, { emailVerification: 'required' })
    const browser = await register(running)
    const { text } = browser.shown()
    assert.match(text, /<a href="\/auth\/register">register again<\/a>: your name and address/)
    await browser.open('/register')
    assert.match(browser.shown().text, /id="username"[^>]* value="ada"/)
    assert.match(browser.shown().text, /id="email"[^>]* value="ada@example\.com"/)
    assert.ok(!browser.shown().text.includes(password))
    const another = openBrowser(running)
    await another.open('/register')
    assert.doesNotMatch(another.shown().text, / value="ada/)

    const { code } = await running.mailTo('ada@example.com')
    await browser.open('/register/code')
    await browser.submit({ code })
    await browser.open('/register')
    assert.doesNotMatch(browser.shown().text, / value="ada/)
  })

  it('the page after a registration does not tell whether the name or the address exists', async () => {
    const running = await start(stage, { emailVerification: 'required' })
    const ids = /(?<=name="(registration_id|form_token)" value=")[^"]+/g
    const withoutId = ({ shown }: PageBrowser): string => shown().text.replace(ids, '')
    const free = await register(running)
    const { code } = await running.mailTo('ada@example.com')
    await free.submit({ code })
    const before = withoutId(await register(running, { email: 'b@example.com' }))
    const taken = await register(running)
    assert.equal(withoutId(taken).replaceAll('ada@', 'b@'), before)
    const { message } = await running.mailTo('ada@example.com')
    assert.match(message.subject, /already have an account/)
    await taken.submit({ code: '0000 0000' })
    assert.deepEqual(Object.keys(faultsOf(taken)), ['code'])
    // The link of the mail may have been opened in another window.
    assert.match(taken.shown().text, /opened the link of the mail, <a href="\/auth\/login">log in</)
  })

  it('if the name is taken by then, the page asks for another name and logs in', async () => {
    const running = await start(stage, { emailVerification: 'required' })
    const browsers = [await register(running), await register(running, { email: 'b@example.com' })]
    const codes = [await running.mailTo('ada@example.com'), await running.mailTo('b@example.com')]
    await browsers[0]!.submit({ code: codes[0]!.code })

    const browser = browsers[1]!
    await browser.submit({ code: codes[1]!.code })
    assert.deepEqual([browser.shown().status, Object.keys(faultsOf(browser))], [409, ['username']])
    assert.match(browser.shown().text, /The one that you chose when you registered/)
    const { code } = codes[1]!
    await browser.submit({ code, username: 'bea', password: 'wrong' })
    assert.deepEqual(Object.keys(faultsOf(browser)), ['password'])
    assert.match(browser.shown().text, /value="bea"/)
    await browser.submit({ code, username: 'bea', password })
    assert.equal(browser.at(), '/account')
  })

  it('each fault is at its field, and the page keeps what was typed except the password', async () => {
    const profile = z.strictObject({ city: z.string().min(2), size: z.int() })
    const running = await start(stage, { profile, termsUrl })
    const typed = { username: '-a', email: 'no <address>', city: 'Q', size: '12' }
    const browser = await register(running, { ...typed, accepted_urls: termsUrl })
    const { status, text } = browser.shown()
    assert.equal(status, 422)
    assert.deepEqual(Object.keys(faultsOf(browser)), ['username', 'email', 'city'])
    assert.match(faultsOf(browser)['username'] ?? '', /^2 to 63 letters/)
    assert.match(text, /<title>Error: Create your account/)
    for (const value of ['-a', 'no &#60;address&#62;', 'Q', '12'])
      assert.match(text, new RegExp(` value="${value}"`))
    assert.match(text, / checked/)
    assert.equal(text.match(/ autofocus/g)?.length, 1)
    assert.doesNotMatch(text, new RegExp(password))

    await browser.submit({ ...ada, city: 'Paris', size: '5', password: 'ada', ...accepted })
    assert.deepEqual(Object.keys(faultsOf(browser)), ['accepted_urls'])
    const right = { ...ada, city: 'Paris', size: '5', accepted_urls: termsUrl }
    await browser.submit({ ...right, password: 'ada' })
    assert.deepEqual(Object.keys(faultsOf(browser)), ['password'])
    await browser.submit(right)
    assert.equal(browser.at(), '/account')
    const [user] = await readUsers()
    assert.deepEqual(JSON.parse(String(user?.['profile'])), { city: 'Paris', size: 5 })
  })

  it('a password that is too short is said together with the faults of other fields', async () => {
    const running = await start(stage)
    const browser = await register(running, { username: 'Ada L', email: 'no', password: 'short' })
    assert.deepEqual(Object.keys(faultsOf(browser)), ['username', 'email', 'password'])
    const { username, email, password: text } = faultsOf(browser)
    assert.match(username ?? '', /no spaces/)
    assert.match(email ?? '', /should look like ada@example\.com/)
    assert.equal(text, 'Password should have at least 15 characters.')
    assert.doesNotMatch(browser.shown().text, /"short"/)
  })

  it('a name or an address that is taken is a fault at its field', async () => {
    const running = await start(stage)
    await register(running)
    for (const [fields, field] of [
      [{ email: 'b@example.com' }, 'username'],
      [{ username: 'bea' }, 'email'],
    ] as const) {
      const browser = await register(running, fields)
      assert.deepEqual([browser.shown().status, Object.keys(faultsOf(browser))], [409, [field]])
      assert.equal(isIn(browser), false)
    }
  })

  it('who must have a second factor sets it up before the first session', async () => {
    const running = await start(stage, {
      secondFactor: 'required',
      emailVerification: 'optional',
    })
    const browser = await register(running, { username: ' ada ' })
    assert.match(browser.shown().text, /Check your mail/)
    const { code } = await running.mailTo('ada@example.com')
    // Two mails with a code each would be one too many.
    assert.equal(running.mails.length, 1)
    const { text } = await browser.submit({ email_code: code })
    const again = await browser.submit({ email_code: code })
    assert.equal(again.status, 200)
    assert.doesNotMatch(again.text, /class="fault"/)
    assert.deepEqual(await stage.sql('select id from session'), [])
    const [, secret = ''] = /secret=([A-Z2-7]{32})/.exec(text) ?? []
    await browser.submit({ otp: appCode(secret, running.clock) })
    assert.equal(isIn(browser), true)
  })

  it('no account is created until the terms are accepted, and the audit record has the acceptance', async () => {
    const running = await start(stage, { termsUrl, privacyUrl })
    const browser = await register(running)
    assert.match(browser.shown().text, /accept the <a href="https:\/\/shop\.example\/terms"/)
    for (const wrong of [{}, { accepted_urls: 'on' }, { accepted_urls: termsUrl }]) {
      await browser.submit({ ...ada, ...wrong })
      const { status, text } = browser.shown()
      assert.deepEqual([status, Object.keys(faultsOf(browser))], [422, ['accepted_urls']])
      assert.doesNotMatch(text, / checked/)
    }
    assert.deepEqual(await readUsers(), [])

    await browser.submit({ ...ada, ...accepted })
    assert.equal(browser.at(), '/account')
    const at = new Date(running.clock.now()).toISOString()
    const urls = { terms: termsUrl, privacy: privacyUrl }
    assert.deepEqual(await readAccepted(), [{ accepted: { at, ...urls } }])
  })

  it('a confirmed registration keeps what was accepted, and when, by code and by link', async () => {
    const running = await start(stage, { emailVerification: 'required', privacyUrl })
    const at = new Date(running.clock.now()).toISOString()
    const wanted = { accepted: { at, privacy: privacyUrl } }
    const browser = await register(running, { accepted_urls: privacyUrl })
    await register(running, { username: 'b', email: 'b@example.com', accepted_urls: privacyUrl })
    await register(running, { username: 'bea', email: 'b@example.com', accepted_urls: privacyUrl })
    const { code } = await running.mailTo('ada@example.com')
    const { token } = await running.mailTo('b@example.com')
    running.clock.advance(60)
    await browser.submit({ code })
    await browser.open(`/account/finish-registration?token=${token}`)
    const form = { token, password }
    const done = await browser.request('POST', '/account/finish-registration', { form })
    assert.equal(done.status, 303)
    assert.deepEqual(await readAccepted(), [wanted, wanted])
  })

  it('an invitation is accepted together with the terms', async () => {
    const running = await start(stage, { termsUrl, registration: 'closed' })
    await running.keystile.users?.invite({ email: 'ada@example.com' })
    const { token } = await running.mailTo('ada@example.com')
    const browser = openBrowser(running)
    await browser.open(`/account/accept-invitation?token=${token}`)
    const send = (form: object) =>
      browser.request('POST', '/account/accept-invitation', {
        form: { token, username: 'ada', password, ...form },
      })
    const refused = await send({})
    assert.equal(refused.status, 422)
    assert.match(refused.text, /id="accepted_urls-fault"/)
    assert.deepEqual(await readUsers(), [])
    assert.equal((await send({ accepted_urls: termsUrl })).status, 303)
    const at = new Date(running.clock.now()).toISOString()
    assert.deepEqual(await readAccepted(), [{ accepted: { at, terms: termsUrl } }])
  })
})

describeOnOne('SQLite', 'the page of a registration', (stage) => {
  it('the pages of a login and of a registration link to each other', async () => {
    const browser = openBrowser(await start(stage))
    await browser.open('/login')
    assert.match(browser.shown().text, /<a href="\/auth\/register">Create an account<\/a>/)
    await browser.open('/register')
    const { text, headers } = browser.shown()
    assert.match(text, /<a href="\/auth\/login">Log in<\/a>/)
    assert.equal(headers.get('referrer-policy'), 'same-origin')
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.match(headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/)
    assert.doesNotMatch(text, /<script/)
  })

  it('without an open registration or without login pages, /register answers 404', async () => {
    for (const options of [{ registration: 'closed' }, { loginPages: 'off' }]) {
      const running = await start(stage, options)
      for (const path of ['/register', '/register/code'])
        for (const method of ['GET', 'POST'])
          assert.equal((await running.send(method, path)).status, 404)
      assert.doesNotMatch((await running.send('GET', '/login')).text, /register/)
    }
  })

  it('a registration from another origin, or without the cookie of the page, creates nothing', async () => {
    const running = await start(stage, { emailVerification: 'required' })
    const browser = openBrowser(running)
    await browser.open('/register')
    for (const path of ['/register', '/register/code'])
      for (const headers of [{}, { origin: 'null' }, { origin: 'https://evil.example' }])
        assert.equal((await browser.request('POST', path, { form: ada, headers })).status, 403)
    browser.cookies.clear()
    for (const path of ['/register', '/register/code']) {
      const { text } = await browser.request('POST', path, { form: ada, headers: { origin } })
      assert.match(text, /Your browser keeps no cookies/)
    }
    assert.deepEqual(await stage.sql('select id from pending_registration'), [])
  })

  it('too many registrations are refused on a page, with the time of the next try', async () => {
    const running = await start(stage, { rateLimits: 'on', trustedProxies: [] })
    const browser = openBrowser({
      send: (method, path, options) =>
        running.send(method, path, { ...options, remoteAddress: '192.0.2.1' }),
    })
    let answer = await browser.open('/register')
    for (let tries = 0; tries < 60 && answer.status !== 429; tries++)
      answer = await browser.submit({ ...ada, password: 'password password' })
    assert.equal(answer.status, 429)
    assert.match(answer.text, /Too many tries/)
    assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/)
    assert.match(answer.text, / value="ada@example\.com"/)
  })

  it('the page of a registration exists in each language', async () => {
    const running = await start(stage, { termsUrl, privacyUrl, emailVerification: 'required' })
    const headings = new Set<string | undefined>()
    for (const language of ['en', 'de', 'fr', 'es']) {
      const headers = { 'accept-language': language }
      const { text } = await running.send('GET', '/register', { headers })
      const [sheet = ''] = /<main[^]*<\/main>/.exec(text) ?? []
      headings.add(/<h1>(.*?)<\/h1>/.exec(sheet)?.[1])
      assert.equal(sheet.match(/<a [^>]*target="_blank">/g)?.length, 2, language)
      assert.doesNotMatch(sheet, /\[|\]/, language)
    }
    assert.equal(headings.size, 4)
  })
})
