// Tests the documentation site in a real browser: the search, the light and dark themes, no request
// to another host, and no fault that axe finds. Installing and building the site takes a minute, so
// `npm test` leaves this test out; `npm run test:long` runs it.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { skipWithoutBrowser, startBrowser } from '../support/browser.ts'
import { root } from './blocks.ts'

const site = join(root, 'dist/site')
const types: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}
const skip = process.env['KEYSTILE_LONG'] ? skipWithoutBrowser() : 'KEYSTILE_LONG=1 runs it'

describe('npm run docs', { skip }, () => {
  let server: Server
  let url: string
  let browser: Browser
  let page: Page
  /** Errors of the console, and requests to other hosts. */
  const faults: string[] = []

  before(async () => {
    execFileSync('npm', ['run', 'docs'], { cwd: root, stdio: 'pipe' })
    server = createServer((request, response) => {
      const path = new URL(request.url ?? '/', 'http://localhost').pathname
      let file = join(site, decodeURIComponent(path))
      if (existsSync(file) && statSync(file).isDirectory()) file = join(file, 'index.html')
      if (!existsSync(file)) return response.writeHead(404).end()
      response.writeHead(200, { 'content-type': types[extname(file)] ?? 'text/plain' })
      return createReadStream(file).pipe(response)
    }).listen(0, 'localhost')
    await once(server, 'listening')
    url = `http://localhost:${(server.address() as AddressInfo).port}`

    browser = await startBrowser()
    page = await browser.newPage()
    page.on('pageerror', (error) => faults.push(String(error)))
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()))
    page.on('request', (request) => {
      if (!request.url().startsWith(url) && !request.url().startsWith('data:'))
        faults.push(`asked ${request.url()}`)
    })
  })
  after(async () => {
    await browser?.close()
    server?.close()
  })

  const pages = globSync('docs/**/*.md', { cwd: root }).map((name) =>
    name.replace(/\.md$/, '.html'),
  )

  it('npm run docs makes a page per document, without errors or external requests', async () => {
    for (const name of pages) {
      await page.goto(`${url}/${name}`, { waitUntil: 'networkidle' })
      assert.ok(await page.locator('h1').first().isVisible(), name)
    }
    assert.deepEqual(faults, [])
  })

  it('the search in the documentation finds each page by its title', async () => {
    for (const name of pages) {
      const source = readFileSync(join(root, name.replace(/\.html$/, '.md')), 'utf8')
      const [, title = ''] = /^# (?:\d\. )?(.+)$/m.exec(source) ?? []
      await page.goto(`${url}/docs/tutorial/`, { waitUntil: 'networkidle' })
      await page.keyboard.press('ControlOrMeta+k')
      await page.fill('#localsearch-input', title.replaceAll('`', ''))
      await page
        .locator(`#localsearch-list a[href^="/${name.replace(/index\.html$/, '')}"]`)
        .first()
        .waitFor()
    }
    assert.deepEqual(faults, [])
  })

  it('axe finds no accessibility fault in the documentation, in light or dark mode', async () => {
    const axe = readFileSync(join(root, 'tools/site/node_modules/axe-core/axe.min.js'), 'utf8')
    const found: string[] = []
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      // The dark theme differs only in colours, so a few pages are enough.
      for (const name of colorScheme === 'light' ? pages : pages.slice(0, 5)) {
        await page.goto(`${url}/${name}`, { waitUntil: 'networkidle' })
        await page.evaluate(axe)
        const violations = await page.evaluate<readonly (readonly string[])[]>(
          `axe.run({ resultTypes: ['violations'] }).then(({ violations }) =>
            violations.map(({ id, nodes }) => [id, nodes[0].html.slice(0, 100)]))`,
        )
        found.push(
          ...violations.map((violation) => `${colorScheme} ${name}: ${violation.join(' ')}`),
        )
      }
    }
    assert.deepEqual(found, [])
  })
})
