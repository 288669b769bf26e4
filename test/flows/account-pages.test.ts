// The pages for the links in mails: what people see, and what scanners cannot use up.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { afterEach, it } from 'node:test'
import type { AppMail, MailMessage } from '@keystile/server'
import {
  createTestClock,
  describeOnOne,
  password,
  type Answer,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { mailFlows } from '../../packages/server/test-support/mail-flows.ts'
import { until } from '../../tools/until.ts'

const next = 'purple monkey dishwasher'

describeOnOne('SQLite', 'the pages for a new password', (stage) => {
  const mails: MailMessage[] = []
  afterEach(() => void (mails.length = 0))
  const mail: AppMail = { from: 'no-reply@example.com', send: (sent) => void mails.push(sent) }
  const start = (options: object = {}): Promise<TestKeystile> => stage.start({ mail, ...options })
  const nextMail = async (): Promise<{ readonly link: URL; readonly code: string }> => {
    await until(() => mails.length > 0)
    const { text = '' } = mails.pop() ?? {}
    return {
      link: new URL(/^http\S+$/m.exec(text)?.[0] ?? ''),
      code: /^\d{4} \d{4}$/m.exec(text)?.[0] ?? '',
    }
  }
  const pathOf = ({ pathname, search }: URL): string => pathname.replace('/auth', '') + search
  /** Asks for a mail. Returns the page to which the answer leads, as a browser does. */
  const ask = async (
    { send }: TestKeystile,
    login = 'ada',
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> => {
    const sent = await send('POST', '/account/forgot-password', {
      form: { login },
      headers: { origin: 'http://localhost:3000', ...headers },
      remoteAddress: '192.0.2.7',
    })
    const location = sent.headers.get('location')
    return location === null ? sent : send('GET', location.replace('/auth', ''))
  }

  it('a user can request a mail and set a new password on the account pages', async () => {
    const started = await start()
    const { send, addUser, login } = started
    await addUser()
    const form = await send('GET', '/account/forgot-password')
    assert.match(form.text, /<form method="post" action="forgot-password">[^]*name="login"/)
    assert.equal((await ask(started)).status, 200)

    const { link } = await nextMail()
    const page = await send('GET', pathOf(link))
    const token = link.searchParams.get('token') ?? ''
    assert.deepEqual(hiddenOf(page), { token })
    const done = await send('POST', '/account/reset-password', {
      form: { ...hiddenOf(page), new_password: next },
    })
    assert.deepEqual([done.status, headingOf(done)], [200, 'Your password is set'])
    assert.equal((await login({ password: next })).status, 200)
  })

  it('a person who reads the reset mail on another device can enter the mailed code', async () => {
    const started = await start()
    const { send, addUser, login } = started
    await addUser()
    const page = await ask(started)
    assert.match(page.text, /autocomplete="one-time-code"/)
    assert.match(page.text, /Check what you type, and try your user name or another address too/)
    const { code } = await nextMail()
    const form = { ...hiddenOf(page), code: ` ${code.replace(' ', '-')} `, new_password: next }
    assert.equal((await send('POST', '/account/reset-password', { form })).status, 200)
    assert.equal((await login({ password: next })).status, 200)
  })

  it('a link for a new password still works after mail scanners have opened the link', async () => {
    const started = await start()
    const { send, addUser } = started
    await addUser()
    await ask(started)
    const { link } = await nextMail()
    const pages = []
    for (const method of ['GET', 'HEAD', 'GET', 'GET', 'HEAD', 'OPTIONS'])
      pages.push(await send(method, pathOf(link), { headers: { purpose: 'prefetch' } }))
    assert.deepEqual(
      pages.map(({ status }) => status),
      [200, 200, 200, 200, 200, 405],
    )
    const token = link.searchParams.get('token') ?? ''
    const form = { token, new_password: next }
    assert.equal((await send('POST', '/account/reset-password', { form })).status, 200)
    assert.equal((await send('POST', '/account/reset-password', { form })).status, 403)
    const used = await send('GET', pathOf(link))
    assert.deepEqual([used.status, headingOf(used)], [403, 'This link does not work any more'])
    assert.match(used.text, /<a class="button" href="forgot-password">/)
    assert.doesNotMatch(used.text, /<form/)
  })

  it('the pages for a new password do not reveal which logins exist', async () => {
    const started = await start()
    await started.addUser()
    const [known, unknown] = [await ask(started, 'ada'), await ask(started, 'unknown')]
    const masked = ({ text, status, headers }: Answer) => [
      status,
      [...headers],
      text.replace(/value="[\w-]{43}"/, ''),
    ]
    assert.deepEqual(masked(known), masked(unknown))
  })

  it('after a refused new password, the page shows the form again with an error', async () => {
    const started = await start()
    const { send, addUser } = started
    await addUser()
    const page = await ask(started)
    const { code } = await nextMail()
    const post = (form: Readonly<Record<string, string>>, language = 'en'): Promise<Answer> =>
      send('POST', '/account/reset-password', {
        form: { ...hiddenOf(page), ...form },
        headers: { 'accept-language': language },
      })
    const short = await post({ code, new_password: 'short' }, 'de')
    assert.equal(short.status, 422)
    assert.match(short.text, /id="new_password-fault" role="alert">Das Passwort ist zu kurz\.</)
    assert.match(short.text, /aria-describedby="new_password-fault new_password-hint"/)
    assert.doesNotMatch(short.text, /value="short"/)
    assert.deepEqual(hiddenOf(short), hiddenOf(page))

    const bad = await post({ code: '"><script>', new_password: next })
    assert.equal(bad.status, 403)
    assert.match(bad.text, /id="code-fault" role="alert">The code is wrong/)
    assert.doesNotMatch(bad.text, /<script/)
    assert.equal((await post({ code })).status, 422, 'the password is missing')
    assert.equal((await post({ code, new_password: next })).status, 200)
  })

  it('the page for a forgotten password knows the browser by its cookie', async () => {
    const options = { emailVerification: 'off', cookieSession: true } as const
    const started = await start({ ...options, rateLimits: 'on', clock: createTestClock() })
    const { keystile, send } = started
    const ada = { username: 'ada', email: 'ada@example.com', password }
    await keystile.users?.create({ ...ada, emailVerified: true })
    const { origin } = new URL(keystile.issuer)
    const json = { username: 'ada', password }
    const login = await send('POST', '/session', { json, headers: { origin } })
    const [sent = ''] = login.headers
      .getSetCookie()
      .filter((c) => c.includes('Path=/auth/account;'))
    for (let count = 0; count < 5; count++) await ask(started)
    await until(() => mails.length === 3)

    const [cookie = ''] = sent.split(';')
    assert.equal((await ask(started, 'ada', { cookie })).status, 200)
    await until(() => mails.length === 4)
  })

  it('after too many requests, the page for a forgotten password shows an error', async () => {
    const started = await start({ rateLimits: 'on', trustedProxies: [] })
    for (let count = 0; count < 20; count++) assert.equal((await ask(started)).status, 200)
    const refused = await ask(started)
    assert.equal(refused.status, 429)
    assert.ok(Number(refused.headers.get('retry-after')) > 0)
    assert.match(refused.text, /id="login-fault" role="alert">Too many tries/)
  })

  it('account pages run no script, load nothing, and forbid caching and indexing', async () => {
    const { send } = await start({ emailVerification: 'required' })
    for (const [path, referrer] of [
      ['/account/forgot-password', 'same-origin'],
      ['/account/reset-password?token=x', 'no-referrer'],
    ] as const) {
      const { headers, text } = await send('GET', path)
      const [, style = ''] = /<style>([^]*)<\/style>/.exec(text) ?? []
      const hash = createHash('sha256').update(style).digest('base64')
      assert.equal(
        headers.get('content-security-policy'),
        `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; ` +
          "frame-ancestors 'none'; base-uri 'none'",
      )
      assert.equal(headers.get('referrer-policy'), referrer)
      assert.equal(headers.get('cache-control'), 'no-store')
      assert.equal(headers.get('x-robots-tag'), 'noindex')
      assert.doesNotMatch(text, /<script|<link|src=|url\(| on\w+=/)
      assert.match(text, /<meta name="viewport"/)
    }
  })

  it('account pages exist in four languages, and every field has a label', async () => {
    const { send } = await start({ mailLanguage: 'fr' })
    const headings = []
    for (const language of ['en', 'de', 'fr', 'es', 'nl']) {
      const headers = { 'accept-language': language }
      const page = await send('GET', '/account/forgot-password', { headers })
      const shown = language === 'nl' ? 'fr' : language
      assert.ok(page.text.includes(`<html lang="${shown}">`))
      assert.equal(page.headers.get('content-language'), shown)
      headings.push(headingOf(page))
      const reset = await send('POST', '/account/reset-password', {
        form: { request_id: 'x', code: '1' },
        headers,
      })
      for (const { text } of [page, reset])
        for (const [, id = ''] of text.matchAll(/<input id="(\w+)"/g))
          assert.ok(text.includes(`<label for="${id}">`), id)
    }
    assert.equal(new Set(headings).size, 4)
  })

  it('a page of another origin cannot use up the limits of mails for a new password', async () => {
    const started = await start({ rateLimits: 'on' })
    await started.addUser()
    for (const origin of ['https://evil.example', 'null', undefined]) {
      const refused = await started.send('POST', '/account/forgot-password', {
        form: { login: 'ada' },
        headers: origin === undefined ? {} : { origin },
      })
      assert.equal(refused.status, 403, String(origin))
    }
    assert.deepEqual(await stage.sql('select id from mail_proof'), [])
  })

  it('account pages answer 400 to JSON, and show the form again for an empty login', async () => {
    const { send } = await start({ emailVerification: 'required' })
    for (const path of ['/account/forgot-password', ...mailFlows.map(({ page }) => page)]) {
      const { status, headers } = await send('POST', path, {
        json: { login: 'ada' },
        headers: { origin: 'http://localhost:3000' },
      })
      const told = [status, headers.get('content-type')]
      assert.deepEqual(told, [400, 'application/problem+json'], path)
    }
    const empty = await send('POST', '/account/forgot-password', {
      form: { login: '' },
      headers: { origin: 'http://localhost:3000' },
    })
    assert.deepEqual([empty.status, headingOf(empty)], [200, 'Forgot your password?'])
  })

  it('the page for a new password says that a link without a token is not complete', async () => {
    const { send } = await start()
    const { status, text } = await send('GET', '/account/reset-password')
    assert.equal(status, 200)
    assert.match(text, /This link is not complete[^]*href="forgot-password"/)
  })
})

/** Returns the hidden fields of the form in a page. */
function hiddenOf({ text }: Answer): Readonly<Record<string, string>> {
  const fields = text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)
  return Object.fromEntries(Array.from(fields, ([, name, value]) => [name, value]))
}

function headingOf({ text }: Answer): string | undefined {
  return /<h1>([^<]*)<\/h1>/.exec(text)?.[1]
}
