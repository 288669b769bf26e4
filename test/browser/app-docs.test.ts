// Swagger UI in an app: its document is generated from the guards, and a person logs in and calls
// routes from the page.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Server } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { serve } from '@hono/node-server'
import { createKeystile, type Keystile } from '@keystile/server'
import { docs } from '@keystile/server/docs'
import { Hono } from 'hono'
import { createGuard, mount } from 'keystile/hono'
import { secure } from 'keystile/openapi'
import type { Locator, Page } from 'playwright-core'
import { freePort } from '../../packages/server/test-support/command.ts'
import { skipWithoutBrowser, startBrowser } from '../support/browser.ts'

const username = 'ada'
const password = 'an engine of her own'
const scopes = { 'items:read': 'Read items', 'items:write': 'Change items' }

function createApp(keystile: Keystile<keyof typeof scopes, { readonly username: string }>): Hono {
  const guard = createGuard(keystile)
  const document = {
    openapi: '3.1.1',
    info: { title: 'Items', version: '1' },
    paths: Object.fromEntries(
      ['/items', '/items/all', '/open'].map((path) => [
        path,
        { get: { responses: { 200: { description: 'Found' } } } },
      ]),
    ),
  }
  const app = new Hono()
  app.use(mount(keystile))
  app.use(mount(docs(() => secure(document, app))))
  app.get('/items', guard('items:read'), (c) => c.json({ owner: guard.caller(c).user.username }))
  app.get('/items/all', guard('items:write'), (c) => c.text('all'))
  app.get('/open', (c) => c.text('for everybody'))
  return app
}

describe('docs() in an app', { skip: skipWithoutBrowser() }, () => {
  let keystile: Keystile<keyof typeof scopes, { readonly username: string }>
  let server: Server
  let url: string
  before(async () => {
    const port = await freePort()
    url = `http://localhost:${port}`
    keystile = await createKeystile({
      issuer: `${url}/auth`,
      database: ':memory:',
      scopes,
      defaultScopes: ['items:read'],
      registration: 'open',
    })
    server = serve({ fetch: createApp(keystile).fetch, hostname: 'localhost', port }) as Server
    if (!server.listening) await once(server, 'listening')
    const body = JSON.stringify({ username, email: 'ada@example.com', password })
    const headers = { 'content-type': 'application/json' }
    assert.equal((await fetch(`${url}/auth/users`, { method: 'POST', headers, body })).status, 201)
  })
  after(async () => {
    server.close()
    await keystile.close()
  })

  it('Swagger UI in an app logs in with Authorize and calls guarded and open routes', async () => {
    const browser = await startBrowser()
    try {
      const page = await browser.newPage()
      const violations = watch(page, new URL(url).host)
      await page.goto(`${url}/docs`)
      await page.getByRole('heading', { name: 'Items' }).waitFor()

      await assertAnswered(page, '/items', 401, 'Not authenticated')
      await assertAnswered(page, '/open', 200, 'for everybody')

      await page.getByRole('button', { name: 'Authorize', exact: true }).click()
      const dialog = page.locator('.modal-ux')
      await dialog.getByLabel('username').fill(username)
      await dialog.getByLabel('password').fill(password)
      await dialog.getByText('Read items').waitFor()
      await dialog.getByRole('button', { name: 'Apply given OAuth2 credentials' }).click()
      await dialog.getByRole('button', { name: 'Remove authorization' }).waitFor()
      await dialog.getByRole('button', { name: 'Close' }).click()

      await assertAnswered(page, '/items', 200, `"${username}"`)
      await assertAnswered(page, '/open', 200, 'for everybody')
      await assertAnswered(page, '/items/all', 403, 'The token lacks a required scope')
      assert.deepEqual(violations, [])
    } finally {
      await browser.close()
    }
  })
})

/**
 * Collects the page's faults: requests to other hosts, violations of its Content-Security-Policy,
 * errors.
 */
function watch(page: Page, host: string): readonly string[] {
  const violations: string[] = []
  page.on('pageerror', (error) => violations.push(String(error)))
  page.on('request', (request) => {
    const to = new URL(request.url())
    if (to.protocol !== 'data:' && to.host !== host) violations.push(`asked ${request.url()}`)
  })
  page.on('console', (message) => {
    // Chromium logs this message for every refused request of a script.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      violations.push(message.text())
  })
  return violations
}

/** Opens an operation on the page, sends its request, and closes the operation again. */
async function assertAnswered(
  page: Page,
  path: string,
  status: number,
  text: string,
): Promise<void> {
  const block: Locator = page
    .locator('.opblock')
    .filter({ has: page.locator(`[data-path="${path}"]`) })
  await block.locator('.opblock-summary-control').click()
  // If the test has tried this operation before, its "Execute" button is already there.
  const toggle = block.locator('.try-out__btn').first()
  if ((await toggle.innerText()) === 'Try it out') await toggle.click()
  await block.getByRole('button', { name: 'Execute' }).click()
  const answer = block.locator('.live-responses-table .response').first()
  await answer.locator('.response-col_status').getByText(String(status)).waitFor()
  await answer.locator('.response-col_description').getByText(text).first().waitFor()
  await block.locator('.opblock-summary-control').click()
}
