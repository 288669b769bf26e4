import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { HttpRequestWithBody } from 'keystile/internal'
import { testOptions } from '../../../../test-support/start-options.ts'
import { notFoundPage, startPage, type StartOptions } from './start-page.ts'

const request = (language = 'en'): HttpRequestWithBody => ({
  method: 'GET',
  url: '/',
  headers: new Headers({ 'accept-language': language }),
  body: () => assert.fail('no body is read'),
})
const bodyOf = (options: Partial<StartOptions>, language?: string, hasMetrics = true): string =>
  startPage(request(language), { ...testOptions, ...options }, hasMetrics).body ?? ''
const headingOf = (body: string): string | undefined => /<h1>(.*)<\/h1>/.exec(body)?.[1]
const linksOf = (body: string): readonly (string | undefined)[] =>
  Array.from(body.matchAll(/href="([^"]*)"/g), ([, href]) => href)

const production = { issuer: 'https://auth.example/v1' }
const metadata = '/.well-known/oauth-authorization-server'

describe('the start page in development', () => {
  it('the start page says how to switch on what is off', () => {
    const body = bodyOf({ registration: 'closed', docs: 'off' }, 'en', false)
    assert.equal(headingOf(body), 'Keystile runs')
    assert.match(body, /npx keystile user create ada --role admin/)
    assert.match(body, /curl http:\/\/localhost:8000\/token -d username=ada/)
    assert.deepEqual(linksOf(body), [metadata])
    assert.deepEqual(
      Array.from(body.matchAll(/<code>(KEYSTILE_[^<]*)</g), ([, variable]) => variable),
      [
        'KEYSTILE_DOCS=on',
        'KEYSTILE_MAIL_URL=console:',
        'KEYSTILE_MAIL_URL=console:',
        'KEYSTILE_REGISTRATION=open',
        'KEYSTILE_COOKIE_SESSION=true',
        'KEYSTILE_METRICS=on',
      ],
    )
  })

  it('the start page links to what is on, below the path of the issuer', () => {
    const issuer = 'http://127.0.0.1:8000/auth'
    const body = bodyOf({ issuer, mailUrl: 'console:', cookieSession: true })
    assert.deepEqual(linksOf(body), [
      '/auth/docs',
      '/auth/account/forgot-password',
      '/auth/dev/mail',
      '/metrics',
      `${metadata}/auth`,
    ])
    assert.doesNotMatch(body, /KEYSTILE_/)
  })

  it('the start page tells where the account pages of the app are', () => {
    const accountPagesUrl = 'http://localhost:5173/"account'
    const body = bodyOf({ mailUrl: 'smtp://localhost', accountPagesUrl })
    assert.match(body, /The links lead to <code>http:\/\/localhost:5173\/&#34;account</)
    assert.deepEqual(linksOf(body), ['/docs', '/metrics', metadata])
  })
})

describe('the start page in production', () => {
  it('the start page in production names the server, and shows nothing for developers', () => {
    const body = bodyOf(production)
    assert.equal(headingOf(body), 'Log in with your app')
    assert.match(body, /<p>auth\.example<\/p>/)
    assert.doesNotMatch(body, /Keystile|KEYSTILE|docs|metrics/)
    assert.deepEqual(linksOf(body), [])
  })

  it('the start page in production links to the app, or to the page for a new password', () => {
    const mail = { ...production, mailUrl: 'smtp://mail.example' }
    assert.deepEqual(linksOf(bodyOf(mail)), ['/v1/account/forgot-password'])
    const accountPagesUrl = 'https://app.example/account'
    assert.deepEqual(linksOf(bodyOf({ ...mail, accountPagesUrl })), ['https://app.example'])
  })

  it('the start page and the page for unknown account pages have four languages', () => {
    for (const show of [
      (language: string) => bodyOf(production, language),
      (language: string) => notFoundPage(request(language), testOptions).body ?? '',
    ]) {
      const bodies = ['en', 'de', 'fr', 'es'].map(show)
      assert.equal(new Set(bodies.map(headingOf)).size, 4)
    }
  })

  it('the page for an unknown account page links to the start page', () => {
    const { status, body = '' } = notFoundPage(request(), { ...testOptions, ...production })
    assert.equal(status, 404)
    assert.equal(headingOf(body), 'There is no page here')
    assert.deepEqual(linksOf(body), ['/v1/'])
  })
})
