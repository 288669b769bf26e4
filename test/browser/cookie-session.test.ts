// Cookie sessions in a real browser: which cookies the browser keeps, to which origins it sends
// them, and which answers a page can read.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { serve } from '@hono/node-server'
import { createKeystile, type Keystile } from '@keystile/server'
import { build } from 'esbuild'
import { Hono } from 'hono'
import type { ApiClient } from 'keystile/client'
import { createGuard, mount } from 'keystile/hono'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { freePort } from '../../packages/server/test-support/command.ts'
import { skipWithoutBrowser, startBrowser } from '../support/browser.ts'

const username = 'ada'
const password = 'an engine of her own'

/**
 * What a page can read of an answer. The status is 0 if the browser does not let the page read the
 * answer.
 */
interface Seen {
  readonly status: number
  readonly text: string
}

/** Sends a request from a page. The browser adds the session's cookie if its rules allow that. */
function ask(
  page: Page,
  url: string,
  { method = 'POST', body = '', bearer = '' } = {},
): Promise<Seen> {
  const request = { url, method, body, bearer }
  return page.evaluate(async ({ url, method, body, bearer }) => {
    const headers = {
      ...(body !== '' && { 'content-type': 'application/json' }),
      ...(bearer !== '' && { authorization: `Bearer ${bearer}` }),
    }
    try {
      const response = await fetch(url, {
        method,
        headers,
        credentials: 'include',
        ...(body !== '' && { body }),
      })
      return { status: response.status, text: await response.text() }
    } catch {
      return { status: 0, text: '' }
    }
  }, request)
}

/** A page with keystile/client. */
const clientPage = `<!doctype html><title>A client</title><script type="module">
  import { createClient } from '/client.js'
  globalThis.client = createClient({ issuer: location.origin + '/auth', storage: 'cookie' })
</script>`
declare const client: ApiClient
declare global {
  var signOuts: number
}

/** A page with keystile/client in a file, and with a script that an attacker has injected. */
const strictPage = `<!doctype html><title>A strict page</title>
  <script>globalThis.injected = true</script>
  <script type="module" src="/strict.js"></script>`
const strictScript = `import { createClient } from '/client.js'
  globalThis.client = createClient({ issuer: location.origin + '/auth', storage: 'cookie' })`

/** Reads the Content-Security-Policy that the documents recommend. */
function recommendedPolicy(): string {
  const page = join(import.meta.dirname, '../../docs/explanations/browser-security.md')
  const policy = /^ *Content-Security-Policy: (.+)$/m.exec(readFileSync(page, 'utf8'))?.[1]
  assert.ok(policy, 'browser-security.md has no policy')
  return policy
}

async function bundleClient(): Promise<string> {
  const entryPoints = [join(import.meta.dirname, '../../packages/keystile/src/client.ts')]
  const { outputFiles } = await build({
    entryPoints,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    write: false,
  })
  return outputFiles[0]!.text
}

const blank = (): Hono => new Hono().get('/', (c) => c.html('<!doctype html><title>A page</title>'))
const login = { body: JSON.stringify({ username, password }) }

