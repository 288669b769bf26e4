// Opens what the pictures in docs/pictures show, and compares its text with the text beside the
// picture. To take the pictures again:
//
//   KEYSTILE_TAKE_PICTURES=1 npm test -- test/docs/pictures.test.ts
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { freePort } from '../../packages/server/test-support/command.ts'
import { skipWithoutBrowser, startBrowser } from '../support/browser.ts'
import { blocks } from './blocks.ts'
import { comparePicture, takes, textOf } from './pictures.ts'

const username = 'ada'
const password = 'an engine of her own'

describe('docs/pictures', { skip: skipWithoutBrowser() }, () => {
  it('swagger-ui.png shows the app of the tutorial’s step 5', { timeout: 300_000 }, async (t) => {
    const step = blocks.find(({ name }) => name.startsWith('tutorial-5-docs-'))
    assert.ok(step)
    const folder = mkdtempSync(join(import.meta.dirname, 'blocks-'))
    t.after(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'app.ts'), step.code)
    const port = takes ? 3000 : await freePort()
    const app = spawn(process.execPath, ['--conditions=source', 'app.ts'], {
      cwd: folder,
      env: { ...process.env, PORT: String(port) },
      stdio: ['ignore', 'pipe', 'inherit'],
      signal: t.signal,
    })
    app.on('error', () => {}) // the end of the test kills it
    await once(app.stdout, 'data') // it prints its URL
    const url = `http://localhost:${port}`
    const body = JSON.stringify({ username, email: 'ada@example.com', password })
    const headers = { 'content-type': 'application/json' }
    assert.equal((await fetch(`${url}/auth/users`, { method: 'POST', headers, body })).status, 201)

    const browser = await startBrowser()
    t.after(() => browser.close())
    const page = await browser.newPage({
      viewport: { width: 1600, height: 1125 },
      deviceScaleFactor: 0.8,
    })
    page.setDefaultTimeout(120_000)
    await page.goto(`${url}/docs`)
    await logIn(page)
    await callItems(page)
    await comparePicture({
      name: 'swagger-ui',
      text: (await textOf(page))
        .replaceAll(/localhost:\d+/g, 'localhost:3000')
        .replaceAll(/eyJ[\w.-]+/g, 'eyJ…')
        .replaceAll(/date:.*/g, 'date: …'),
      take: async (path) => void (await page.screenshot({ path: `${path}.png` })),
    })
  })
})

async function logIn(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Authorize', exact: true }).click()
  const dialog = page.locator('.modal-ux')
  await dialog.getByLabel('username').fill(username)
  await dialog.getByLabel('password').fill(password)
  await dialog.getByRole('button', { name: 'Apply given OAuth2 credentials' }).click()
  await dialog.getByRole('button', { name: 'Remove authorization' }).waitFor()
  await dialog.getByRole('button', { name: 'Close' }).click()
}

async function callItems(page: Page): Promise<void> {
  const items = page.locator('.opblock-get').filter({ has: page.locator('[data-path="/items"]') })
  await items.locator('.opblock-summary-control').click()
  await items.getByRole('button', { name: 'Try it out' }).click()
  await items.getByRole('button', { name: 'Execute' }).click()
  await items.locator('.live-responses-table').getByText(`"${username}"`).waitFor()
}
