// Uses Swagger UI in a browser as a person would, against a running server.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import type { Browser, Locator, Page } from 'playwright-core'
import {
  freePort,
  startServer,
  type RunningServer,
} from '../../packages/server/test-support/command.ts'
import { createTestClock, type TestClock } from '../../packages/server/test-support/keystile.ts'
import {
  startStandAlone,
  type ListeningServer,
} from '../../packages/server/test-support/whole-server.ts'
import { skipWithoutBrowser, startBrowser } from '../support/browser.ts'

const username = 'ada'
const password = 'an engine of her own'

describe('/docs', { skip: skipWithoutBrowser() }, () => {
  let browser: Browser
  let page: Page
  /**
   * The page's faults: requests to other hosts, violations of its Content-Security-Policy, errors.
   */
  let violations: string[]
  before(async () => {
    browser = await startBrowser()
  })
  after(() => browser.close())
  beforeEach(async () => {
    violations = []
    page = await browser.newPage()
  })
  afterEach(() => page.close())

  async function open(url: string): Promise<void> {
    const { host } = new URL(url)
    page.on('pageerror', (error) => violations.push(String(error)))
    page.on('request', (request) => {
      const to = new URL(request.url())
      if (to.protocol !== 'data:' && to.host !== host) violations.push(`asked ${request.url()}`)
    })
    page.on('console', (message) => {
      // Chromium logs this message for every refused request of a script.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
        violations.push(message.text())
      }
    })
    await page.goto(`${url}/docs`)
  }

  const operation = (method: string, path: string): Locator =>
    page.locator('.opblock').filter({ has: page.locator(`[data-path="${path}"]`), hasText: method })
  const dialog = (): Locator => page.locator('.modal-ux')

  async function logIn(password: string): Promise<void> {
    await page.getByRole('button', { name: 'Authorize', exact: true }).click()
    await dialog().getByLabel('username').fill(username)
    await dialog().getByLabel('password').fill(password)
    await dialog().getByRole('button', { name: 'Apply given OAuth2 credentials' }).click()
  }

  async function closeDialog(): Promise<void> {
    await dialog().getByRole('button', { name: 'Close' }).click()
  }

  /**
   * Opens an operation and sends a request: with `body`, or with the example body if there is none.
   */
  async function execute(method: string, path: string, body?: object): Promise<Locator> {
    const block = operation(method, path)
    await block.locator('.opblock-summary-control').click()
    await block.getByRole('button', { name: 'Try it out' }).click()
    if (body) await block.locator('textarea').fill(JSON.stringify(body))
    await block.getByRole('button', { name: 'Execute' }).click()
    return block.locator('.live-responses-table').locator('.response').first()
  }

  async function assertAnswered(answer: Locator, status: number, text: string): Promise<void> {
    await answer.locator('.response-col_status').getByText(String(status)).waitFor()
    await answer.locator('.response-col_description').getByText(text).first().waitFor()
  }

  describe('/docs of the stand-alone server', () => {
    let server: RunningServer
    let cwd: string
    before(async () => {
      cwd = mkdtempSync(join(tmpdir(), 'keystile-docs-'))
      server = await startServer({ cwd })
    })
    after(async () => {
      await server.stop()
      rmSync(cwd, { recursive: true })
    })

    it('/docs is dark while the person prefers dark colours, and fits on a phone', async () => {
      const isDark = (): Promise<boolean> =>
        page.locator('html').evaluate(({ className }) => className === 'dark-mode')
      await page.setViewportSize({ width: 360, height: 800 })
      await page.emulateMedia({ colorScheme: 'dark' })
      await open(server.url)
      assert.equal(await isDark(), true)
      await page.emulateMedia({ colorScheme: 'light' })
      await page.locator('html:not(.dark-mode)').waitFor()

      await operation('POST', '/users').locator('.opblock-summary-control').click()
      await operation('POST', '/users').locator('.responses-table').waitFor()
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 360)
      assert.deepEqual(violations, [])
    })

    it('/docs registers the user of the example, logs in with Authorize, and only then calls a guarded route', async () => {
      await open(server.url)
      const registered = await execute('POST', '/users')
      await assertAnswered(registered, 201, `"username": "${username}"`)
      await operation('POST', '/users').locator('.opblock-summary-control').click()
      await assertAnswered(await execute('GET', '/users/me'), 401, 'Not authenticated')

      await logIn('four kites over a quiet harbour') // the password of the example
      await dialog().getByRole('button', { name: 'Remove authorization' }).waitFor()
      await closeDialog()
      const again = operation('GET', '/users/me')
      await again.getByRole('button', { name: 'Execute' }).click()
      await assertAnswered(
        again.locator('.live-responses-table .response').first(),
        200,
        `"${username}"`,
      )
      assert.deepEqual(violations, [])
    })
  })

  describe('/docs of a server whose clock the test moves', () => {
    let server: ListeningServer
    let url: string
    let clock: TestClock
    before(async () => {
      const port = await freePort()
      url = `http://localhost:${port}`
      clock = createTestClock()
      const options = { issuer: url, database: ':memory:', docs: 'on', clock } as const
      server = await startStandAlone(options, port)
      const body = JSON.stringify({ username, email: 'ada@example.com', password })
      const headers = { 'content-type': 'application/json' }
      assert.equal((await fetch(`${url}/users`, { method: 'POST', headers, body })).status, 201)
    })
    after(() => server.close())

    it('/docs shows why a login has failed, and 401 after the token has expired', async () => {
      await open(url)
      await logIn('not the password of hers')
      await dialog().getByText('Incorrect username or password').waitFor()
      await dialog().getByLabel('password').fill(password)
      await dialog().getByRole('button', { name: 'Apply given OAuth2 credentials' }).click()
      await dialog().getByRole('button', { name: 'Remove authorization' }).waitFor()
      await closeDialog()
      clock.advance(3600)
      await assertAnswered(await execute('GET', '/users/me'), 401, 'Token has expired')
      assert.deepEqual(violations, [])
    })
  })
})