describe('cookie sessions in a browser', { skip: skipWithoutBrowser() }, () => {
  let keystile: Keystile
  let browser: Browser
  let context: BrowserContext
  const servers: Server[] = []
  /**
   * The issuer's origin, a listed and an unlisted origin of the same site, and the issuer's URL.
   */
  let [own, listed, unlisted, auth] = ['', '', '', '']

  before(async () => {
    const script = await bundleClient()
    const ports = [await freePort(), await freePort(), await freePort()]
    ;[own, listed, unlisted] = ports.map((port) => `http://localhost:${port}`) as [
      string,
      string,
      string,
    ]
    auth = `${own}/auth`
    // A listed origin on another site: from its pages, a browser sends no SameSite=Strict cookie.
    const elsewhere = listed.replace('localhost', '127.0.0.1')
    const corsOrigins = [listed, elsewhere]
    keystile = await createKeystile({
      issuer: auth,
      database: ':memory:',
      cookieSession: true,
      corsOrigins,
    })
    const guard = createGuard(keystile)
    const app = blank().use(mount(keystile))
    app.get('/me', guard(), (c) => c.text(guard.caller(c).user.username))
    app.get('/client', (c) => c.html(clientPage))
    app.get('/client.js', (c) => c.body(script, 200, { 'content-type': 'text/javascript' }))
    const policy = { 'content-security-policy': recommendedPolicy() }
    app.get('/strict', (c) => c.html(strictPage, 200, policy))
    app.get('/strict.js', (c) => c.body(strictScript, 200, { 'content-type': 'text/javascript' }))
    app.post('/echo-cookie', (c) => c.text(c.req.header('cookie') ?? 'none'))
    for (const [index, { fetch }] of [app, blank(), blank()].entries()) {
      const server = serve({ fetch, port: ports[index]! }) as Server
      if (!server.listening) await once(server, 'listening')
      servers.push(server)
    }
    const headers = { 'content-type': 'application/json' }
    for (const name of [username, 'bob']) {
      const body = JSON.stringify({ username: name, email: `${name}@example.com`, password })
      assert.equal((await fetch(`${auth}/users`, { method: 'POST', headers, body })).status, 201)
    }
    browser = await startBrowser()
  })
  after(async () => {
    await browser.close()
    for (const server of servers) server.close()
    await keystile.close()
  })

  async function openPage(origin: string): Promise<Page> {
    const page = await context.newPage()
    await page.goto(`${origin}/`)
    return page
  }
  /**
   * Returns the cookies with this name. The device's cookie has another name: it outlives the
   * session.
   */
  const cookies = async (name = '__Secure-keystile'): ReturnType<BrowserContext['cookies']> =>
    (await context.cookies()).filter((cookie) => cookie.name === name)
  const withContext = (test: () => Promise<void>) => async (): Promise<void> => {
    context = await browser.newContext()
    try {
      await test()
    } finally {
      await context.close()
    }
  }

  it(
    'at http://localhost, a browser hides the Secure cookie from scripts and other paths',
    withContext(async () => {
      const page = await openPage(own)
      const begun = await ask(page, `${auth}/session`, login)
      assert.equal(begun.status, 200, begun.text)
      const [cookie, ...others] = await cookies()
      assert.equal(others.length, 0)
      const { name, path, secure, httpOnly, sameSite, domain, expires } = cookie!
      assert.deepEqual(
        { name, path, secure, httpOnly, sameSite, domain },
        {
          name: '__Secure-keystile',
          path: '/auth/session',
          secure: true,
          httpOnly: true,
          sameSite: 'Strict',
          domain: 'localhost',
        },
      )
      assert.ok(expires > Date.now() / 1000 + 13 * 86_400)
      assert.equal(await page.evaluate('document.cookie'), '')
      assert.equal((await ask(page, `${own}/echo-cookie`)).text, 'none')

      const refreshed = await ask(page, `${auth}/session/refresh`)
      assert.equal(refreshed.status, 200, refreshed.text)
      assert.notEqual((await cookies())[0]!.value, cookie!.value)
      const { access_token: bearer } = JSON.parse(refreshed.text) as { access_token: string }
      assert.deepEqual(await ask(page, `${own}/me`, { method: 'GET', bearer }), {
        status: 200,
        text: username,
      })
      assert.equal((await ask(page, `${own}/me`, { method: 'GET' })).status, 401)

      assert.equal((await ask(page, `${auth}/session`, { method: 'DELETE' })).status, 204)
      assert.deepEqual(await cookies(), [])
      const [device] = await cookies('__Secure-keystile-device')
      assert.deepEqual(
        [device?.path, device?.secure, device?.httpOnly, device?.sameSite],
        ['/auth/session', true, true, 'Strict'],
      )
      assert.equal((await ask(page, `${own}/me`, { method: 'GET', bearer })).status, 401)
      assert.equal((await ask(page, `${auth}/session/refresh`)).status, 400)
    }),
  )

  it(
    'a cookie session survives reloads and new tabs until the logout',
    withContext(async () => {
      const open = async (): Promise<Page> => {
        const page = await context.newPage()
        await page.goto(`${own}/client`)
        await page.waitForFunction(() => 'client' in globalThis)
        return page
      }
      const me = (page: Page): Promise<string> =>
        page.evaluate(async () => {
          const response = await client.fetch('/me')
          return `${response.status} ${response.ok ? await response.text() : ''}`.trim()
        })
      const [one, other] = [await open(), await open()]
      assert.equal(await me(one), '401')
      const wrong = one.evaluate(() => client.login({ username: 'ada', password: 'not hers' }))
      await assert.rejects(wrong, /Incorrect username or password/)
      await one.evaluate((password) => client.login({ username: 'ada', password }), password)
      assert.equal(await me(one), `200 ${username}`)
      assert.equal(await me(other), `200 ${username}`)
      assert.equal(await me(await open()), `200 ${username}`)
      await one.reload()
      await one.waitForFunction(() => 'client' in globalThis)
      assert.equal(await me(one), `200 ${username}`)

      const signedOut = other.evaluate(
        () => new Promise<void>((resolve) => void client.onSignOut(resolve)),
      )
      await one.evaluate(() => client.logout())
      await signedOut
      assert.deepEqual(await cookies(), [])
      assert.equal(await me(other), '401')
    }),
  )

  it(
    'keystile/client works with the recommended CSP, which stops injected scripts',
    withContext(async () => {
      const page = await context.newPage()
      await page.goto(`${own}/strict`)
      await page.waitForFunction(() => 'client' in globalThis)
      assert.equal(await page.evaluate(() => 'injected' in globalThis), false)

      await page.evaluate((password) => client.login({ username: 'ada', password }), password)
      await page.reload()
      await page.waitForFunction(() => 'client' in globalThis)
      assert.equal(await page.evaluate(async () => (await client.fetch('/me')).text()), username)
      await page.evaluate(() => client.logout())
      assert.deepEqual(await cookies(), [])
    }),
  )

  it(
    'if Bob logs in on another page, Ada’s refused request is not sent again as Bob',
    withContext(async () => {
      const open = async (): Promise<Page> => {
        const page = await context.newPage()
        await page.goto(`${own}/client`)
        await page.waitForFunction(() => 'client' in globalThis)
        await page.evaluate(() => {
          globalThis.signOuts = 0
          client.onSignOut(() => globalThis.signOuts++)
        })
        return page
      }
      const [one, other, elsewhere] = [await open(), await open(), await openPage(listed)]
      const me = (page: Page): Promise<string> =>
        page.evaluate(async () => (await client.fetch('/me')).text())
      const bobLogsIn = async (): Promise<void> => {
        const body = JSON.stringify({ username: 'bob', password })
        assert.equal((await ask(elsewhere, `${auth}/session`, { body })).status, 200)
      }
      const adaLogsIn = (): Promise<boolean> =>
        one.evaluate(
          async (password) => (await client.login({ username: 'ada', password })).signedIn,
          password,
        )
      const token = (): Promise<string> => one.evaluate(async () => (await client.accessToken())!)
      const statusOf = async (bearer: string): Promise<number> =>
        (await fetch(`${auth}/users/me`, { headers: { authorization: `Bearer ${bearer}` } })).status

      await adaLogsIn()
      assert.deepEqual([await me(one), await me(other)], ['ada', 'ada'])
      // Ada's session ends and Bob logs in. Her page's next request is refused; the refresh uses
      // Bob's cookie, so the request is not sent again.
      assert.equal((await ask(elsewhere, `${auth}/session`, { method: 'DELETE' })).status, 204)
      await bobLogsIn()
      const refused = await one.evaluate(async () => (await client.fetch('/me')).status)
      assert.equal(refused, 401)
      for (const page of [one, other]) {
        await page.waitForFunction(() => globalThis.signOuts === 1)
        assert.equal(await me(page), 'bob')
      }

      // A logout ends the page's own session, even if the cookie now belongs to another session.
      await adaLogsIn()
      const [adas, kept] = [await token(), await cookies()]
      assert.equal(await statusOf(adas), 200)
      await bobLogsIn()
      const bobs = await cookies()
      assert.notDeepEqual(bobs, kept)
      await one.evaluate(() => client.logout())
      assert.equal(await statusOf(adas), 401)
      assert.deepEqual(await cookies(), bobs)
      await one.reload()
      await one.waitForFunction(() => 'client' in globalThis)
      assert.equal(await me(one), 'bob')
    }),
  )

  it(
    'a page of the same site can use cookie sessions if its origin is in corsOrigins',
    withContext(async () => {
      const page = await openPage(listed)
      assert.equal((await ask(page, `${auth}/session`, login)).status, 200)
      const { status, text } = await ask(page, `${auth}/session/refresh`)
      assert.equal(status, 200, text)
      // The page can also read the answers to two kinds of requests without the cookie: requests
      // with a token, and requests that the server refuses.
      const { access_token } = JSON.parse(text) as { access_token: string }
      const reads = await page.evaluate(
        async ({ url, token }) => {
          const me = await fetch(`${url}/users/me`, {
            headers: { authorization: `Bearer ${token}` },
          })
          const refused = await fetch(`${url}/users/me`)
          const keys = await fetch(`${url}/.well-known/jwks.json`)
          return [
            me.status,
            refused.status,
            refused.headers.get('www-authenticate') !== null,
            keys.status,
          ]
        },
        { url: auth, token: access_token },
      )
      assert.deepEqual(reads, [200, 401, true, 200])
      assert.equal((await ask(page, `${auth}/session`, { method: 'DELETE' })).status, 204)
      assert.deepEqual(await cookies(), [])
    }),
  )

  it(
    'a page cannot start, use or end a cookie session if its origin is not in corsOrigins',
    withContext(async () => {
      const page = await openPage(own)
      assert.equal((await ask(page, `${auth}/session`, login)).status, 200)
      const before = await cookies()
      const foreign = await openPage(unlisted)
      for (const [path, options] of [
        ['/session', login],
        ['/session/refresh', {}],
        ['/session', { method: 'DELETE' }],
        ['/.well-known/jwks.json', { method: 'GET' }],
      ] as const)
        assert.equal((await ask(foreign, `${auth}${path}`, options)).status, 0, path)
      // A page needs no permission to send a form, and within the site the browser adds the cookie.
      // The server refuses the form too.
      const answered = foreign.waitForResponse(`${auth}/session/refresh`)
      await foreign.setContent(
        `<form action="${auth}/session/refresh" method="POST"><button>Win</button></form>`,
      )
      await foreign.getByRole('button').click()
      const response = await answered
      assert.equal(response.status(), 403)
      assert.match((await response.request().allHeaders())['cookie'] ?? '', /__Secure-keystile/)
      assert.deepEqual(await cookies(), before)
      assert.equal((await ask(page, `${auth}/session/refresh`)).status, 200)
    }),
  )

  it(
    'the browser sends no session cookie from a page of another site',
    withContext(async () => {
      const page = await openPage(listed.replace('localhost', '127.0.0.1'))
      assert.equal((await ask(page, `${auth}/session`, login)).status, 200)
      assert.deepEqual(await cookies(), [])
      const { status, text } = await ask(page, `${auth}/session/refresh`)
      assert.equal(status, 400)
      assert.match(text, /There is no cookie/)
    }),
  )
})
