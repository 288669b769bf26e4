// keystile/client in up to ten tabs of a real browser, against a small token server that counts
// requests. Second factors are tested against the real server.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { serve } from '@hono/node-server'
import { createKeystile } from '@keystile/server'
import { build } from 'esbuild'
import { Hono } from 'hono'
import type { ApiClient } from 'keystile/client'
import { createGuard, mount } from 'keystile/hono'
import { createAuthenticatorApp } from 'keystile/testing'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import {
  startTokenServer,
  type TokenServer,
} from '../../packages/keystile/test-support/token-server.ts'
import { freePort } from '../../packages/server/test-support/command.ts'
import { skipWithoutBrowser, startBrowser } from '../support/browser.ts'

/** Enough tabs for tests in which tabs wait for each other. Ten tabs would be slower. */
const fewTabs = 4
const door = join(import.meta.dirname, '../../packages/keystile/src/client.ts')

const isLong = Boolean(process.env['KEYSTILE_LONG'])

/** What the test page adds to its global object. */
interface Tab {
  readonly client: ApiClient
  readonly signOuts: { count: number }
}
declare const tab: Tab
/** Asks the person for the code of the authenticator app. */
declare function askForCode(): Promise<string>

const pageOf = (
  storage: string,
): string => `<!doctype html><title>${storage}</title><script type="module">
  import { browserStorage, createClient } from '/client.js'
  const client = createClient({ issuer: location.origin + '/auth', storage: ${storage} })
  const signOuts = { count: 0 }
  client.onSignOut(() => signOuts.count++)
  globalThis.tab = { client, signOuts }
</script>`

const withoutLocks = "Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })"

