// What all pages have in common: a browser gets HTML, with the same headers.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import {
  describeOnOne,
  issuer,
  password,
  type Answer,
} from '../../packages/server/test-support/keystile.ts'
import { startWithMailbox } from '../../packages/server/test-support/mailbox.ts'
import { openBrowser } from '../../packages/server/test-support/page-browser.ts'

const { origin, pathname: base } = new URL(issuer)
const common = {
  'cache-control': 'no-store',
  'content-type': 'text/html; charset=utf-8',
  'x-robots-tag': 'noindex',
}
const policy = [
  "default-src 'none'",
  "style-src 'sha256-",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
]

describeOnOne('SQLite', 'all pages', (stage) => {
  it('each page answers a browser with HTML or a redirect, which no cache keeps and no page frames', async () => {
    const running = await startWithMailbox(stage, {
      loginPages: 'on',
      secondFactor: 'optional',
      emailVerification: 'optional',
    })
    const stranger = openBrowser(running)
    await stranger.open('/login')
    const pages = pagesIn(running.document)
    assert.ok(pages.length > 40)

    for (const [index, { method, path, hasToken }] of pages.entries()) {
      // A page may end the login, or delete the account.
      const username = `ada${index}`
      await running.addUser({ username, email: `${username}@example.com` })
      const person = openBrowser(running)
      await person.open('/login')
      await person.submit({ username, password })
      assert.equal(person.at(), '/account')
      for (const browser of [stranger, person]) {
        const sent = method === 'POST' && {
          form: { token: 't', attempt: 'a' },
          headers: { origin },
        }
        const answer = await browser.request(method, path, sent || {})
        checkPage(answer, `${method} ${path}`, hasToken ? 'no-referrer' : undefined)
      }
      const opened = await stranger.request('GET', path)
      assert.ok(opened.status < 405, `GET ${path}: ${opened.status}`)
      checkPage(opened, `GET ${path}`)
    }
  })
})

interface Page {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Whether its address has a secret. */
  readonly hasToken: boolean
}

/** Returns the operations of the OpenAPI document that are pages. */
function pagesIn({ paths }: Readonly<Record<string, unknown>>): readonly Page[] {
  return Object.entries(paths as Readonly<Record<string, Operations>>).flatMap(([path, methods]) =>
    (['GET', 'POST'] as const)
      .filter((method) => methods[method.toLowerCase()]?.summary.startsWith('Page: '))
      .map((method) => ({
        method,
        path: path.slice(base.length),
        // The token of /account/new-address needs a login, and its form must send its origin.
        hasToken:
          !path.endsWith('/account/new-address') && JSON.stringify(methods).includes('"token"'),
      })),
  )
}

type Operations = Readonly<Record<string, { readonly summary: string } | undefined>>

function checkPage({ status, headers, text }: Answer, name: string, referrer?: string): void {
  if (status === 303) {
    assert.deepEqual([headers.get('cache-control'), text], ['no-store', ''], name)
    return
  }
  for (const [header, value] of Object.entries(common))
    assert.equal(headers.get(header), value, `${name}: ${header} ${text}`)
  for (const part of policy)
    assert.ok(headers.get('content-security-policy')?.includes(part), `${name}: ${part}`)
  const sent = headers.get('referrer-policy') ?? 'none'
  assert.ok((referrer ? [referrer] : ['no-referrer', 'same-origin']).includes(sent), name)
  assert.doesNotMatch(text, /<script|\son\w+=|\sstyle=/, name)
}
