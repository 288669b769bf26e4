import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { readOptions } from '../../../server/options.ts'
import { texts } from '../../mail/messages/texts.ts'
import { page, readerOf } from '../account-pages/reader.ts'
import { openPages } from './page-settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'keystile-brand-'))
after(() => rmSync(folder, { recursive: true }))

/** Writes a file, and returns its path. */
function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const issuer = 'http://localhost:3000/auth'
const pngStart = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
const plain = { issuer, mailLanguage: 'en', appColor: '#7a1fa2' } as const

/** Returns the faults of options, each as a sentence. */
const faultsOf = (options: object): readonly string[] =>
  readOptions({ issuer, database: 'x.sqlite', ...options }).faults.map(
    ({ subject, message }) => `${subject} ${message}`,
  )

/** Returns a page as a browser with this language gets it. */
function show(pages: ReturnType<typeof openPages>, language = 'en'): string {
  const headers = new Headers({ 'accept-language': language })
  const request = { method: 'GET', url: '/', headers, body: () => assert.fail() }
  const reader = readerOf(request, pages)
  return page(reader, { heading: reader.texts.forgot.heading }).body ?? ''
}

describe('the settings of the brand', () => {
  it('the name of the app, its addresses and its colour are in each page', () => {
    const body = show(
      openPages({
        ...plain,
        appName: 'Acme Shop',
        appColor: '#f5c400',
        appUrl: 'https://acme.example/shop?from=login',
        termsUrl: 'https://acme.example/terms',
        privacyUrl: 'https://acme.example/privacy',
      }),
    )
    assert.match(body, /<title>Forgot your password\? – Acme Shop<\/title>/)
    assert.match(body, /class="name" href="https:\/\/acme\.example\/shop\?from=login">Acme Shop</)
    assert.match(body, /<li><span dir="ltr">localhost:3000<\/span><\/li>/)
    assert.match(body, /<li><a href="https:\/\/acme\.example\/terms">Terms<\/a><\/li>/)
    assert.match(body, /<li><a href="https:\/\/acme\.example\/privacy">Privacy<\/a><\/li>/)
    assert.match(body, /:root\{--accent:#f5c400;/)
  })

  it('without settings, a page has the host of the issuer, and no links in its foot', () => {
    const body = show(openPages(plain))
    assert.match(body, /class="name" href="http:\/\/localhost:3000\/">localhost:3000</)
    assert.doesNotMatch(body, /<footer.*<a /s)
    const corsOrigins = ['https://app.example']
    assert.match(show(openPages({ ...plain, corsOrigins })), /href="https:\/\/app\.example\/"/)
  })

  it('each setting of the brand is checked, and its message says what it must be', () => {
    const color = 'appColor must be # and six hexadecimal digits, such as #7a1fa2; it is'
    const link = 'must be an https or http URL; it is'
    for (const [options, fault] of [
      [{ appName: '' }, 'appName must not be empty; it is ""'],
      [{ appName: 'a\nb' }, 'appName must not contain control characters'],
      [{ appName: 'a\u202eb' }, 'appName must not contain control characters'],
      [{ appName: 'x'.repeat(61) }, 'appName must have at most 60 characters; it has 61'],
      [{ appColor: 'red' }, `${color} "red"`],
      [{ appColor: '#fff' }, `${color} "#fff"`],
      [{ appColor: '#7a1fa2;}' }, `${color} "#7a1fa2;}"`],
      [{ appUrl: 'javascript:alert(1)' }, `appUrl ${link} "javascript:alert(1)"`],
      [{ termsUrl: '/terms' }, `termsUrl ${link} "/terms"`],
      [{ privacyUrl: 'data:text/html,x' }, `privacyUrl ${link} "data:text/html,x"`],
    ] as const)
      assert.deepEqual(faultsOf(options), [fault])
    assert.deepEqual(faultsOf({ appName: 'Acme', appColor: '#AbCdEf', appUrl: issuer }), [])
  })

  it('the logo must be a small SVG or PNG, also if its name says something else', () => {
    const logo = file('a.txt', '<?xml version="1.0"?>\n<!-- x -->\n<svg xmlns="x"></svg>')
    assert.deepEqual(faultsOf({ appLogoFile: logo }), [])
    const html = file('b.svg', '<html><svg></svg></html>')
    assert.deepEqual(faultsOf({ appLogoFile: html }), [
      `appLogoFile must be an SVG or PNG file; "${html}" is neither`,
    ])
    const large = file('c.png', Buffer.concat([pngStart, Buffer.alloc(65_529)]))
    assert.deepEqual(faultsOf({ appLogoFile: large }), [
      `appLogoFile must have at most 65536 bytes; "${large}" has 65537`,
    ])
    const missing = join(folder, 'missing.svg')
    for (const [path, fault] of [
      [missing, 'does not exist. Fix: create the file, or correct the path'],
      [folder, 'is not a file'],
    ])
      assert.deepEqual(faultsOf({ appLogoFile: path }), [
        `appLogoFile must be the path of a file; "${path}" ${fault}`,
      ])
  })

  it('pages show the logo from the server, which lets it run no script', async () => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    const pages = openPages({ ...plain, appLogoFile: file('d.svg', svg) })
    const [, path = ''] = /<img src="([^"]+)" alt=""/.exec(show(pages)) ?? []
    assert.match(path, /^\/auth\/brand\/logo\?v=[\da-f]{8}$/)
    const served = pages.logo?.answer({ method: 'GET', url: path })
    assert.equal(String(Buffer.from(served?.body ?? '')), svg)
    assert.equal(served?.headers['content-type'], 'image/svg+xml')
    assert.equal(served?.headers['cache-control'], 'public, max-age=86400')
    assert.match(served?.headers['content-security-policy'] ?? '', /default-src 'none'.*sandbox/)
    assert.equal(pages.logo?.answer({ method: 'HEAD', url: path })?.body, undefined)
    assert.equal(pages.logo?.answer({ method: 'POST', url: path }), undefined)
    assert.equal(pages.logo?.answer({ method: 'GET', url: '/brand/logo' }), undefined)
    assert.equal(pages.logo?.routeOf({ url: path }), '/auth/brand/logo')

    const png = openPages({ ...plain, appLogoFile: file('e', pngStart) })
    const { headers } = png.logo?.answer({ method: 'GET', url: path }) ?? {}
    assert.equal(headers?.['content-type'], 'image/png')
  })

  it('the stylesheet of the app comes last, and must not load or break out of anything', () => {
    const css = '.sheet { border: 1px solid }'
    const body = show(openPages({ ...plain, pagesCssFile: file('a.css', css) }))
    assert.ok(body.includes(`${css}</style>`))
    for (const [content, fault] of [
      ['@import "x.css";', 'not load anything, but PATH has @import'],
      ['a { background: URL(x) }', 'not load anything, but PATH has URL('],
      ['a { background: image-set("x" 1x) }', 'not load anything, but PATH has image-set('],
      ['a { content: "</style><script>" }', 'not contain </, but PATH does'],
      ['x'.repeat(32_769), 'have at most 32768 bytes; PATH has 32769'],
    ] as const) {
      const pagesCssFile = file('b.css', content)
      assert.deepEqual(faultsOf({ pagesCssFile }), [
        `pagesCssFile must ${fault.replace('PATH', JSON.stringify(pagesCssFile))}`,
      ])
    }
  })
})

