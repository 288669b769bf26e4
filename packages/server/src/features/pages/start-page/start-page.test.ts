import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { HttpAnswer, HttpRequestWithBody } from 'keystile/internal'
import { pagesOf, testOptions } from '../../../../test-support/start-options.ts'
import { unavailablePage } from '../account-pages/refusal-page.ts'
import { notFoundPage } from './not-found-page.ts'
import type { StartOptions } from './start-options.ts'
import { startPage, type Surroundings } from './start-page.ts'

const request = (language = 'en'): HttpRequestWithBody => ({
  method: 'GET',
  url: '/',
  headers: new Headers({ 'accept-language': language }),
  body: () => assert.fail('no body is read'),
})
const show = (
  options: Partial<StartOptions>,
  language?: string,
  changed: Partial<Surroundings> = {},
): Promise<HttpAnswer> =>
  startPage(
    request(language),
    { ...testOptions, ...options },
    {
      pages: pagesOf(options),
      hasMetrics: true,
      hasAdministrator: async () => false,
      program: 'npx keystile',
      ...changed,
    },
  )
const bodyOf = async (...shown: Parameters<typeof show>): Promise<string> =>
  (await show(...shown)).body ?? ''
const headingOf = (body: string): string | undefined => /<h1>(.*)<\/h1>/.exec(body)?.[1]
const mainOf = (body: string): string => /<main[^]*<\/main>/.exec(body)?.[0] ?? ''
const linksOf = (body: string): readonly (string | undefined)[] =>
  Array.from(mainOf(body).matchAll(/href="([^"]*)"/g), ([, href]) => href)

const production = { issuer: 'https://auth.example/v1' }
const metadata = '/.well-known/oauth-authorization-server'

describe('the start page in development', () => {
  it('the start page says how to switch on what is off', async () => {
    const closed = { registration: 'closed', docs: 'off' } as const
    const body = await bodyOf(closed, 'en', { hasMetrics: false })
    assert.equal(headingOf(body), 'Keystile runs')
    assert.match(body, /curl http:\/\/localhost:8000\/token -d username=NAME/)
    assert.deepEqual(linksOf(body), [metadata])
    assert.deepEqual(
      Array.from(body.matchAll(/<code>(KEYSTILE_[^<]*)</g), ([, variable]) => variable),
      [
        'KEYSTILE_DOCS=on',
        'KEYSTILE_LOGIN_PAGES=on',
        'KEYSTILE_LOGIN_PAGES=on',
        'KEYSTILE_LOGIN_PAGES=on',
        'KEYSTILE_MAIL_URL=console:',
        'KEYSTILE_MAIL_URL=console:',
        'KEYSTILE_REGISTRATION=open',
        'KEYSTILE_COOKIE_SESSION=true',
        'KEYSTILE_METRICS=on',
      ],
    )
  })

  it('the start page shows the command of this installation that creates a user', async () => {
    const program = 'npm run keystile --'
    for (const [hasAdministrator, heading, command] of [
      [
        false,
        'Create the first administrator',
        `${program} user create NAME --email ADDRESS --role admin`,
      ],
      [true, 'Create a user', `${program} user create NAME --email ADDRESS`],
    ] as const) {
      const body = await bodyOf({}, 'en', {
        program,
        hasAdministrator: async () => hasAdministrator,
      })
      const how = 'Run this command with the settings of this server, in its folder:'
      const shown = `<h2>${heading}</h2>\n<p>${how}</p>\n<pre>${command}</pre>`
      assert.ok(body.includes(shown), body)
    }
  })

  it('while the database is away, the start page has status 503 and a link to try again', async () => {
    const {
      status,
      headers,
      body = '',
    } = await show({}, 'en', {
      hasAdministrator: () => Promise.reject(new Error('away')),
    })
    assert.deepEqual([status, headers['retry-after']], [503, '1'])
    assert.deepEqual(linksOf(body), [''])
  })

  it('the start page links to what is on, below the path of the issuer', async () => {
    const issuer = 'http://127.0.0.1:8000/auth'
    const on = { cookieSession: true, loginPages: 'on' } as const
    const body = await bodyOf({ issuer, mailUrl: 'console:', ...on })
    assert.deepEqual(linksOf(body), [
      '/auth/login',
      '/auth/docs',
      '/auth/login',
      '/auth/register',
      '/auth/account',
      '/auth/account/forgot-password',
      '/auth/dev/mail',
      '/metrics',
      `${metadata}/auth`,
    ])
    assert.doesNotMatch(body, /KEYSTILE_/)

    const closed = { ...on, registration: 'closed' } as const
    assert.ok(!linksOf(await bodyOf({ issuer, ...closed })).includes('/auth/register'))
  })

  it('the start page tells where the account pages of the app are', async () => {
    const accountPagesUrl = 'http://localhost:5173/"account'
    const body = await bodyOf({ mailUrl: 'smtp://localhost', accountPagesUrl })
    assert.match(body, /The links lead to <code>http:\/\/localhost:5173\/&#34;account</)
    assert.deepEqual(linksOf(body), ['/docs', '/metrics', metadata])
  })
})

describe('the start page in production', () => {
  it('the start page in production names the server, and shows nothing for developers', async () => {
    const body = await bodyOf(production)
    assert.equal(headingOf(body), 'Log in with your app')
    assert.match(body, />auth\.example<\/a>/)
    assert.doesNotMatch(body, /Keystile|KEYSTILE|docs|metrics/)
    assert.deepEqual(linksOf(body), [])
  })

  it('the start page in production links to the app, or to the page for a new password', async () => {
    const mail = { ...production, mailUrl: 'smtp://mail.example' }
    assert.deepEqual(linksOf(await bodyOf(mail)), ['/v1/account/forgot-password'])
    const corsOrigins = ['https://web.example']
    assert.deepEqual(linksOf(await bodyOf({ ...mail, corsOrigins })), ['https://web.example/'])
    const accountPagesUrl = 'https://app.example/account'
    assert.deepEqual(linksOf(await bodyOf({ ...mail, accountPagesUrl })), ['https://app.example'])
  })

  it('the start page in production leads to the login, and to the app if it is known', async () => {
    const own = { ...production, loginPages: 'on' } as const
    const body = await bodyOf(own)
    assert.equal(headingOf(body), 'Your account')
    assert.match(body, /Log in to see and change your account\./)
    assert.deepEqual(linksOf(body), ['/v1/login'])
    const appUrl = 'https://app.example/'
    assert.deepEqual(linksOf(await bodyOf({ ...own, appUrl })), ['/v1/login', appUrl])
  })

  it('the start page and the pages for faults have four languages', async () => {
    for (const bodyIn of [
      (language: string) => bodyOf(production, language),
      (language: string) => bodyOf({ ...production, loginPages: 'on' }, language),
      async (language: string) => notFoundPage(request(language), pagesOf({})).body ?? '',
      async (language: string) => unavailablePage(request(language), pagesOf({})).body ?? '',
    ]) {
      const bodies = await Promise.all(['en', 'de', 'fr', 'es'].map(bodyIn))
      assert.equal(new Set(bodies.map(headingOf)).size, 4)
    }
  })

  it('the page for an unknown path links to the start page', () => {
    const { status, body = '' } = notFoundPage(request(), pagesOf(production))
    assert.equal(status, 404)
    assert.equal(headingOf(body), 'There is no page here')
    assert.deepEqual(linksOf(body), ['/v1/'])
  })
})
