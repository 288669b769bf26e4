// Cookie sessions of the stand-alone server, in a real browser: the page comes from another origin
// of the same site, as a separate front end does.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { build } from 'esbuild'
import type { ApiClient } from 'keystile/client'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import {
  freePort,
  startServer,
  type RunningServer,
} from '../../packages/server/test-support/command.ts'
import { skipWithoutBrowser, startBrowser } from '../support/browser.ts'

const username = 'ada'
const password = 'an engine of her own'

declare const client: ApiClient

/** A page with keystile/client. The query of the page's URL names the issuer. */
const pageText = `<!doctype html><title>A page</title><script type="module">
  import { createClient } from '/client.js'
  const issuer = new URLSearchParams(location.search).get('issuer')
  globalThis.client = createClient({ issuer, storage: 'cookie' })
</script>`

async function bundleClient(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, '../../packages/keystile/src/client.ts')],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    write: false,
  })
  return outputFiles[0]?.text ?? ''
}

describe('the stand-alone server and a browser', { skip: skipWithoutBrowser() }, () => {
  let cwd: string
  let pages: Server
  let origin: string
  /** Two servers: the first has cookie sessions, the second does not. */
  let servers: readonly RunningServer[] = []
  let browser: Browser
  let context: BrowserContext

  before(async () => {
    cwd = mkdtempSync(join(tmpdir(), 'keystile-browser-'))
    const script = await bundleClient()
    pages = createServer(({ url }, response) => {
      const [type, body] =
        url === '/client.js' ? ['text/javascript', script] : ['text/html', pageText]
      response.writeHead(200, { 'content-type': type }).end(body)
    })
    const port = await freePort()
    pages.listen(port)
    await once(pages, 'listening')
    origin = `http://localhost:${port}`

    const env = { KEYSTILE_CORS_ORIGINS: origin }
    servers = [
      await startServer({ cwd, env: { ...env, KEYSTILE_COOKIE_SESSION: 'true' } }),
      await startServer({ cwd, env, args: ['--database', join(cwd, 'other/keystile.db')] }),
    ]
    browser = await startBrowser()
    context = await browser.newContext()
  })
  after(async () => {
    await browser.close()
    for (const server of servers) await server.stop()
    pages.close()
    rmSync(cwd, { recursive: true })
  })

  async function open(server: RunningServer | undefined): Promise<Page> {
    const page = await context.newPage()
    await page.goto(`${origin}/?issuer=${encodeURIComponent(server?.url ?? '')}`)
    await page.waitForFunction(() => 'client' in globalThis)
    return page
  }
  const isSignedIn = (page: Page): Promise<boolean> => page.evaluate(() => client.isSignedIn())

  it('a page stays signed in when reloaded if its origin is in KEYSTILE_CORS_ORIGINS', async () => {
    const [server] = servers
    const page = await open(server)
    assert.equal(await isSignedIn(page), false)

    const person = { username, password, url: server?.url ?? '' }
    const shown = await page.evaluate(async ({ username, password, url }) => {
      await client.fetch(`${url}/users`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ username, password, email: 'ada@example.com' }),
      })
      await client.login({ username, password })
      return (await client.fetch(`${url}/users/me`)).json() as Promise<{ username: string }>
    }, person)
    assert.equal(shown.username, username)

    await page.reload()
    await page.waitForFunction(() => 'client' in globalThis)
    assert.equal(await isSignedIn(page), true)
    assert.equal(await page.evaluate('document.cookie'), '')

    await page.evaluate(() => client.logout())
    assert.equal(await isSignedIn(page), false)
    await page.reload()
    await page.waitForFunction(() => 'client' in globalThis)
    assert.equal(await isSignedIn(page), false)
  })

  it('if a server lacks cookie sessions, keystile/client throws no_cookie_sessions', async () => {
    const page = await open(servers[1])
    const failed = await page.evaluate(() =>
      client.isSignedIn().then(
        () => undefined,
        (error: { code: string; message: string }) => ({ code: error.code, text: error.message }),
      ),
    )
    assert.equal(failed?.code, 'no_cookie_sessions')
    assert.match(failed?.text ?? '', /KEYSTILE_COOKIE_SESSION=true/)
  })
})