describe('the texts of the app', () => {
  it('an app replaces single sentences of pages, and adds a language', () => {
    const pageTexts = {
      de: { forgot: { heading: 'Passwort weg?' } },
      it: { forgot: { heading: 'Password dimenticata?' }, layout: { terms: 'Condizioni' } },
    }
    const termsUrl = 'https://acme.example/terms'
    const pages = openPages({ ...plain, termsUrl, pageTexts })
    assert.match(show(pages, 'de-AT'), /<html lang="de">.*<h1>Passwort weg\?<\/h1>/s)
    assert.match(show(pages, 'it'), /<html lang="it">.*<h1>Password dimenticata\?<\/h1>.*>Condiz/s)
    assert.match(show(pages, 'pt'), /<html lang="en">/)
    assert.equal(pages.texts['de'].forgot.button, texts.de.pages.forgot.button)
    assert.equal(pages.texts['it']?.forgot.button, texts.en.pages.forgot.button)
    assert.equal(texts.de.pages.forgot.heading === 'Passwort weg?', false)
  })

  it('each text of the app is checked: its language, its name and its type', () => {
    for (const [pageTexts, fault] of [
      [[], 'must be an object with an object for each language; it is an empty array'],
      [{ 'en-GB': {} }, 'must name languages such as en; it has "en-GB"'],
      [{ en: 'x' }, 'must have an object with texts at en; it has a string'],
      [{ en: { forgot: { title: 'x' } } }, 'must have only known texts; it has "en.forgot.title"'],
      [{ en: { toString: 'x' } }, 'must have only known texts; it has "en.toString"'],
      [{ en: { login: 7 } }, 'must have a string at en.login; it has 7'],
      [{ en: { forgot: null } }, 'must have an object with texts at en.forgot; it has null'],
      [
        { en: { acceptance: { both: 'I accept the [terms].' } } },
        'must have 2 parts in brackets at en.acceptance.both, which become links',
      ],
      [
        { en: { newPasswordLength: 'x' } },
        'must have a function that returns a string at en.newPasswordLength; it has a string',
      ],
    ] as const)
      assert.deepEqual(faultsOf({ pageTexts }), [`pageTexts ${fault}`])
    const good = { en: { login: 'Name', newPasswordLength: (n: number) => `${n}`, yes: undefined } }
    assert.deepEqual(faultsOf({ pageTexts: good }), [])
  })

  it('pages escape each setting and each text of the app', () => {
    const attack = `'"><script>alert(1)</script>&`
    const url = `https://acme.example/?${attack}`
    const pageTexts = {
      en: { forgot: { heading: attack }, layout: { terms: attack, privacy: attack } },
    }
    const given = { appName: attack, appUrl: url, termsUrl: url, privacyUrl: url, pageTexts }
    const body = show(openPages({ ...plain, ...given }))
    assert.doesNotMatch(body, /<script|"">|"'"/)
    assert.match(body, /<h1>'&#34;&#62;&#60;script&#62;/)
    assert.match(body, /<title>'&#34;&#62;.* – '&#34;&#62;&#60;script/)
    assert.equal(body.match(/&#60;script&#62;alert\(1\)/g)?.length, 8)
  })
})