describe('keystile/client in a browser', { skip: skipWithoutBrowser() }, () => {
  let browser: Browser
  let script: string
  before(async () => {
    browser = await startBrowser()
    const { outputFiles } = await build({
      entryPoints: [door],
      bundle: true,
      format: 'esm',
      platform: 'browser',
      write: false,
    })
    script = outputFiles[0]!.text
  })
  after(() => browser.close())

  for (const storage of ['browserStorage()', "'cookie'"]) {
    for (const lock of ['Web Locks', 'a lease']) {
      // Two of the four combinations have both storages and both kinds of locks.
      const isShort = (storage === "'cookie'") === (lock === 'Web Locks')
      const skip = isShort || isLong ? false : 'KEYSTILE_LONG=1 runs it'
      describe(`keystile/client with ${storage} and ${lock}`, { skip }, () => {
        let server: TokenServer
        let context: BrowserContext
        beforeEach(async () => {
          server = await startTokenServer()
          server.files.set('/', { type: 'text/html', body: pageOf(storage) })
          server.files.set('/client.js', { type: 'text/javascript', body: script })
          context = await browser.newContext()
          if (lock === 'a lease') await context.addInitScript(withoutLocks)
        })
        afterEach(async () => {
          await context.close()
          await server.close()
        })

        async function open(): Promise<Page> {
          const page = await context.newPage()
          await page.goto(server.origin)
          await page.waitForFunction(() => 'tab' in globalThis)
          assert.equal(
            await page.evaluate(() => 'locks' in navigator && navigator.locks !== undefined),
            lock === 'Web Locks',
          )
          return page
        }
        /** Opens tabs; the first has logged in and got a token that has already expired. */
        async function openAll(count: number): Promise<readonly Page[]> {
          server.accessTokenSeconds = 0
          const first = await open()
          await first.evaluate(() => tab.client.login({ username: 'ada', password: 'right' }))
          server.accessTokenSeconds = 600
          const others = await Promise.all(Array.from({ length: count - 1 }, open))
          server.forget()
          return [first, ...others]
        }
        const ask = (page: Page): Promise<readonly number[]> =>
          page.evaluate(async () => {
            const answers = await Promise.all([
              tab.client.fetch('/items'),
              tab.client.fetch('/items'),
            ])
            return answers.map(({ status }) => status)
          })
        const signOutsOf = (pages: readonly Page[]): Promise<readonly number[]> =>
          Promise.all(pages.map((page) => page.evaluate(() => tab.signOuts.count)))

        it('keystile/client refreshes an expired token once for ten tabs', async () => {
          const pages = await openAll(10)
          assert.deepEqual((await Promise.all(pages.map(ask))).flat(), Array(2 * 10).fill(200))
          assert.equal(server.askedFor('refresh').length, 1)
          assert.equal(
            new Set(server.askedFor('GET /items').map(({ headers }) => headers.authorization)).size,
            1,
          )
        })

        it('if a tab is closed during its refresh, another tab refreshes', async () => {
          const [first, ...others] = await openAll(fewTabs)
          const held = Promise.withResolvers<void>()
          server.instead = ({ route }) => {
            if (!/token$|refresh$/.test(route) || server.askedFor('refresh').length > 1)
              return false
            held.resolve()
            return new Promise<never>(() => {})
          }
          void ask(first!).catch(() => {})
          await held.promise
          const answers = Promise.all(others.map(ask))
          await Promise.all(others.map((page) => page.evaluate(() => 'all have begun to wait')))
          await first!.close()
          assert.deepEqual((await answers).flat(), Array(2 * (fewTabs - 1)).fill(200))
          assert.equal(server.askedFor('refresh').length, 2, 'one is from the closed tab')
        })

        it('if a session ends, each tab signs out exactly once', async () => {
          const pages = await openAll(fewTabs)
          await Promise.all(pages.map(ask))
          server.endSessions()
          server.forget()
          assert.deepEqual((await Promise.all(pages.map(ask))).flat(), Array(2 * fewTabs).fill(401))
          for (const page of pages) await page.waitForFunction(() => tab.signOuts.count > 0)
          assert.deepEqual(await signOutsOf(pages), Array(fewTabs).fill(1))
          assert.equal(server.askedFor('refresh').length, 1)
          assert.equal(await pages[3]!.evaluate(() => tab.client.isSignedIn()), false)
        })

        it('a logout in one tab signs out all tabs', async () => {
          const pages = await openAll(fewTabs)
          await Promise.all(pages.map(ask))
          await pages[2]!.evaluate(() => tab.client.logout())
          for (const page of pages) await page.waitForFunction(() => tab.signOuts.count > 0)
          assert.deepEqual(await signOutsOf(pages), Array(fewTabs).fill(1))
          assert.deepEqual(await ask(pages[0]!), [401, 401])
        })

        it('keystile/client sends no token to another origin, even after redirects', async (t) => {
          const other = await startTokenServer()
          t.after(() => other.close())
          const cors = {
            'access-control-allow-origin': '*',
            'access-control-allow-headers': 'authorization',
          }
          other.instead = (_asked, response) => Boolean(response.writeHead(204, cors).end())
          server.instead = ({ route }, response) =>
            route === 'GET /leave' &&
            Boolean(response.writeHead(307, { location: `${other.origin}/items` }).end())
          const page = await open()
          await page.evaluate(() => tab.client.login({ username: 'ada', password: 'right' }))
          const ways = ['/leave', `${other.origin}/items`]
          for (const way of ways)
            assert.equal(
              await page.evaluate(async (url) => (await tab.client.fetch(url)).status, way),
              204,
            )
          assert.match(server.askedFor('GET /leave')[0]!.headers.authorization!, /^Bearer access-/)
          const arrived = other.askedFor('GET /items')
          assert.deepEqual(
            arrived.map(({ headers }) => headers.authorization),
            [undefined, undefined],
          )
        })

        it('keystile/client stays signed in after the page is reloaded', async () => {
          const page = await open()
          await page.evaluate(() => tab.client.login({ username: 'ada', password: 'right' }))
          await page.reload()
          await page.waitForFunction(() => 'tab' in globalThis)
          assert.equal(await page.evaluate(() => tab.client.isSignedIn()), true)
          assert.deepEqual(await ask(page), [200, 200])
          const secrets = await page.evaluate(() => JSON.stringify(Object.entries(localStorage)))
          assert.equal(secrets.includes('refresh-'), storage !== "'cookie'")
        })
      })
    }
  }

  for (const storage of ['browserStorage()', "'cookie'"])
    it(`with ${storage}, a login goes on with a code, and two tabs share a step-up`, async (t) => {
      const port = await freePort()
      const origin = `http://localhost:${port}`
      const keystile = await createKeystile({
        issuer: `${origin}/auth`,
        database: ':memory:',
        registration: 'open',
        cookieSession: true,
        secondFactor: 'optional',
      })
      t.after(() => keystile.close())
      const guard = createGuard(keystile)
      const app = new Hono()
        .use(mount(keystile))
        .get('/', (c) => c.html(pageOf(storage)))
        .get('/client.js', (c) => c.body(script, 200, { 'content-type': 'text/javascript' }))
        .post('/vault', guard({ acr: 'mfa' }), async (c) => c.text(await c.req.text()))
      const server = serve({ fetch: app.fetch, hostname: 'localhost', port })
      t.after(() => server.close())
      const context = await browser.newContext()
      t.after(() => context.close())
      const open = async (): Promise<Page> => {
        const page = await context.newPage()
        await page.goto(origin)
        await page.waitForFunction(() => 'tab' in globalThis)
        return page
      }
      const openVault = (page: Page): Promise<readonly [number, string]> =>
        page.evaluate(async () => {
          const answer = await tab.client.fetch('/vault', { method: 'POST', body: 'gold' })
          return [answer.status, await answer.text()] as const
        })
      const person = { username: 'ada', password: 'an engine of her own' }

      const one = await open()
      await one.evaluate(async (ada) => {
        await tab.client.register({ ...ada, email: 'ada@example.com' })
        await tab.client.login(ada)
      }, person)
      const two = await open()
      assert.equal(await two.evaluate(() => tab.client.isSignedIn()), true)
      const setUp = (path: string, code = ''): Promise<Readonly<Record<string, unknown>>> =>
        one.evaluate(
          async ([path, code]) => {
            const answer = await tab.client.fetch(`/auth/users/me/factors/totp${path}`, {
              method: 'POST',
              headers: { 'content-type': 'application/json' },
              body: JSON.stringify({ code }),
            })
            return (await answer.json()) as Readonly<Record<string, unknown>>
          },
          [path, code] as const,
        )
      const phone = createAuthenticatorApp(String((await setUp(''))['secret']))
      const { recovery_codes: codes } = await setUp('/confirm', phone.code())
      const [recoveryCode = ''] = codes as readonly string[]

      await one.exposeFunction('askForCode', () => phone.code(new Date(Date.now() + 30_000)))
      await one.evaluate((ada) => {
        tab.client.onStepUp(async ({ next }) => {
          // The app is newer than the login.
          if (next.step !== 'provePassword') throw new Error(next.step)
          const { next: last } = await next.provePassword(ada)
          if (last?.step !== 'proveFactor') throw new Error(last?.step)
          await last.proveFactor({ otp: await askForCode() })
        })
      }, person)
      assert.equal((await openVault(two))[0], 401)
      assert.deepEqual(await openVault(one), [200, 'gold'])
      await two.waitForFunction(
        async () => (await tab.client.fetch('/vault', { method: 'POST' })).status === 200,
      )
      assert.deepEqual(await openVault(two), [200, 'gold'])
      for (const page of [one, two]) assert.equal(await page.evaluate(() => tab.signOuts.count), 0)

      await two.evaluate(() => tab.client.logout())
      await one.waitForFunction(() => tab.signOuts.count === 1)
      const login = await one.evaluate(
        async ([ada, recoveryCode]) => {
          const { next } = await tab.client.login(ada)
          if (next?.step !== 'proveFactor') throw new Error('no second factor is asked for')
          const wrong = await next.proveFactor({ otp: '000000' }).then(
            () => 'signed in',
            (error) => `${error.code}, then ${error.next.step}`,
          )
          return [wrong, (await next.proveFactor({ recoveryCode })).signedIn] as const
        },
        [person, recoveryCode] as const,
      )
      assert.deepEqual(login, ['invalid_grant, then proveFactor', true])
      assert.deepEqual(await openVault(one), [200, 'gold'])
    })
})
